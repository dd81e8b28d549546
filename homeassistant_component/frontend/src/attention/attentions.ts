/** What needs somebody's attention now. Repairs are Home Assistant's; these are the states that pass. Pure. */

import { toldWords } from "../answer-words.js";
import type { Device } from "../api.js";
import { outputs, type FleetState, type Known } from "../fleet.js";
import type { Hass } from "../hass.js";
import type { Icon } from "../icons.js";
import { moment, type Translate } from "../localize.js";
import { byName } from "../node-config.js";
import { problemsOf } from "../problems.js";
import { latchesOf } from "../stop/latches.js";
import { isOlder, newest } from "../versions.js";

export interface Attention {
  /** What tells one from another. */
  readonly key: string;
  readonly weight: "bad" | "warn" | "info";
  readonly icon: Icon;
  readonly title: string;
  readonly help: string;
}

/** A refusal is of interest for so long (ms). */
const LATELY_MS = 10 * 60_000;
const REFUSALS = 5;
const WEIGHTS = ["bad", "warn", "info"] as const;

/** All of it, the worst first. */
export function attentions(fleet: FleetState, hass: Hass, t: Translate, now: number): Attention[] {
  const nodes = byName(fleet);
  const latest = newest(nodes.map(({ version }) => version));
  const found = [
    ...latchesOf(fleet, {}).map(({ node, device, name }): Attention => ({
      key: `latch ${node.id} ${device ?? ""}`, weight: "bad", icon: "stop", title: t("attention.latched", { name }), help: t("stop.latched_help"),
    })),
    ...nodes.flatMap((node) => ofNode(node, hass, t)),
    ...refusals(fleet, hass, t, now),
    ...nodes.filter(({ version }) => isOlder(version, latest)).map(({ id, name, version }): Attention => ({
      key: `version ${id}`, weight: "info", icon: "update",
      title: t("attention.old", { name, version: version ?? "?" }), help: t("attention.old_help", { latest: latest ?? "?" }),
    })),
  ];
  return found.sort((a, b) => WEIGHTS.indexOf(a.weight) - WEIGHTS.indexOf(b.weight));
}

function ofNode(node: Known, hass: Hass, t: Translate): Attention[] {
  const { id, name } = node;
  if (!node.online) {
    const title = node.since === null ? t("trouble.offline", { name }) : t("trouble.offline_since", { name, since: moment(node.since, hass) });
    return [{ key: `offline ${id}`, weight: "bad", icon: "offline", title, help: t("trouble.offline_help") }];
  }
  const found: Attention[] = [];
  if (!node.supported)
    found.push({ key: `protocol ${id}`, weight: "bad", icon: "alert", title: t("trouble.protocol", { name }), help: t("trouble.protocol_help", { version: node.version ?? "?" }) });
  if (node.problem)
    found.push({ key: `problem ${id}`, weight: "warn", icon: "alert", title: t("attention.problem", { name }), help: node.problem });
  for (const { key, title, help } of problemsOf(node, t)) found.push({ key: `${key} ${id}`, weight: "warn", icon: "alert", title, help });
  return [...found, ...node.devices.filter(({ online }) => !online).map((device) => unreachable(node, device, t))];
}

const unreachable = (node: Known, device: Device, t: Translate): Attention => ({
  key: `device ${node.id} ${device.id}`, weight: "warn", icon: "offline",
  title: t("trouble.offline", { name: device.name }), help: t("trouble.device_help", { name: node.name }),
});

/** The newest refusal of each output, where it was lately. */
function refusals(fleet: FleetState, hass: Hass, t: Translate, now: number): Attention[] {
  const found: { at: number; attention: Attention }[] = [];
  for (const { device, entity } of outputs(fleet)) {
    const told = entity.last.find(({ outcome }) => outcome === "rejected");
    const at = told ? Date.parse(told.at) : NaN;
    if (!told || !(now - at < LATELY_MS)) continue;
    const title = t("attention.refused", { name: device.name, at: moment(told.at, hass) });
    found.push({ at, attention: { key: `refused ${entity.unique_id}`, weight: "info", icon: "hand", title, help: toldWords(told, t) } });
  }
  return found.sort((a, b) => b.at - a.at).slice(0, REFUSALS).map(({ attention }) => attention);
}
