/** The component's websocket commands: their shapes, and a call for each. */

import type { Connection } from "./hass.js";

/** What a command can bear: `ON`, 40, `{x, y}`, a light's object. */
export type Value = string | number | boolean | null | { readonly [key: string]: Value };

export type Code =
  | "invalid" | "out_of_range" | "ttl_range" | "ttl_required" | "stale" | "retained" | "held" | "let_go" | "latched"
  | "not_armed" | "token" | "interlock" | "min_off" | "unavailable" | "unknown" | "forbidden" | "too_large";

export type Cause = "expired" | "stopped" | "disconnected" | "max_on" | "emergency" | "keeper_lost";

/** A lease; `remaining_s` was counted when it was sent. */
export interface Lease {
  owner: string;
  value: Value;
  resting: Value;
  remaining_s: number;
  end: string | number | null;
}

/** An output's result that everybody may see. */
export interface Told {
  outcome: "accepted" | "rejected" | "reverted";
  code: Code | null;
  reason: string | null;
  value: Value;
  owner: string | null;
  holder: string | null;
  cause: Cause | null;
  at: string;
}

/** The answer to a command of ours. */
export interface Answer {
  outcome: "accepted" | "rejected" | "reverted" | "unanswered";
  code: Code | null;
  reason: string | null;
  state: Value;
  ttl: number | null;
  holder: string | null;
  owner: string | null;
  round_trip_ms: number | null;
  /** Where the component itself refused: the key of its sentence, and what fills it. */
  reason_key?: string | null;
  reason_placeholders?: Readonly<Record<string, string>> | null;
}

export interface Entity {
  key: string | null;
  platform: string;
  unique_id: string;
  entity_id: string | null;
  command: boolean;
  motion: "level" | "continuous" | "bounded" | null;
  ttl: { default: number | null; min: number | null; max: number | null; required: boolean } | null;
  deadman_s: number | null;
  control: "exclusive" | "shared" | null;
  token: "required" | "optional" | null;
  lease: Lease | null;
  /** When a camera's picture was taken (ISO), of each; its sensor shows the time of one in ten seconds. */
  taken?: string | null;
  last: readonly Told[];
}

export interface Device {
  id: string;
  kind: string;
  name: string;
  online: boolean;
  latched: boolean;
  latched_by: "device" | "node" | null;
  device_id: string | null;
  /** The line of each role. */
  pins: Readonly<Record<string, number | string>> | null;
  entities: readonly Entity[];
}

export interface Node {
  id: string;
  name: string;
  identity: string | null;
  model: string | null;
  version: string | null;
  protocol: number | null;
  mqtt: string | null;
  online: boolean;
  /** Since when it is on- or offline (ISO). */
  since: string | null;
  addresses: readonly string[];
  problem: string | null;
  /** What the component found wrong with it; keys and placeholders are those of its repairs. */
  problems?: readonly { key: string; placeholders: Readonly<Record<string, string>> }[];
  latched: boolean;
  /** Whether it speaks a protocol that the component knows. */
  supported: boolean;
  device_id: string | null;
  area_id: string | null;
  /** Every line that a device uses; null where the agent does not tell. */
  pins: readonly { line: number | string; device: string; role: string }[] | null;
  devices: readonly Device[];
}

export interface FleetEvent {
  base?: string;
  connected?: boolean;
  nodes?: readonly Node[];
  node?: Node;
  gone?: string;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface DriveEvent {
  session?: string;
  owner?: string;
  deadman_s?: number;
  rate_hz?: number;
  max_age_s?: number | null;
  token?: string | null;
  /** `seq` is null where no command of ours was sent. */
  answer?: Answer & { seq: number | null };
  holder?: string | null;
  mine?: boolean;
  told?: Told;
  /** The component ended the session, and why: in English, and as a sentence of its translations. */
  ended?: string;
  reason_key?: string | null;
  reason_placeholders?: Readonly<Record<string, string>> | null;
}

export interface Command {
  entity_id: string;
  value: Value;
  ttl?: number;
  priority?: number;
}

/** The node or the device that a stop is for; all nodes where it is empty. */
export interface Place {
  node?: string;
  device?: string;
}

/** Without coming back by itself after a lost connection: whoever listens decides that. */
const ONCE = { resubscribe: false };

export const subscribeFleet = (connection: Connection, heard: (event: FleetEvent) => void): Promise<() => unknown> =>
  connection.subscribeMessage((event) => { heard(event as FleetEvent); }, { type: "pimqtt/fleet" }, ONCE);

export const openDrive = (
  connection: Connection,
  entityId: string,
  heard: (event: DriveEvent) => void,
): Promise<() => unknown> =>
  connection.subscribeMessage((event) => { heard(event as DriveEvent); }, { type: "pimqtt/drive", entity_id: entityId }, ONCE);

/** Ask for one answer; its shape is the component's promise, which its tests hold. */
const ask = async (connection: Connection, message: Record<string, unknown>): Promise<never> =>
  (await connection.sendMessagePromise(message)) as never;

export const sendCommand = (connection: Connection, command: Command): Promise<Answer> =>
  ask(connection, { type: "pimqtt/command", ...command });

export const emergencyStop = (connection: Connection, place: Place): Promise<readonly Answer[]> =>
  ask(connection, { type: "pimqtt/stop", ...place });

export const reset = (connection: Connection, place: Place): Promise<readonly Answer[]> =>
  ask(connection, { type: "pimqtt/reset", ...place });

/** A line in use, as the node lists it: what drives it, and its level from 0 to 1. */
export interface Pin {
  line: number | string;
  device: string | null;
  role: string | null;
  mode: "output" | "input" | "pwm" | null;
  level: number | null;
}

export interface SearchEvent {
  progress?: number;
  found?: { node: string | null; name: string; address: string | null; by: "mqtt" | "zeroconf"; new: boolean };
  done?: boolean;
}

export const listPins = (connection: Connection, node: string): Promise<{ pins: readonly Pin[]; model: string | null }> =>
  ask(connection, { type: "pimqtt/pins", node });

export const takeSnapshot = (connection: Connection, entityId: string): Promise<Answer> =>
  ask(connection, { type: "pimqtt/snapshot", entity_id: entityId });

/** Look for nodes; returns what ends that. */
export const search = (connection: Connection, seconds: number, heard: (event: SearchEvent) => void): Promise<() => unknown> =>
  connection.subscribeMessage((event) => { heard(event as SearchEvent); }, { type: "pimqtt/search", seconds }, ONCE);
