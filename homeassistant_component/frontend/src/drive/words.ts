/** What the drive card says: who holds, and what stands in the way. */

import { refusalWords } from "../answer-words.js";
import type { Hass } from "../hass.js";
import { moment, type Key, type Translate } from "../localize.js";
import type { Driving } from "./driving.js";
import type { Holding } from "./holder.js";

/** After so long without an answer we say so (ms). */
const SILENT_MS = 1000;

/** The state in two or three words, for the chip. */
export function chipWords(state: Holding, t: Translate): string {
  if (state.kind === "held") return t("drive.held", { holder: state.by });
  return t(`drive.${state.kind}` satisfies Key);
}

/** One sentence on why nothing moves, or what to do; empty where all is well. */
export function stateSentence(state: Holding, hass: Hass, t: Translate): string {
  switch (state.kind) {
    case "mine":
    case "free":
      return "";
    case "held":
      return state.shared ? t("drive.held_shared", { holder: state.by }) : t("drive.held_help", { holder: state.by });
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

/** What the user should read now: the newest refusal, else what the state says. */
export function sentence(driving: Driving, state: Holding, hass: Hass, t: Translate): string {
  const { takeOver, refusal, error, sender } = driving;
  if (takeOver.step === "asking") return t("drive.taking");
  if (takeOver.step === "refused") return t("drive.take_refused", { reason: takeOver.reason });
  if (takeOver.step === "done") return t("drive.taken");
  if (error && error.code !== "unauthorized") return `${t("trouble.refused")}: ${error.message}`;
  if (sender.driving && sender.last === "stalled") return t("drive.stalled");
  if (sender.driving && sender.silence(performance.now()) > SILENT_MS) return t("code.unanswered");
  const said = stateSentence(state, hass, t);
  if (refusal && !(said && refusal.code === state.kind)) return refusalWords(refusal, t);
  return said;
}
