/** A Home Assistant to try the cards on: its connection, with a component behind it that answers as the real one does. */

import type { Answer, Command, Device, DriveEvent, Entity, FleetEvent, Node, Told } from "../src/api.js";
import type { Connection, ConnectionEvent, DeviceEntry, EntityEntry, Hass, HassEntity } from "../src/hass.js";

export type Message = Record<string, unknown>;
type Hears = (event: unknown) => void;

export const ACCEPTED: Answer = {
  outcome: "accepted", code: null, reason: null, state: null, ttl: null, holder: null, owner: "Anna", round_trip_ms: 3,
};

/** A connection as home-assistant-js-websocket has it; what is sent is kept in `sent`. */
export class FakeConnection implements Connection {
  connected = true;
  socket = { bufferedAmount: 0 };
  readonly sent: Message[] = [];
  /** Refuse subscriptions of a type with this error. */
  refusals: Record<string, { code: string; message: string } | undefined> = {};
  /** Asked for each message that is sent or asked. */
  answers: (message: Message) => unknown = () => null;
  readonly subscriptions: { message: Message; hear: Hears; open: boolean }[] = [];
  private readonly listeners = new Map<ConnectionEvent, Set<() => void>>();

  async sendMessagePromise(message: Message): Promise<unknown> {
    this.sent.push(message);
    await Promise.resolve();
    return this.answers(message);
  }

  async subscribeMessage(hear: Hears, message: Message): Promise<() => void> {
    await Promise.resolve();
    const refusal = this.refusals[String(message["type"])];
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the real one rejects with this object
    if (refusal) throw refusal;
    const subscription = { message, hear, open: true };
    this.subscriptions.push(subscription);
    this.answers(message);
    return () => {
      subscription.open = false;
    };
  }

  addEventListener(event: ConnectionEvent, callback: () => void): void {
    this.listeners.set(event, (this.listeners.get(event) ?? new Set()).add(callback));
  }

  removeEventListener(event: ConnectionEvent, callback: () => void): void {
    this.listeners.get(event)?.delete(callback);
  }

  listening(event: ConnectionEvent): number {
    return this.listeners.get(event)?.size ?? 0;
  }

  lose(): void {
    this.connected = false;
    for (const subscription of this.subscriptions) subscription.open = false;
    for (const callback of [...(this.listeners.get("disconnected") ?? [])]) callback();
  }

  restore(): void {
    this.connected = true;
    for (const callback of [...(this.listeners.get("ready") ?? [])]) callback();
  }

  /** Send an event to all open subscriptions of a type. */
  tell(type: "pimqtt/fleet", event: FleetEvent): void;
  tell(type: "pimqtt/drive", event: DriveEvent): void;
  tell(type: string, event: unknown): void {
    for (const { message, hear, open } of this.subscriptions) if (open && message["type"] === type) hear(event);
  }

  /** What was sent for driving, oldest first. */
  get frames(): Message[] {
    return this.sent.filter(({ type }) => type === "pimqtt/drive/send");
  }
}

export function entity(over: Partial<Entity> = {}): Entity {
  return {
    key: null, platform: "sensor", unique_id: "pimqtt.10000000aa.car", entity_id: "sensor.car1_car", command: true,
    motion: "continuous", ttl: null, deadman_s: 0.5, control: "exclusive", token: "optional", lease: null, last: [], ...over,
  };
}

export function device(over: Partial<Device> = {}): Device {
  return {
    id: "car", kind: "drive", name: "Car", online: true, latched: false, latched_by: null, device_id: "dev-car", pins: null,
    entities: [entity()], ...over,
  };
}

export const PUMP = device({
  id: "pump", kind: "switch", name: "Pump", device_id: "dev-pump",
  entities: [entity({ unique_id: "pimqtt.10000000aa.pump", platform: "switch", entity_id: "switch.car1_pump", motion: "level", deadman_s: null })],
});

export function node(over: Partial<Node> = {}): Node {
  return {
    id: "car1", name: "car1", identity: "10000000aa", model: "Raspberry Pi 5", version: "0.1.0", protocol: 1, mqtt: "5", online: true,
    since: "2026-11-21T13:03:00+00:00", addresses: ["192.0.2.7"], problem: null, latched: false, supported: true,
    device_id: "dev-car1", area_id: null, pins: null, devices: [device(), PUMP, CAMERA], ...over,
  };
}

