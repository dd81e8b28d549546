/** A node's own readings: temperature, load, memory. Pure. */

import type { Known } from "../fleet.js";
import { stateWords, type Hass } from "../hass.js";

/** The readings that say how a Pi is, by the key of its `system` entities. */
const SHOWN = ["temperature", "load", "memory", "disk", "wifi"] as const;
const PROBLEMS = ["under_voltage", "throttled"] as const;

export type ReadingKey = (typeof SHOWN)[number] | (typeof PROBLEMS)[number];

export interface Reading {
  readonly key: ReadingKey;
  readonly entityId: string;
  readonly text: string;
}

const unknown = (state: string): boolean => state === "unavailable" || state === "unknown";

function entityOfKey(node: Known, key: string): string | null {
  for (const device of node.devices)
    if (device.id === "system") return device.entities.find((entity) => entity.key === key)?.entity_id ?? null;
  return null;
}

/** What is known of them; a problem only while there is one. */
export function readings(node: Known, hass: Hass): Reading[] {
  const found: Reading[] = [];
  for (const key of [...SHOWN, ...PROBLEMS]) {
    const entityId = entityOfKey(node, key);
    const entity = entityId === null ? undefined : hass.states[entityId];
    if (!entityId || !entity || unknown(entity.state)) continue;
    const problem = (PROBLEMS as readonly string[]).includes(key);
    if (!problem) found.push({ key, entityId, text: stateWords(hass, entity) });
    else if (entity.state === "on") found.push({ key, entityId, text: "" });
  }
  return found;
}

/** The entities whose states they are. */
export const readingIds = (node: Known): string[] =>
  [...SHOWN, ...PROBLEMS].map((key) => entityOfKey(node, key)).filter((id) => id !== null);
