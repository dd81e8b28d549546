/** Pins in words. */

import { isKey, type Translate } from "../localize.js";
import type { HeaderPin } from "./table.js";
import { inConflict, type Use } from "./uses.js";

/** `GPIO17`, or what the pin is where it is none. */
export const pinName = ({ line, usual }: HeaderPin): string => (line === null ? usual : `GPIO${line}`);

export function levelWords({ level, mode }: Pick<Use, "level" | "mode">, t: Translate): string {
  if (level === null) return t("header.level_unknown");
  if (mode === "pwm" && level > 0 && level < 1) return `${Math.round(level * 100)} %`;
  return t(level > 0 ? "header.high" : "header.low");
}

/** A sign as short as the drawing wants it: `1`, `0`, `40%`. */
export function levelSign({ level, mode }: Pick<Use, "level" | "mode">): string {
  if (level === null) return "";
  return mode === "pwm" && level > 0 && level < 1 ? `${Math.round(level * 100)}%` : level > 0 ? "1" : "0";
}

/** Parts of a role that say nothing: a switch's `pin`, a light's `rgb.red`. */
const SILENT = new Set(["", "pin", "rgb"]);

function rolePart(part: string, t: Translate): string {
  const key = `role.${part}`;
  return isKey(key) ? t(key) : part;
}

/** A device and, where it says more, the role: `Pump`, `Car left forward`. */
export function useWords({ name, role }: Use, t: Translate): string {
  const parts = role.split(".").filter((part) => !SILENT.has(part));
  return [name, ...parts.map((part) => rolePart(part, t))].join(" ");
}

/** What kind of device it is; a kind of somebody else's in its own words. */
export function kindWords(kind: string, t: Translate): string {
  const key = `kind.${kind}`;
  return isKey(key) ? t(key) : kind.replaceAll("_", " ");
}

/** All about a pin in one line, as a screen reader says it. */
export function pinWords(pin: HeaderPin, uses: readonly Use[], t: Translate): string {
  const name = pin.line !== null && pin.usual ? `${pinName(pin)} (${pin.usual})` : pinName(pin);
  const said = [t("header.pin", { pin: pin.pin }), name];
  if (pin.line === null) return said.join(", ");
  if (inConflict(uses)) said.push(t("header.conflict"));
  if (uses.length === 0) said.push(t(pin.kind === "id" ? "header.keep_free" : "header.free"));
  for (const use of uses) {
    said.push(useWords(use, t));
    if (use.mode) said.push(t(`header.mode.${use.mode}`));
    if (use.level !== null) said.push(levelWords(use, t));
  }
  return said.join(", ");
}
