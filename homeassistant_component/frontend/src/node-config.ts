/** Configurations that name a node, or a node's device. */

import { ConfigError, type CardConfig } from "./base-card.js";
import { find, lastHeard, type FleetState, type Found, type Known } from "./fleet.js";
import type { Field } from "./forms.js";
import type { Hass } from "./hass.js";
import { pageTranslator } from "./localize.js";
import { presentFleet } from "./present-fleet.js";

export interface NodeConfig extends CardConfig {
  readonly node: string;
}

type Raw = Readonly<Record<string, unknown>>;

const ID = /^[a-z0-9_-]+$/;

/** Read an id that may be left out. */
export function idOf(config: Raw, name: "node" | "device"): string | undefined {
  const id = config[name];
  if (id === undefined || id === null || id === "") return undefined;
  if (typeof id === "string" && ID.test(id)) return id;
  throw new ConfigError(pageTranslator()("config.bad_id", { name, id: JSON.stringify(id) }));
}

/** Read the node, or say that it is missing. */
export function nodeOf(config: Raw): string {
  const node = idOf(config, "node");
  if (node === undefined) throw new ConfigError(pageTranslator()("config.no_node"));
  return node;
}

/** All nodes, by name. */
export const byName = ({ nodes }: FleetState): Known[] =>
  [...nodes.values()].sort((a, b) => a.name.localeCompare(b.name) || a.id.localeCompare(b.id));

/** What a new card about a Pi starts with: the first that is known. */
export const stubNode = async (hass: Hass): Promise<{ node: string }> => ({ node: byName(await presentFleet(hass.connection))[0]?.id ?? "" });

/** A field to choose a node in; its id can be typed, too. */
export const nodeField = (required: boolean): Field => ({
  name: "node",
  required,
  selector: {
    select: {
      mode: "dropdown",
      custom_value: true,
      options: byName(lastHeard()).map(({ id, name }) => ({ value: id, label: name === id ? id : `${name} (${id})` })),
    },
  },
});

/** The output, or the input, that an entity of Home Assistant's is; null where nothing was heard of it. */
export const heardOf = (entityId: string): Found | null => find(lastHeard(), entityId);
