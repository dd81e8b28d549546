/** What the drive card says: who holds, and what stands in the way. */

import { ownerWords, refusalWords } from "../answer-words.js";
import { failed, why } from "../asking.js";
import type { Hass, HassError } from "../hass.js";
import { moment, type Key, type Translate } from "../localize.js";
import type { Driving, Refusal } from "./driving.js";
import { anyPlugged } from "./gamepad-input.js";
import type { Holding } from "./holder.js";
import type { Inputs } from "./inputs.js";
import { ENDED } from "./session.js";

/** After so long without an answer we say so (ms). */
const SILENT_MS = 1000;

/** The state in two or three words, for the chip. */
export function chipWords(state: Holding, t: Translate): string {
  if (state.kind === "held") return t("drive.held", { holder: ownerWords(state.by, t) });
  return t(`drive.${state.kind}` satisfies Key);
}

/** One sentence on why nothing moves, or what to do; empty where all is well. */
export function stateSentence(state: Holding, hass: Hass, t: Translate): string {
  switch (state.kind) {
    case "mine":
    case "free":
      return "";
    case "held":
      return t(state.shared ? "drive.held_shared" : "drive.held_help", { holder: ownerWords(state.by, t) });
    case "offline":
      return state.since === null
        ? t("trouble.offline", { name: state.name })
        : t("trouble.offline_since", { name: state.name, since: moment(state.since, hass) });
    case "latched":
      return t(state.by === "node" ? "drive.latched_node" : "drive.latched_device");
    case "disconnected":
    case "forbidden":
    case "let_go":
    case "not_armed":
      return t(`drive.${state.kind}_help` satisfies Key);
  }
}

/** What is to be said of gamepads; null where none is in sight. */
export function gamepadHint({ inUse, readsGamepads }: Inputs): Key | null {
  if (!("getGamepads" in navigator)) return inUse ? "drive.no_gamepad" : null;
  if (!anyPlugged()) return null;
  return readsGamepads ? "drive.hint_gamepad" : "drive.hint_gamepad_focus";
}

/** What state shows the cause of a refusal. */
const CAUSES: Partial<Record<Refusal["code"], Holding["kind"]>> = {
  held: "held", let_go: "let_go", latched: "latched", not_armed: "not_armed", unavailable: "offline",
};
/** A refusal whose cause the state does not show is told so long; one whose cause no state shows, so long (ms). */
const PAST_MS = 2000;
const UNSEEN_MS = 10_000;

/** The newest refusal, while its cause lasts. */
export function lasting({ refusal, standing }: Driving, state: Holding, now_ms: number): Refusal | null {
  if (!refusal) return null;
  const cause = CAUSES[refusal.code];
  const since_ms = now_ms - standing.refused_ms;
  return cause === state.kind || since_ms < (cause === undefined ? UNSEEN_MS : PAST_MS) ? refusal : null;
}

/** Why there is no session, or what was sent did not get through. */
export const errorWords = (error: HassError, t: Translate): string =>
  error.code === ENDED ? t("drive.ended", { reason: why(error, t) }) : failed(error, t);

/** What the user should read now: the newest refusal, else what the state says. */
export function sentence(driving: Driving, state: Holding, hass: Hass, t: Translate): string {
  const { takeOver, error, sender } = driving;
  const now = performance.now();
  const refusal = lasting(driving, state, now);
  if (takeOver.step === "asking") return t("drive.taking");
  if (takeOver.step === "refused" && refusal) return t("drive.take_refused", { reason: refusalWords(refusal, t) });
  if (takeOver.step === "done") return t("drive.taken");
  if (error && error.code !== "unauthorized") return errorWords(error, t);
  if (sender.driving && sender.last === "stalled") return t("drive.stalled");
  if (sender.driving && sender.silence(now) > SILENT_MS) return t("code.unanswered");
  const said = stateSentence(state, hass, t);
  if (refusal && !(said && refusal.code === state.kind)) return refusalWords(refusal, t);
  return said;
}
