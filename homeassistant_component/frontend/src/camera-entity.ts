/** What Home Assistant knows of a camera: whether it streams, where its still is, when that was taken. Pure. */

import type { Hass } from "./hass.js";

const STREAM = 2; // CameraEntityFeature.STREAM

/** The component's own camera of the same device (live video), where there is one. */
export function preferLive(hass: Hass, cameraId: string): string {
  const device = hass.entities[cameraId]?.device_id;
  if (!device) return cameraId;
  const live = Object.values(hass.entities).find(
    (entry) => entry?.device_id === device && entry.platform === "pimqtt" && entry.entity_id.startsWith("camera."),
  );
  return live && hass.states[live.entity_id]?.state !== "unavailable" ? live.entity_id : cameraId;
}

/** What a camera is called: as its device, whose one camera it is. */
export function cameraName(hass: Hass, cameraId: string): string {
  const device = hass.devices[hass.entities[cameraId]?.device_id ?? ""];
  const friendly = hass.states[cameraId]?.attributes["friendly_name"];
  return device?.name_by_user ?? device?.name ?? (typeof friendly === "string" ? friendly : cameraId);
}

/** Whether Home Assistant streams it; MQTT's pictures are stills. */
export function isLive(hass: Hass, cameraId: string): boolean {
  const features = hass.states[cameraId]?.attributes["supported_features"];
  return typeof features === "number" && (features & STREAM) !== 0;
}

/** Where the newest still is; `salt` makes the browser fetch it again. */
export function stillUrl(hass: Hass, cameraId: string, salt: number): string | null {
  const token = hass.states[cameraId]?.attributes["access_token"];
  if (typeof token !== "string") return null;
  const path = `/api/camera_proxy/${cameraId}?token=${encodeURIComponent(token)}&t=${salt}`;
  return hass.hassUrl ? hass.hassUrl(path) : path;
}

/** The sensor of a camera's device that tells when the still was taken; null where there is none. */
export function takenSensor(hass: Hass, cameraId: string): string | null {
  const device = hass.entities[cameraId]?.device_id;
  if (!device) return null;
  const siblings = Object.values(hass.entities).filter((entry) => entry?.device_id === device);
  const sensor = siblings.find((entry) => entry && hass.states[entry.entity_id]?.attributes["device_class"] === "timestamp");
  return sensor?.entity_id ?? null;
}

/** When the camera's still was taken (ISO); null where that is not known. */
export function takenAt(hass: Hass, cameraId: string): string | null {
  const taken = hass.states[takenSensor(hass, cameraId) ?? ""]?.state ?? "";
  return Number.isNaN(Date.parse(taken)) ? null : taken;
}

/** After Home Assistant's start a camera has its last picture within this time (ms). */
const SETTLE_MS = 5000;

function isNew(hass: Hass, cameraId: string, now_ms: number): boolean {
  const age_ms = now_ms - Date.parse(hass.states[cameraId]?.last_changed ?? "");
  return age_ms >= 0 && age_ms < SETTLE_MS;
}

/** Whether there is a still to be had; to ask Home Assistant for one that is not there is an error. */
export const hasStill = (hass: Hass, cameraId: string, now_ms: number): boolean =>
  !isNew(hass, cameraId, now_ms) && (takenSensor(hass, cameraId) === null || takenAt(hass, cameraId) !== null);
