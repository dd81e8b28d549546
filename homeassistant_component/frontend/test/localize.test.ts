import { expect, test } from "vitest";
import { countdown, moment, pageTranslator, translator } from "../src/localize.js";
import { de } from "../src/strings/de.js";
import { en, type Key } from "../src/strings/en.js";
import { FakeConnection, home } from "./home.js";

const KEYS = Object.keys(en) as Key[];

const FILES = import.meta.glob<string>("../src/**/*.ts", { query: "?raw", import: "default", eager: true });

/** All sources but the strings themselves. */
const sources = (): string =>
  Object.entries(FILES).filter(([name]) => !name.includes("/strings/")).map(([, text]) => text).join("\n");

test("English and German have the same keys in the same order", () => {
  expect(Object.keys(de)).toEqual(KEYS);
});

test.each(KEYS)("%s: no text is empty, and both name the same placeholders", (key) => {
  const names = (text: string) => [...new Set(text.match(/\{\w+\}/g) ?? [])].sort();
  expect(en[key].trim()).not.toBe("");
  expect(de[key].trim()).not.toBe("");
  expect(names(de[key])).toEqual(names(en[key]));
});

test("every key is used", () => {
  const text = sources();
  const started = (key: string) => [...key.matchAll(/\./g)].some(({ index }) => text.includes(`\`${key.slice(0, index + 1)}\${`));
  const unused = KEYS.filter((key) => !text.includes(`"${key}"`) && !started(key));
  expect(unused).toEqual([]);
});

test("the language may bear a region; an unknown one is English", () => {
  expect(translator("de-CH")("on")).toBe("ein");
  expect(translator("DE")("off")).toBe("aus");
  expect(translator("fr")("on")).toBe("on");
  document.documentElement.lang = "de";
  expect(pageTranslator()("stopped")).toBe("steht");
  document.documentElement.lang = "";
});

test("values are filled in; what is not given stays visible", () => {
  expect(translator("en")("trouble.offline_since", { name: "car1" })).toBe("car1 is offline since {since}");
});

test.each([[0.2, "1 s"], [59, "59 s"], [59.5, "1:00"], [299, "4:59"], [3723, "1:02:03"]])("%d s left reads %s", (seconds, text) => {
  expect(countdown(seconds)).toBe(text);
});

test("a moment of today is a time, another has its day; the user's format holds", () => {
  const hass = home(new FakeConnection());
  const now = new Date(2026, 10, 21, 18, 0);
  const at = (...parts: [number, number]) => new Date(2026, 10, ...parts).toISOString();
  expect(moment(at(21, 14), hass, now)).toBe("14:00");
  expect(moment(at(20, 14), hass, now)).toContain("Nov 20");
  expect(moment(at(21, 14), { ...hass, locale: { language: "en", time_format: "12" } }, now)).toMatch(/2:00\sPM/);
  const server = { ...hass, locale: { language: "en", time_format: "24", time_zone: "server" }, config: { time_zone: "Pacific/Kiritimati" } };
  expect(moment("2026-11-21T12:00:00Z", server, new Date("2026-11-21T12:30:00Z"))).toBe("02:00");
  expect(moment("soon", hass)).toBe("soon");
});
