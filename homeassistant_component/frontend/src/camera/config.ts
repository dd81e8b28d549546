/** The camera card's configuration: checked, with a stub, and as a form. */

import { ConfigError, type CardConfig } from "../base-card.js";
import { configForm, type ConfigForm } from "../forms.js";
import type { Hass } from "../hass.js";
import { pageTranslator } from "../localize.js";
import { firstOf, kindOf } from "../pimqtt-entities.js";
import { presentFleet } from "../present-fleet.js";
import { camerasOf } from "./sources.js";

export interface CameraConfig extends CardConfig {
  readonly entities: readonly string[];
  readonly refresh_s: number;
}

export const TYPE = "pimqtt-camera-card";
/** A still is fetched again so often (s), where the configuration says nothing. */
export const REFRESH_S = 10;
const RANGE_S = [1, 3600] as const;

type Raw = Readonly<Record<string, unknown>>;

/** Read the configuration: `entities`, or one `entity`. */
export function checkedCamera(raw: Raw): CameraConfig {
  const { entities, entity, ...rest } = raw;
  const named: unknown[] = Array.isArray(entities) ? entities : entity === undefined || entity === "" ? [] : [entity];
  for (const id of named)
    if (!(typeof id === "string" && /^camera\.[a-z0-9_]+$/.test(id)))
      throw new ConfigError(pageTranslator()("config.bad_camera", { camera: JSON.stringify(id) }));
  if (named.length === 0 && entities === undefined) throw new ConfigError(pageTranslator()("config.no_cameras"));
  return { ...rest, type: `custom:${TYPE}`, entities: named as string[], refresh_s: refreshOf(raw["refresh_s"]) };
}

function refreshOf(value: unknown): number {
  const [min, max] = RANGE_S;
  if (value === undefined || value === null) return REFRESH_S;
  if (typeof value === "number" && value >= min && value <= max) return value;
  throw new ConfigError(pageTranslator()("config.bad_number", { name: "refresh_s", value: JSON.stringify(value), min, max }));
}

const isCamera = (hass: Hass, id: string): boolean => id.startsWith("camera.") && kindOf(hass, id) !== null;

/** All cameras of the fleet; else the first that the registries know. */
export async function stubCamera(hass: Hass, entities: readonly string[]): Promise<{ entities: string[] }> {
  const heard = [...camerasOf(await presentFleet(hass.connection))].map(({ entity }) => entity.entity_id).filter((id) => id !== null);
  const first = firstOf(hass, entities, isCamera);
  return { entities: heard.length > 0 ? heard : first ? [first] : [] };
}

export const cameraForm = (): ConfigForm =>
  configForm(
    [
      { name: "entities", required: true, selector: { entity: { multiple: true, filter: { domain: "camera" } } } },
      { name: "refresh_s", default: REFRESH_S, selector: { number: { min: RANGE_S[0], max: RANGE_S[1], unit_of_measurement: "s", mode: "box" } } },
      { name: "name", selector: { text: {} } },
    ],
    { entities: "form.cameras", refresh_s: "form.refresh_s", name: "form.name" },
  );

export const suggestCamera = (hass: Hass, entityId: string): { config: Record<string, unknown> } | null =>
  isCamera(hass, entityId) ? { config: { type: `custom:${TYPE}`, entities: [entityId] } } : null;
