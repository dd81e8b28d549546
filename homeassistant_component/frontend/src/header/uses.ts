/** Who uses which line of a node, and at what level it is. Pure. */

import type { Device, Entity, Pin } from "../api.js";
import type { Known } from "../fleet.js";
import type { Hass } from "../hass.js";

export type Mode = "output" | "input" | "pwm";

export interface Use {
  readonly line: number | string;
  readonly role: string;
  readonly device: Device | null;
  readonly name: string;
  readonly mode: Mode | null;
  /** 0 to 1; null where it is not known. */
  readonly level: number | null;
}

/** A line on the header as a number: `17`, `GPIO17`; null for another chip's. */
export function lineNumber(line: number | string): number | null {
  if (typeof line === "number") return line;
  const digits = /^(?:GPIO)?(\d{1,2})$/i.exec(line)?.[1];
  return digits === undefined ? null : Number(digits);
}

/** The output of a device that commands go to: its main entity. */
export const outputOf = (device: Device): Entity | null =>
  device.entities.find(({ key, command }) => command && (key === null || key === "")) ?? null;

/** Every use of a line: from what the node tells of its devices, with the levels that it listed, where it did. */
export function usesOf(node: Known, listed: readonly Pin[] | null, hass: Hass): Use[] {
  const device = (id: string | null): Device | null => node.devices.find((each) => each.id === id) ?? null;
  const told = node.pins ?? (listed ?? []).map(({ line, device: id, role }) => ({ line, device: id ?? "", role: role ?? "" }));
  return told.map(({ line, device: id, role }) => {
    const live = listed?.find((pin) => pin.line === line && (pin.device === id || pin.device === null));
    const owner = device(id);
    return {
      line,
      role,
      device: owner,
      name: owner?.name ?? id,
      mode: live?.mode ?? null,
      level: live ? live.level : stateLevel(owner, hass),
    };
  });
}

/** What an output's state says of its one line, where the node does not list its levels. */
function stateLevel(device: Device | null, hass: Hass): number | null {
  if (device?.kind !== "switch") return null;
  const id = outputOf(device)?.entity_id;
  const state = id ? hass.states[id]?.state : undefined;
  return state === "on" ? 1 : state === "off" ? 0 : null;
}

/** The uses of each header line; those of other chips under `null`. */
export function byLine(uses: readonly Use[]): ReadonlyMap<number | null, readonly Use[]> {
  const lines = new Map<number | null, Use[]>();
  for (const use of uses) {
    const line = lineNumber(use.line);
    lines.set(line, [...(lines.get(line) ?? []), use]);
  }
  return lines;
}

/** Whether two devices, or two roles, claim one line. */
export const inConflict = (uses: readonly Use[]): boolean => uses.length > 1;
