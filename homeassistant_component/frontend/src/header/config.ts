/** The header card's configuration: checked, with a stub, and as a form. */

import { configForm, type ConfigForm } from "../forms.js";
import { heardOf, nodeField, nodeOf, type NodeConfig } from "../node-config.js";

export const TYPE = "pimqtt-header-card";

export const checkedHeader = (raw: Readonly<Record<string, unknown>>): NodeConfig => ({
  type: `custom:${TYPE}`,
  ...raw,
  node: nodeOf(raw),
});

export const headerForm = (): ConfigForm =>
  configForm([nodeField(true), { name: "name", selector: { text: {} } }], { node: "form.node", name: "form.name" });

/** Offered for whatever uses a pin. */
export function suggestHeader(entityId: string): { config: Record<string, unknown> } | null {
  const found = heardOf(entityId);
  return found?.device.pins ? { config: { type: `custom:${TYPE}`, node: found.node.id } } : null;
}
