/** How old a picture is, in words. Pure. */

import type { Translate } from "../localize.js";

/** A still is told to be old from here on (s): by then a scheduled one should have come. */
export const OLD_S = 3600;

export const ageOf = (taken: string, now: number): number => Math.max(0, Math.round((now - Date.parse(taken)) / 1000));

export function ageWords(seconds: number, t: Translate): string {
  if (seconds < 120) return t("picture.seconds_old", { seconds });
  const minutes = Math.round(seconds / 60);
  if (minutes < 120) return t("picture.minutes_old", { minutes });
  const hours = Math.round(minutes / 60);
  return hours < 48 ? t("camera.hours_old", { hours }) : t("camera.days_old", { days: Math.round(hours / 24) });
}