export const CAMERA = device({
  id: "camera", kind: "camera", name: "Camera", device_id: "dev-camera",
  entities: [entity({ unique_id: "pimqtt.10000000aa.camera.image", key: "image", platform: "camera", entity_id: "camera.car1_camera", command: false, motion: null, deadman_s: null })],
});

export const told = (over: Partial<Told> = {}): Told => ({
  outcome: "accepted", code: null, reason: null, value: { x: 0, y: 1 }, owner: "Ben", holder: "Ben", cause: null,
  at: "2026-11-21T14:05:00+00:00", ...over,
});

const registered = (id: string, device_id: string, platform = "mqtt"): EntityEntry => ({ entity_id: id, device_id, platform });

const known = (id: string, name: string, model: string): DeviceEntry => ({ id, name, model, identifiers: [["mqtt", `pimqtt.10000000aa.${name.toLowerCase()}`]] });

const shown = (entity_id: string, state: string, attributes: Record<string, unknown> = {}): HassEntity => ({ entity_id, state, attributes });

/** A Home Assistant with a car, its pump and its camera, and a lamp that is not pimqtt's. */
export function home(connection: Connection, over: Partial<Hass> = {}): Hass {
  const states = [
    shown("sensor.car1_car", "stopped", { friendly_name: "Car" }),
    shown("switch.car1_pump", "off", { friendly_name: "Pump" }),
    shown("camera.car1_camera", "idle", { friendly_name: "Camera", access_token: "abc" }),
    shown("sensor.car1_camera_taken", new Date().toISOString(), { device_class: "timestamp" }),
    shown("light.lamp", "on"),
  ];
  const entries = [
    registered("sensor.car1_car", "dev-car"),
    registered("button.car1_forward", "dev-car"),
    registered("switch.car1_stop", "dev-car"),
    registered("switch.car1_pump", "dev-pump"),
    registered("camera.car1_camera", "dev-camera"),
    registered("sensor.car1_camera_taken", "dev-camera"),
    registered("light.lamp", "dev-lamp", "hue"),
  ];
  const devices = [known("dev-car", "Car", "drive"), known("dev-pump", "Pump", "switch"), known("dev-camera", "Camera", "camera")];
  return {
    connection,
    states: Object.fromEntries(states.map((state) => [state.entity_id, state])),
    entities: Object.fromEntries(entries.map((entry) => [entry.entity_id, entry])),
    devices: {
      ...Object.fromEntries(devices.map((each) => [each.id, each])),
      "dev-lamp": { id: "dev-lamp", name: "Lamp", identifiers: [["hue", "1"]] },
    },
    language: "en",
    locale: { language: "en", time_format: "24", time_zone: "local" },
    user: { id: "u1", name: "Anna", is_admin: false },
    ...over,
  };
}

export const FLEET: FleetEvent = { base: "pimqtt", connected: true, nodes: [node()] };
export const OPENED: DriveEvent = { session: "s1", owner: "Anna", deadman_s: 0.5, rate_hz: 10, max_age_s: 0.5, token: "t0" };

/** Answer as a component with one free car does: driving is accepted with a new token each, commands too. */
export function obliging(connection: FakeConnection, delay_ms = 0): void {
  let tokens = 0;
  const later = (tell: () => void): void => {
    if (delay_ms > 0) setTimeout(tell, delay_ms);
    else queueMicrotask(tell);
  };
  connection.answers = (message) => {
    switch (message["type"]) {
      case "pimqtt/fleet":
        queueMicrotask(() => { connection.tell("pimqtt/fleet", FLEET); });
        return null;
      case "pimqtt/drive":
        queueMicrotask(() => { connection.tell("pimqtt/drive", OPENED); });
        return null;
      case "pimqtt/drive/token":
        later(() => { connection.tell("pimqtt/drive", { token: `t${++tokens}` }); });
        return null;
      case "pimqtt/drive/send":
        later(() => { connection.tell("pimqtt/drive", { answer: { ...ACCEPTED, seq: Number(message["seq"]) }, token: `t${++tokens}` }); });
        return null;
      case "pimqtt/snapshot":
        return ACCEPTED;
      case "pimqtt/command":
        return { ...ACCEPTED, ttl: (message as unknown as Command).ttl ?? null };
      default:
        return [ACCEPTED];
    }
  };
}
