/** Our texts in the user's language; English where there is none. */

import type { Hass } from "./hass.js";
import { de } from "./strings/de.js";
import { en, type Key } from "./strings/en.js";

export type { Key };

/** Says a text of the component's own translations (`exceptions`, `issues`); null where Home Assistant has none. */
export type Backend = (path: string, placeholders: Readonly<Record<string, string>>) => string | null;

export interface Translate {
  (key: Key, values?: Readonly<Record<string, string | number>>): string;
  readonly backend: Backend;
}

const LANGUAGES: Readonly<Record<string, Readonly<Record<Key, string>>>> = { en, de };

/** Whether there is such a text: of words that a Pi sends, we know some. */
export const isKey = (key: string): key is Key => key in en;

/** A translator; the language may bear a region (`de-CH`). */
export function translator(language: string, backend: Backend = () => null): Translate {
  const texts = LANGUAGES[language.split("-")[0]?.toLowerCase() ?? ""] ?? en;
  const translate = (key: Key, values: Readonly<Record<string, string | number>> = {}): string =>
    texts[key].replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
  return Object.assign(translate, { backend });
}

/** A translator for a card, with the component's own texts as soon as Home Assistant has loaded them. */
export function cardTranslator(hass: Hass, current: () => Hass | undefined): Translate {
  // Where they can't be had the English sentence that came is shown.
  for (const category of ["exceptions", "issues"]) hass.loadBackendTranslation?.(category, "pimqtt").catch(() => undefined);
  return translator(hass.language, (path, placeholders) => {
    const said = current()?.localize?.(`component.pimqtt.${path}`, placeholders) ?? "";
    return said === "" ? null : said;
  });
}

/** The page's language, for places that Home Assistant hands no `hass` (lists of cards, form schemas). */
export const pageTranslator = (): Translate => translator(document.documentElement.lang || navigator.language);

/** A moment as the user reads it: the time, with the day where it is not today. */
export function moment(iso: string, hass: Hass, now = new Date()): string {
  const at = new Date(iso);
  if (Number.isNaN(at.getTime())) return iso;
  const { time_format: format, time_zone: zone } = hass.locale ?? {};
  const options: Intl.DateTimeFormatOptions = { hour: "numeric", minute: "2-digit" };
  if (format === "12" || format === "24") options.hour12 = format === "12";
  if (zone === "server" && hass.config?.time_zone) options.timeZone = hass.config.time_zone;
  const day = new Intl.DateTimeFormat(hass.language, { ...options, dateStyle: undefined, day: "numeric", month: "short" });
  const time = new Intl.DateTimeFormat(hass.language, options);
  return at.toDateString() === now.toDateString() ? time.format(at) : day.format(at);
}

/** A time left as a clock shows it: `45 s`, `4:59`, `1:02:03`. */
export function countdown(seconds: number): string {
  const whole = Math.ceil(seconds);
  if (whole < 60) return `${whole} s`;
  const two = (part: number): string => String(part % 60).padStart(2, "0");
  const minutes = Math.floor(whole / 60);
  return minutes < 60 ? `${minutes}:${two(whole)}` : `${Math.floor(minutes / 60)}:${two(minutes)}:${two(whole)}`;
}
