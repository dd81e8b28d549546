/** What the dashboard is built from: which nodes, devices and entities there are, whatever their states. */

import { fleetOf, type FleetState } from "../fleet.js";
import type { Hass } from "../hass.js";

const shapes = new WeakMap<FleetState["nodes"], string>();

/** What makes two fleets the same dashboard; reckoned once for each word of the component. */
export function shapeOf({ nodes }: FleetState): string {
  let shape = shapes.get(nodes);
  if (shape === undefined) {
    const parts = [...nodes.values()].map(({ id, name, device_id, devices }) => [
      id, name, device_id,
      devices.map((device) => [device.id, device.kind, device.name, device.device_id, device.entities.map(({ key, entity_id, platform, motion }) => [key, entity_id, platform, motion])]),
    ]);
    shapes.set(nodes, (shape = JSON.stringify(parts)));
  }
  return shape;
}

/** The shape that each page was last built from. */
const built = new Map<string, string>();

export const pageKey = (config: Readonly<Record<string, unknown>>): string => JSON.stringify([config["type"], config["node"], config["device"]]);

export const wasBuilt = (page: string, fleet: FleetState): void => {
  built.set(page, shapeOf(fleet));
};

/** Whether a page has to be built again. Asked at every change of Home Assistant's state: comparisons only. */
export function isOutdated(page: string, old: Hass, hass: Hass): boolean {
  if (old.entities !== hass.entities || old.devices !== hass.devices) return true;
  if (old.language !== hass.language) return true;
  const { state } = fleetOf(hass.connection);
  return state.live && built.get(page) !== shapeOf(state);
}
