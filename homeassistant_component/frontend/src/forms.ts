/** Editors by schema (getConfigForm): Home Assistant draws the fields, we say which entities fit. */

import { lastHeard, outputs, type Found } from "./fleet.js";
import { pageTranslator, type Key } from "./localize.js";

export interface Field {
  readonly name: string;
  readonly required?: boolean;
  readonly default?: unknown;
  readonly selector?: Readonly<Record<string, unknown>>;
  readonly type?: "grid";
  readonly schema?: readonly Field[];
}

export interface ConfigForm {
  readonly schema: readonly Field[];
  readonly computeLabel: (field: Field) => string | undefined;
  readonly computeHelper: (field: Field) => string | undefined;
  readonly assertConfig?: (config: Record<string, unknown>) => void;
}

/** A selector of the outputs that fit; before the fleet was heard, of all MQTT entities of these domains. */
export function outputSelector(fits: (found: Found) => boolean, domains: readonly string[]): Record<string, unknown> {
  const ids: string[] = [];
  for (const found of outputs(lastHeard())) if (found.entity.entity_id !== null && fits(found)) ids.push(found.entity.entity_id);
  return { entity: ids.length > 0 ? { include_entities: ids } : { filter: { integration: "mqtt", domain: domains } } };
}

/** A form whose labels and helpers are ours; a name without a text keeps Home Assistant's own. */
export function configForm(
  schema: readonly Field[],
  labels: Readonly<Record<string, Key>>,
  helpers: Readonly<Record<string, Key>> = {},
): ConfigForm {
  const text = (table: Readonly<Record<string, Key>>, { name }: Field): string | undefined => {
    const key = table[name];
    return key === undefined ? undefined : pageTranslator()(key);
  };
  return { schema, computeLabel: (field) => text(labels, field), computeHelper: (field) => text(helpers, field) };
}
