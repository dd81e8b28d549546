/** Ask, and have what came of it in words. */

import type { Answer } from "./api.js";
import { refusalWords } from "./answer-words.js";
import { asHassError, isOurs, isOutOfReach, type HassError } from "./hass.js";
import type { Translate } from "./localize.js";

/** A refusal in words; null for what was accepted. */
export function refused(answer: Answer, t: Translate): string | null {
  if (answer.outcome === "accepted") return null;
  return refusalWords({ ...answer, code: answer.code ?? (answer.outcome === "unanswered" ? "unanswered" : null) }, t);
}

/** What was wrong, in the user's language where the component told it. */
export function why(error: HassError, t: Translate): string {
  if (isOutOfReach(error)) return t("trouble.unreached");
  return fromComponent(error, t) ?? (error.message || String(error.code));
}

/** What Home Assistant itself had against it. */
export function failed(raw: unknown, t: Translate): string {
  const error = asHassError(raw);
  const said = fromComponent(error, t);
  if (said !== null) return said;
  switch (error.code) {
    case "unauthorized":
      return t("drive.forbidden_help");
    case "not_connected":
      return t("trouble.no_broker");
    case "unknown_command":
      return t("trouble.not_set_up");
    case "invalid_format":
      return t("trouble.not_understood");
    default:
      return isOutOfReach(error) ? t("trouble.unreached") : `${t("trouble.refused")}: ${why(error, t)}`;
  }
}

function fromComponent(error: HassError, t: Translate): string | null {
  const { translation_key: key, translation_placeholders: values } = error;
  return isOurs(error) && key !== undefined ? t.backend(`exceptions.${key}.message`, values ?? {}) : null;
}

/** Why an answer is a refusal, in words; empty where it was accepted. */
export async function refusal(asked: Promise<Answer>, t: Translate): Promise<string> {
  try {
    return refused(await asked, t) ?? "";
  } catch (error) {
    return failed(error, t);
  }
}
