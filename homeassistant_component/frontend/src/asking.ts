/** Ask, and have what came of it in words. */

import type { Answer } from "./api.js";
import { refusalWords } from "./answer-words.js";
import { asHassError } from "./hass.js";
import type { Translate } from "./localize.js";

/** A refusal in words; null for what was accepted. */
export function refused(answer: Answer, t: Translate): string | null {
  if (answer.outcome === "accepted") return null;
  return refusalWords({ ...answer, code: answer.code ?? (answer.outcome === "unanswered" ? "unanswered" : null) }, t);
}

/** What Home Assistant itself had against it. */
export function failed(error: unknown, t: Translate): string {
  const { code, message } = asHassError(error);
  if (code === "unauthorized") return t("code.forbidden");
  if (code === "not_connected") return t("trouble.no_broker");
  return code === 3 ? t("drive.disconnected") : `${t("trouble.refused")}: ${message || code}`;
}

/** Why an answer is a refusal, in words; empty where it was accepted. */
export async function refusal(asked: Promise<Answer>, t: Translate): Promise<string> {
  try {
    return refused(await asked, t) ?? "";
  } catch (error) {
    return failed(error, t);
  }
}
