/** The stop card's configuration: all, a node, or a device of it. */

import { ConfigError, type CardConfig } from "../base-card.js";
import { configForm, type ConfigForm } from "../forms.js";
import { pageTranslator } from "../localize.js";
import { heardOf, idOf, nodeField } from "../node-config.js";

export interface StopConfig extends CardConfig {
  readonly node?: string;
  readonly device?: string;
}

export const TYPE = "pimqtt-stop-card";

export function checkedStop(raw: Readonly<Record<string, unknown>>): StopConfig {
  const node = idOf(raw, "node");
  const device = idOf(raw, "device");
  if (device !== undefined && node === undefined) throw new ConfigError(pageTranslator()("config.device_alone"));
  const { name } = raw;
  return {
    type: `custom:${TYPE}`,
    ...(typeof name === "string" && name !== "" ? { name } : {}),
    ...(node === undefined ? {} : { node }),
    ...(device === undefined ? {} : { device }),
  };
}

export const stopForm = (): ConfigForm =>
  configForm(
    [nodeField(false), { name: "device", selector: { text: {} } }, { name: "name", selector: { text: {} } }],
    { node: "form.node", device: "form.device", name: "form.name" },
    { node: "form.stop_node_help", device: "form.stop_device_help" },
  );

/** Offered for an output that moves: its device's own stop. */
export function suggestStop(entityId: string): { config: Record<string, unknown> } | null {
  const found = heardOf(entityId);
  if (!found?.entity.command || found.entity.motion === null) return null;
  return { config: { type: `custom:${TYPE}`, node: found.node.id, device: found.device.id } };
}
