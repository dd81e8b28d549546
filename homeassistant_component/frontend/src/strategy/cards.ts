/** Cards for what is there: each device by what it does, each entity by Home Assistant's own tile or one of ours. Pure. */

import type { Device, Entity, Node } from "../api.js";
import type { Hass } from "../hass.js";
import type { Key } from "../localize.js";

export type Card = Readonly<Record<string, unknown>>;

export type Group = "outputs" | "motion" | "inputs" | "system";

export const GROUP_TITLES: Readonly<Record<Group, Key>> = {
  outputs: "page.outputs", motion: "page.motion", inputs: "page.inputs", system: "page.system",
};
export const GROUP_ICONS: Readonly<Record<Group, string>> = {
  outputs: "mdi:power-socket", motion: "mdi:engine", inputs: "mdi:import", system: "mdi:chip",
};

const isMain = ({ key }: Entity): boolean => key === null || key === "";
const main = (device: Device): Entity | undefined => device.entities.find(isMain);

/** Where a device belongs; cameras are shown as pictures. */
export function groupOf(device: Device): Group | null {
  if (device.kind === "camera") return null;
  if (device.id === "system") return "system";
  const motion = main(device)?.motion;
  if (motion === "level") return "outputs";
  return motion ? "motion" : "inputs";
}

/** An entity that Home Assistant shows now; one that is disabled or gone costs nobody the page. */
function shown(hass: Hass, entity: Entity | undefined): string | null {
  const id = entity?.entity_id;
  if (!id) return null;
  const entry = hass.entities[id];
  return (entry && entry.hidden !== true) || (!entry && hass.states[id]) ? id : null;
}

/** A tile; a button's is pressed by a tap, and has no state worth a line. */
function tile(entity: string, over: Card = {}): Card {
  const press = { action: "perform-action", perform_action: "button.press", target: { entity_id: entity } };
  const button = entity.startsWith("button.") ? { hide_state: true, tap_action: press, icon_tap_action: press } : {};
  return { type: "tile", entity, ...button, ...over };
}

/** The page where a car is driven. */
export const drivePage = (node: Node, device: Device): string => `drive-${node.id}-${device.id}`;

export const isCar = (device: Device): boolean => device.kind === "drive" && main(device)?.motion === "continuous";

/** The cards of one device. */
export function deviceCards(hass: Hass, node: Node, device: Device, go: (page: string) => Card): Card[] {
  const id = shown(hass, main(device));
  const others = device.entities.filter((entity) => !isMain(entity)).map((entity) => ({ entity, id: shown(hass, entity) }));
  const rest = others.flatMap(({ entity, id: other }) => (other && !isDirection(entity) ? [tile(other)] : []));
  if (id === null) return rest;
  const group = groupOf(device);
  if (group === "outputs") return [{ type: "custom:pimqtt-lease-card", entity: id, name: device.name }, ...rest];
  if (group !== "motion") return [tile(id), ...rest];
  if (isCar(device)) return inLines([tile(id, { name: device.name, icon: "mdi:car", tap_action: go(drivePage(node, device)) }), ...rest], 1);
  const slides = isNumber(id);
  return inLines([tile(id, { name: device.name, ...(slides ? SLIDER : {}) }), ...rest], slides ? 2 : 1);
}

const SLIDER: Card = { features: [{ type: "numeric-input", style: "slider" }] };
const isNumber = (id: unknown): boolean => String(id).startsWith("number.");

/** Two tiles a line, the first line so many rows high. An odd last one has its line alone: another device begins another. */
function inLines(cards: readonly Card[], rows: number): Card[] {
  return cards.map((card, index) => {
    const alone = index === cards.length - 1 && index % 2 === 0;
    const inline = alone && index > 0 && isNumber(card["entity"]) ? { ...SLIDER, features_position: "inline" } : {};
    return { ...card, ...inline, grid_options: { columns: alone ? 12 : 6, rows: index < 2 ? rows : 1 } };
  });
}

/** A car's directions are buttons for automations; a page drives by its joystick. */
const isDirection = ({ key, platform }: Entity): boolean =>
  platform === "button" && ["forward", "backward", "left", "right"].includes(key ?? "");

/** The Pi's own readings, in one list. */
export function systemCards(hass: Hass, device: Device): Card[] {
  const ids = device.entities.map((entity) => shown(hass, entity)).filter((id) => id !== null);
  // The list is the Pi's: the entities' own names are enough.
  const rows = ids.map((id) => ({ entity: id, ...(hass.entities[id]?.name ? { name: hass.entities[id].name } : {}) }));
  return rows.length > 0 ? [{ type: "entities", entities: rows, show_header_toggle: false }] : [];
}

/** The camera that shows a device's pictures; null where it is none, or not shown. */
export function cameraOf(hass: Hass, device: Device): string | null {
  return shown(hass, device.entities.find(({ platform }) => platform === "camera"));
}
