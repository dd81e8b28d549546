/** The pages, as Home Assistant's views. Pure: what is there goes in, configuration comes out. */

import type { FleetState, Known } from "../fleet.js";
import type { Hass } from "../hass.js";
import type { Translate } from "../localize.js";
import { byName } from "../node-config.js";
import { eachOnce } from "../camera/sources.js";
import { cameraOf, deviceCards, drivePage, GROUP_ICONS, GROUP_TITLES, groupOf, isCar, systemCards, type Card, type Group } from "./cards.js";

export interface View {
  readonly type: string;
  readonly max_columns?: number;
  readonly sections?: readonly Card[];
  readonly cards?: readonly Card[];
}

/** More Pis than these are reached from the overview instead of by a tab each. */
const TABS = 6;

const FULL = { grid_options: { columns: "full", rows: "auto" } };
const full = (card: Card): Card => ({ ...card, ...FULL });
const section = (cards: readonly Card[], over: Card = {}): Card => ({ type: "grid", cards, ...over });
const heading = (title: string, icon: string): Card => ({ type: "heading", heading: title, icon, heading_style: "title" });

export const nodePage = ({ id }: { id: string }): string => `pi-${id}`;

/** The dashboard: its pages, each a view strategy of its own, so that a page whose content is the same stays as it is. */
export function dashboard(fleet: FleetState, hass: Hass, t: Translate): { title: string; views: Card[] } {
  const nodes = byName(fleet);
  // A tab with an icon shows no title: only the pages that there is one of have icons.
  const view = (title: string, path: string, strategy: Card, over: Card = {}): Card => ({ title, path, strategy, ...over });
  const hidden = nodes.length > TABS ? { subview: true } : {};
  return {
    title: "pimqtt",
    views: [
      view(t("page.overview"), "overview", { type: "custom:pimqtt-overview" }, { icon: "mdi:view-dashboard" }),
      ...nodes.map((node) => view(node.name, nodePage(node), { type: "custom:pimqtt-node", node: node.id }, hidden)),
      ...nodes.flatMap((node) => node.devices.filter(isCar).map((car) =>
        view(carTitle(node, car.name, nodes), drivePage(node, car), { type: "custom:pimqtt-drive", node: node.id, device: car.id }))),
      ...(allCameras(fleet, hass).length > 0 ? [view(t("page.cameras"), "cameras", { type: "custom:pimqtt-cameras" }, { icon: "mdi:cctv" })] : []),
      view(t("page.fleet"), "fleet", { type: "custom:pimqtt-fleet" }, { icon: "mdi:server-network" }),
    ],
  };
}

/** Keep every page of `before` at its place: Home Assistant knows the open page by its number, and a page that moved would
 * replace it, under the hands of whoever drives there. New pages follow; one that is gone keeps its place without a tab. */
export function arranged(views: readonly Card[], before: readonly Card[]): Card[] {
  const kept = before.map((old) => views.find(({ path }) => path === old["path"]) ?? { ...old, subview: true });
  return [...kept, ...views.filter(({ path }) => !before.some((old) => old["path"] === path))];
}

/** A car is named with its Pi where another has a car of that name. */
const carTitle = (node: Known, name: string, nodes: readonly Known[]): string =>
  nodes.flatMap(({ devices }) => devices.filter((each) => isCar(each) && each.name === name)).length > 1 ? `${name} (${node.name})` : name;

export function overview(fleet: FleetState): View {
  const nodes = byName(fleet);
  if (nodes.length === 0) return { type: "sections", max_columns: 2, sections: [section([full({ type: "custom:pimqtt-first-steps-card" })], { column_span: 2 })] };
  const nodeCards = nodes.map(({ id }) => section([full({ type: "custom:pimqtt-node-card", node: id, page: nodePage({ id }) })]));
  return {
    type: "sections",
    max_columns: 3,
    sections: [section([full({ type: "custom:pimqtt-stop-card" }), full({ type: "custom:pimqtt-attention-card" })]), ...nodeCards],
  };
}

export function node(fleet: FleetState, hass: Hass, id: string, t: Translate, go: (page: string) => Card): View {
  const found = fleet.nodes.get(id);
  const glance = section([full({ type: "custom:pimqtt-node-card", node: id }), full({ type: "custom:pimqtt-stop-card", node: id })]);
  if (!found) return { type: "sections", max_columns: 3, sections: [glance] };
  const cameras = cameraIds(hass, [found]);
  const pictures = cameras.length > 0 ? [section([full({ type: "custom:pimqtt-camera-card", entities: cameras })])] : [];
  const sections = (...groups: Group[]): Card[] => {
    const cards = groups.flatMap((group) => groupCards(hass, found, group, t, go));
    return cards.length > 0 ? [section(cards)] : [];
  };
  // The header is as high as two of the others are, and stands beside them.
  const header = section([full({ type: "custom:pimqtt-header-card", node: id, name: t("page.header") })], { row_span: 2 });
  return { type: "sections", max_columns: 3, sections: [glance, ...pictures, ...sections("outputs", "inputs"), header, ...sections("motion"), ...sections("system")] };
}

function groupCards(hass: Hass, found: Known, group: Group, t: Translate, go: (page: string) => Card): Card[] {
  const devices = found.devices.filter((device) => groupOf(device) === group);
  const cards = devices.flatMap((device) => (group === "system" ? systemCards(hass, device) : deviceCards(hass, found, device, go)));
  return cards.length > 0 ? [heading(t(GROUP_TITLES[group]), GROUP_ICONS[group]), ...cards] : [];
}

/** A car's page. Only what never changes stands on it: the drive card stays connected whatever comes or goes elsewhere. */
export function drive(fleet: FleetState, id: string, deviceId: string, t: Translate): View {
  const car = fleet.nodes.get(id)?.devices.find((device) => device.id === deviceId);
  const entity = car && isCar(car) ? car.entities.find(({ key }) => key === null || key === "")?.entity_id : null;
  const missing: Card = { type: "markdown", content: t("page.no_car", { device: deviceId, node: id }) };
  return {
    type: "sections",
    max_columns: 3,
    sections: [
      section([full(entity ? { type: "custom:pimqtt-drive-card", entity } : missing)], { column_span: 2 }),
      section([full({ type: "custom:pimqtt-stop-card", node: id }), full({ type: "custom:pimqtt-node-card", node: id, page: nodePage({ id }) })]),
    ],
  };
}

export const cameras = (fleet: FleetState, hass: Hass): View => ({
  type: "panel",
  cards: [{ type: "custom:pimqtt-camera-card", entities: allCameras(fleet, hass) }],
});

export const fleet = (): View => ({
  type: "sections",
  max_columns: 3,
  sections: [
    section([full({ type: "custom:pimqtt-fleet-card", pages: true })], { column_span: 2 }),
    section([full({ type: "custom:pimqtt-attention-card" }), full({ type: "custom:pimqtt-first-steps-card", more: true })]),
  ],
});

const cameraIds = (hass: Hass, nodes: readonly Known[]): string[] =>
  eachOnce(nodes.flatMap(({ devices }) => devices.flatMap((device) => cameraOf(hass, device) ?? [])), hass);

const allCameras = (state: FleetState, hass: Hass): string[] => cameraIds(hass, byName(state));
