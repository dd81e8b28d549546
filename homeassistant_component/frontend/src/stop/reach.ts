/** Whether an emergency stop would reach what it is for. Pure. */

import type { FleetState } from "../fleet.js";
import type { Translate } from "../localize.js";
import { byName } from "../node-config.js";
import { nodeTrouble } from "../node-trouble.js";
import { fleetTrouble } from "../trouble.js";
import type { StopConfig } from "./config.js";

type Where = Pick<StopConfig, "node" | "device">;

export interface Reach {
  /** Why nobody would hear it, in words; null where somebody does. */
  readonly trouble: string | null;
  /** Who would not. */
  readonly away: readonly string[];
}

/** What a stop is for by name; null for all, and for what nobody has heard of. */
export function nameOf(fleet: FleetState, { node, device }: Where): string | null {
  const known = fleet.nodes.get(node ?? "");
  if (!known) return node ?? null;
  const found = known.devices.find(({ id }) => id === device);
  return device === undefined ? known.name : `${known.name}: ${found?.name ?? device}`;
}

export function reachOf(fleet: FleetState, where: Where, t: Translate): Reach {
  const trouble = fleetTrouble(fleet, t);
  if (trouble) return nobody(trouble.title);
  if (!fleet.live) return nobody(t("drive.disconnected"));
  return where.node === undefined ? ofAll(fleet, t) : ofOne(fleet, where.node, where.device, t);
}

const nobody = (trouble: string): Reach => ({ trouble, away: [] });

function ofAll(fleet: FleetState, t: Translate): Reach {
  const nodes = byName(fleet);
  const away = nodes.filter(({ online }) => !online).map(({ name }) => name);
  if (nodes.length === 0) return nobody(t("fleet.none"));
  if (away.length < nodes.length) return { trouble: null, away };
  const [name = ""] = away;
  return nobody(away.length === 1 ? t("trouble.offline", { name }) : t("stop.none_reached", { names: away.join(", ") }));
}

function ofOne(fleet: FleetState, node: string, device: string | undefined, t: Translate): Reach {
  const known = fleet.nodes.get(node);
  if (!known) return nobody(nodeTrouble(node, t).title);
  if (!known.online) return nobody(t("trouble.offline", { name: known.name }));
  if (device === undefined) return { trouble: null, away: [] };
  const found = known.devices.find(({ id }) => id === device);
  if (!found) return nobody(t("stop.no_device", { name: known.name, device }));
  return { trouble: found.online ? null : t("trouble.offline", { name: found.name }), away: [] };
}
