/** Which camera looks out of a car. */

import type { Found } from "../fleet.js";
import type { Hass } from "../hass.js";
import { preferLive } from "../camera-entity.js";

/** The configured camera, else the first of the car's own Pi; live where there is live video. */
export function cameraOf(hass: Hass, found: Found, configured: string | undefined): string | null {
  const camera = configured !== undefined && configured !== "" ? configured : ownCamera(hass, found);
  return camera === null ? null : preferLive(hass, camera);
}

function ownCamera(hass: Hass, { node }: Found): string | null {
  for (const { kind, entities, device_id: id } of node.devices) {
    if (kind !== "camera") continue;
    const listed = entities.find(({ platform, entity_id: camera }) => platform === "camera" && camera !== null);
    if (listed?.entity_id) return listed.entity_id;
    const entries = Object.values(hass.entities).filter((entry) => entry !== undefined);
    const entry = entries.find((one) => id !== null && one.device_id === id && one.entity_id.startsWith("camera."));
    if (entry) return entry.entity_id;
  }
  return null;
}
