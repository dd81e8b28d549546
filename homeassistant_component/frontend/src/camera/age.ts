/** How old a picture is, in words, as a label on it. Pure. */

import { css, html, type TemplateResult } from "lit";
import type { Translate } from "../localize.js";

export const ageOf = (taken: string, now: number): number => Math.max(0, Math.round((now - Date.parse(taken)) / 1000));

export function ageWords(seconds: number, t: Translate): string {
  if (seconds < 120) return t("picture.seconds_old", { seconds });
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return t("picture.minutes_old", { minutes });
  const hours = Math.round(minutes / 60);
  return hours < 48 ? t("camera.hours_old", { hours }) : t("camera.days_old", { days: Math.round(hours / 24) });
}

/** At the foot of a picture: cameras write their own words at its head. */
export const ageStyles = css`
  .age {
    position: absolute; inset-block-end: 8px; inset-inline-start: 8px; padding: 2px 8px; border-radius: 10px;
    background: #000c; color: #fff; font-size: 12px; font-variant-numeric: tabular-nums; pointer-events: none;
  }
  .age.old { background: #8a4b00; }
`;

export const ageLabel = (words: string, isOld = false): TemplateResult => html`<span class="age ${isOld ? "old" : ""}">${words}</span>`;
