/** What an emergency stop holds. Pure. */

import { byName } from "../node-config.js";
import type { FleetState, Known } from "../fleet.js";
import type { StopConfig } from "./config.js";

/** A place that is latched: a whole node, or a device of it. */
export interface Latched {
  readonly node: Known;
  readonly device: string | null;
  readonly name: string;
}

const ofNode = (node: Known): Latched[] => {
  if (node.latched) return [{ node, device: null, name: node.name }];
  const latched = node.devices.filter((device) => device.latched);
  return latched.map(({ id, name }) => ({ node, device: id, name: `${node.name}: ${name}` }));
};

/** The latches that concern a card: a node's holds its devices, too. */
export function latchesOf(fleet: FleetState, { node, device }: Pick<StopConfig, "node" | "device">): Latched[] {
  const all = byName(fleet).filter(({ id }) => node === undefined || id === node).flatMap(ofNode);
  return device === undefined ? all : all.filter((each) => each.device === null || each.device === device);
}

/** Whether nothing that the card is about can move: all of it is latched, so that another stop would change nothing. */
export function allLatched(fleet: FleetState, config: Pick<StopConfig, "node" | "device">): boolean {
  if (config.device !== undefined) return latchesOf(fleet, config).length > 0;
  const nodes = byName(fleet).filter(({ id }) => config.node === undefined || id === config.node);
  return nodes.length > 0 && nodes.every((node) => node.latched || !node.online) && nodes.some((node) => node.latched);
}
