/** Results and values in words. */

import type { Cause, Code, Told, Value } from "./api.js";
import type { Key, Translate } from "./localize.js";

/** What an answer says of its refusal. */
export interface Refused {
  readonly code: Code | "unanswered" | null;
  readonly reason: string | null;
  readonly holder: string | null;
  /** Set where the component gave the reason: its sentence in the translations. */
  readonly reason_key?: string | null;
  readonly reason_placeholders?: Readonly<Record<string, string>> | null;
}

/** Who it was; whoever gave no name is somebody. */
export const ownerWords = (owner: string | null, t: Translate): string =>
  owner === null || owner === "anonymous" ? t("someone") : owner;

/** A refusal: our sentence for its code; the agent's own reason where the code says too little. */
export function refusalWords({ code, reason, holder, reason_key: key, reason_placeholders: values }: Refused, t: Translate): string {
  const said = key ? t.backend(`exceptions.${key}.message`, values ?? {}) : null;
  if (said !== null) return said;
  if (code === "held") return t("code.held", { holder: ownerWords(holder, t) });
  if (code === null) return reason ?? t("code.unknown");
  const words = t(`code.${code}`);
  const vague = code === "invalid" || code === "out_of_range" || code === "ttl_range" || code === "unavailable" || code === "forbidden";
  return vague && reason ? `${words} ${reason}` : words;
}

export const causeWords = (cause: Cause, t: Translate): string => t(`cause.${cause}`);

/** The wire's words that are values. */
const VALUES: Readonly<Record<string, Key>> = {
  ON: "on", true: "on", OFF: "off", false: "off", stop: "stopped", PRESS: "pressed",
  forward: "direction.forward", backward: "direction.backward", left: "direction.left", right: "direction.right",
};

function wordOf(value: string, t: Translate): string {
  const key = VALUES[value];
  return key === undefined ? value : t(key);
}

/** A value as people say it: an arrow for a drive's direction, `40 %`, `on`. */
export function valueWords(value: Value, t: Translate): string {
  if (value === null) return t("stopped");
  if (typeof value !== "object") return wordOf(String(value), t);
  const { x, y, state, brightness } = value;
  if (typeof x === "number" && typeof y === "number") return directionWords(x, y, t);
  if (state === "ON" && typeof brightness === "number") return `${Math.round(brightness / 2.55)} %`;
  return state === undefined ? JSON.stringify(value) : valueWords(state, t);
}

function directionWords(x: number, y: number, t: Translate): string {
  if (x === 0 && y === 0) return t("stopped");
  if (Math.abs(y) >= Math.abs(x)) return t(y > 0 ? "direction.forward" : "direction.backward");
  return t(x > 0 ? "direction.right" : "direction.left");
}

/** One line about what happened to an output: `Anna: forward`, `Ben: refused, Anna holds the controls`. */
export function toldWords(told: Told, t: Translate): string {
  const owner = ownerWords(told.owner, t);
  if (told.outcome === "reverted") return t("told.over", { owner, cause: told.cause === null ? "" : causeWords(told.cause, t) });
  const value = valueWords(told.value, t);
  if (told.outcome === "accepted") return t("told.done", { owner, value });
  return t("told.refused", { owner, value, reason: refusalWords(told, t) });
}
