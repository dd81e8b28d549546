/** How a node is, in an icon and a few words. */

import type { Known } from "../fleet.js";
import type { Hass } from "../hass.js";
import type { Icon } from "../icons.js";
import { moment, type Translate } from "../localize.js";
import { problemsOf } from "../problems.js";

export interface Health {
  readonly kind: "ok" | "warn" | "bad";
  readonly icon: Icon;
  readonly words: string;
}

export function healthOf(node: Known, hass: Hass, t: Translate): Health {
  const since = node.since === null ? null : moment(node.since, hass);
  if (!node.online) return { kind: "bad", icon: "offline", words: since === null ? t("health.offline") : t("health.lost", { since }) };
  if (!node.supported) return { kind: "bad", icon: "alert", words: t("health.protocol") };
  if (node.latched || node.devices.some(({ latched }) => latched)) return { kind: "bad", icon: "stop", words: t("stop.latched") };
  if (node.problem || (node.problems ?? []).length > 0 || node.devices.some(({ online }) => !online)) return { kind: "warn", icon: "alert", words: t("health.problem") };
  return { kind: "ok", icon: "ok", words: since === null ? t("health.online") : t("health.online_since", { since }) };
}

/** What is wrong with it: what its agent tells, and what the component found. */
export const troubles = (node: Known, t: Translate): string[] =>
  [node.problem ?? "", ...problemsOf(node, t).map(({ title }) => title)].filter((line) => line !== "");
