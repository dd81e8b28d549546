/** Which of Home Assistant's entities are pimqtt's, told from its registries and what was heard already (no answer to wait for). */

import { find, lastHeard } from "./fleet.js";
import type { Hass } from "./hass.js";

/** What kind of device an entity belongs to (`switch`, `drive`); null where it is not pimqtt's. */
export function kindOf(hass: Hass, entityId: string): string | null {
  const deviceId = hass.entities[entityId]?.device_id;
  const device = deviceId ? hass.devices[deviceId] : undefined;
  const ours = device?.identifiers?.some(([, id]) => id.startsWith("pimqtt."));
  return device && ours ? (device.model ?? "").replaceAll(" ", "_") : null;
}

const domain = (entityId: string): string => entityId.split(".")[0] ?? "";

/** Whether a drive card fits: a drive's own entity is its direction, a sensor. */
export const isDrive = (hass: Hass, entityId: string): boolean =>
  domain(entityId) === "sensor" && kindOf(hass, entityId) === "drive";

/** Whether it can be on for a while: a switch (not a device's stop switch, which latches) or a light. */
export function isSwitched(hass: Hass, entityId: string): boolean {
  const kind = kindOf(hass, entityId);
  const fleet = lastHeard();
  if (fleet.live && !find(fleet, entityId)?.entity.command) return false;
  return kind !== null && (domain(entityId) === "light" || (domain(entityId) === "switch" && kind === "switch"));
}

/** Whether it may bear a lease that counts down: what can be on for a while, or what moves. */
export function isLeased(hass: Hass, entityId: string): boolean {
  const kind = kindOf(hass, entityId);
  const moves = domain(entityId) === "number" && (kind === "motor" || kind === "servo");
  return moves || isSwitched(hass, entityId) || isDrive(hass, entityId);
}

/** The first of the entities that fits, else the empty string: what a stub configuration starts with. */
export const firstOf = (
  hass: Hass,
  entities: readonly string[],
  fits: (hass: Hass, entityId: string) => boolean,
): string => [...entities, ...Object.keys(hass.entities)].find((entityId) => fits(hass, entityId)) ?? "";
