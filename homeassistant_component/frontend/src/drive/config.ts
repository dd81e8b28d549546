/** The drive card's configuration: checked, with a stub, and as a form. */

import type { Found } from "../fleet.js";
import { configForm, outputSelector, type ConfigForm } from "../forms.js";
import type { Hass } from "../hass.js";
import { pageTranslator } from "../localize.js";
import { firstOf, isDrive } from "../pimqtt-entities.js";
import { ConfigError, entityOf, type CardConfig } from "../base-card.js";
import { MAX_RATE_HZ, RATE_HZ } from "./sender.js";

export interface DriveConfig extends CardConfig {
  readonly entity: string;
  readonly camera?: string;
  readonly speed_limit?: number;
  readonly rate_hz?: number;
  readonly keyboard?: boolean;
  readonly gamepad?: boolean;
  /** Whether fresh stills are asked for while the card is seen. */
  readonly stills?: boolean;
}

export const TYPE = "pimqtt-drive-card";

/** Whether an output is a car's joystick. */
export const fitsDrive = ({ device, entity }: Found): boolean =>
  device.kind === "drive" && entity.command && entity.motion === "continuous";

function checkNumber(raw: Readonly<Record<string, unknown>>, name: string, max: number): void {
  const value = raw[name];
  if (value === undefined || value === null) return;
  if (typeof value !== "number" || !(value >= 1 && value <= max))
    throw new ConfigError(pageTranslator()("config.bad_number", { name, value: JSON.stringify(value), min: 1, max }));
}

function checkBoolean(raw: Readonly<Record<string, unknown>>, name: string): void {
  const value = raw[name];
  if (value !== undefined && value !== null && typeof value !== "boolean")
    throw new ConfigError(pageTranslator()("config.bad_boolean", { name, value: JSON.stringify(value) }));
}

export function checkedDrive(raw: Readonly<Record<string, unknown>>): DriveConfig {
  const entity = entityOf(raw);
  checkNumber(raw, "speed_limit", 100);
  checkNumber(raw, "rate_hz", MAX_RATE_HZ);
  for (const name of ["keyboard", "gamepad", "stills"]) checkBoolean(raw, name);
  const { camera } = raw;
  if (camera !== undefined && camera !== "" && !(typeof camera === "string" && camera.startsWith("camera.")))
    throw new ConfigError(pageTranslator()("config.bad_camera", { camera: JSON.stringify(camera) }));
  return { type: `custom:${TYPE}`, ...raw, entity };
}

export const stubDrive = (hass: Hass, entities: readonly string[]): { entity: string } => ({
  entity: firstOf(hass, entities, isDrive),
});

export const driveForm = (): ConfigForm =>
  configForm(
    [
      { name: "entity", required: true, selector: outputSelector(fitsDrive, ["sensor"]) },
      { name: "camera", selector: { entity: { filter: { domain: "camera" } } } },
      { name: "name", selector: { text: {} } },
      {
        name: "",
        type: "grid",
        schema: [
          { name: "speed_limit", default: 100, selector: { number: { min: 1, max: 100, unit_of_measurement: "%", mode: "slider" } } },
          { name: "rate_hz", default: RATE_HZ, selector: { number: { min: 1, max: MAX_RATE_HZ, unit_of_measurement: "Hz", mode: "box" } } },
          { name: "keyboard", default: true, selector: { boolean: {} } },
          { name: "gamepad", default: true, selector: { boolean: {} } },
          { name: "stills", default: true, selector: { boolean: {} } },
        ],
      },
    ],
    {
      entity: "form.drive", camera: "form.camera", name: "form.name", speed_limit: "form.speed_limit",
      rate_hz: "form.rate_hz", keyboard: "form.keyboard", gamepad: "form.gamepad", stills: "form.stills",
    },
    { camera: "form.camera_help", rate_hz: "form.rate_hz_help", keyboard: "form.keyboard_help", stills: "form.stills_help" },
  );
