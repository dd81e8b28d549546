/** What a camera offers: its picture (live where there is live video), and a snapshot where pimqtt knows it. Pure.

What comes with live video and recordings has its place here: a Source says what a tile can show and do. */

import type { FleetState, Found } from "../fleet.js";
import { outputs } from "../fleet.js";
import type { Hass } from "../hass.js";
import { isLive, preferLive, takenAt } from "../camera-entity.js";

export interface Source {
  /** What is shown: the component's Live camera where there is one, else the picture. */
  readonly entity: string;
  readonly live: boolean;
  readonly name: string;
  /** Why nothing is to be seen, by its state; else null. */
  readonly away: "missing" | "unavailable" | null;
  /** When the still was taken (ISO); null where that is not known. */
  readonly taken: string | null;
  /** The camera that takes a picture on request; null for one that is not pimqtt's. */
  readonly snapshot: string | null;
}

/** The cameras of a fleet, as entities of Home Assistant's. */
export function* camerasOf(fleet: Pick<FleetState, "nodes">): Generator<Found> {
  for (const found of outputs(fleet))
    if (found.entity.platform === "camera" && found.entity.entity_id !== null) yield found;
}

export function sourceOf(entityId: string, fleet: FleetState, hass: Hass): Source {
  const entity = preferLive(hass, entityId);
  const state = hass.states[entity];
  const still = [...camerasOf(fleet)].find((found) => sameCamera(hass, found, entityId));
  const friendly = state?.attributes["friendly_name"];
  return {
    entity,
    live: isLive(hass, entity),
    name: still ? cameraName(still) : typeof friendly === "string" ? friendly : entityId,
    away: !state ? "missing" : state.state === "unavailable" ? "unavailable" : null,
    taken: still?.entity.taken ?? takenAt(hass, entity),
    snapshot: still && still.node.online && still.device.online ? still.entity.entity_id : null,
  };
}

/** One camera is one device, whichever of its two entities was named. */
const sameCamera = (hass: Hass, { entity, device }: Found, entityId: string): boolean =>
  entity.entity_id === entityId || (device.device_id !== null && device.device_id === hass.entities[entityId]?.device_id);

const cameraName = ({ node, device }: Found): string => `${device.name} (${node.name})`;

/** Each camera once, though two of its entities were named. */
export function eachOnce(entities: readonly string[], hass: Hass): string[] {
  const seen = new Set<string>();
  return entities.filter((entity) => {
    const shown = preferLive(hass, entity);
    return !seen.has(shown) && seen.add(shown).size > 0;
  });
}
