/** The configurations of the lease card and of the tile's feature. */

import { ConfigError, entityOf, type CardConfig } from "../base-card.js";
import { configForm, outputSelector, type ConfigForm, type Field } from "../forms.js";
import type { Hass } from "../hass.js";
import { pageTranslator } from "../localize.js";
import { firstOf, isLeased } from "../pimqtt-entities.js";
import { fitsLease } from "./commands.js";

export const CARD = "pimqtt-lease-card";
export const FEATURE = "pimqtt-lease-feature";
const MINUTES: readonly number[] = [1, 5, 15];

export interface FeatureConfig extends CardConfig {
  readonly minutes: readonly number[];
}

export interface LeaseConfig extends FeatureConfig {
  readonly entity: string;
}

/** Read the choice of minutes; the form gives texts. */
function minutesOf({ minutes }: Readonly<Record<string, unknown>>): readonly number[] {
  if (minutes === undefined || minutes === null) return MINUTES;
  const list = (Array.isArray(minutes) ? (minutes as unknown[]) : [minutes]).map(Number);
  if (list.every((each) => Number.isFinite(each) && each > 0)) return list.length > 0 ? list : MINUTES;
  throw new ConfigError(pageTranslator()("config.bad_minutes", { value: JSON.stringify(minutes) }));
}

export const checkedLease = (raw: Readonly<Record<string, unknown>>): LeaseConfig => ({
  type: `custom:${CARD}`,
  ...raw,
  entity: entityOf(raw),
  minutes: minutesOf(raw),
});

export const checkedFeature = (raw: Readonly<Record<string, unknown>>): FeatureConfig => ({
  type: `custom:${FEATURE}`,
  ...raw,
  minutes: minutesOf(raw),
});

export const stubLease = (hass: Hass, entities: readonly string[]): { entity: string } => ({
  entity: firstOf(hass, entities, isLeased),
});

const MINUTES_FIELD: Field = {
  name: "minutes",
  default: MINUTES.map(String),
  selector: { select: { multiple: true, custom_value: true, options: ["1", "2", "5", "10", "15", "30", "60"] } },
};

export const leaseForm = (): ConfigForm =>
  configForm(
    [
      { name: "entity", required: true, selector: outputSelector(fitsLease, ["switch", "light", "number", "sensor"]) },
      { name: "name", selector: { text: {} } },
      MINUTES_FIELD,
    ],
    { entity: "form.lease", name: "form.name", minutes: "form.minutes" },
  );

export const featureForm = (): ConfigForm => configForm([MINUTES_FIELD], { minutes: "form.minutes" });
