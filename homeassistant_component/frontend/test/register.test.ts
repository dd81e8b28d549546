import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { announce, defineElements, type CardEntry } from "../src/register.js";
import { FakeConnection, home } from "./home.js";

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A registry that refuses a second definition, as browsers do. */
class Registry {
  readonly known = new Map<string, unknown>();
  get = (tag: string) => this.known.get(tag);
  define = (tag: string, element: unknown): void => {
    if (this.known.has(tag)) throw new Error(`${tag} is defined twice`);
    this.known.set(tag, element);
  };
}

test("elements survive that the frontend replaces the registry, and are never defined twice", () => {
  const [early, late] = [new Registry(), new Registry()];
  vi.stubGlobal("customElements", early);
  class Card extends HTMLElement {}
  defineElements({ "x-card": Card });
  defineElements({ "x-card": Card });
  expect(early.get("x-card")).toBe(Card);
  vi.stubGlobal("customElements", late);
  vi.advanceTimersByTime(100);
  expect(late.get("x-card")).toBe(Card);
  vi.advanceTimersByTime(120_000);
  expect(vi.getTimerCount()).toBe(0);
});

test("lists of Home Assistant keep their identity, and an entry is added once", () => {
  const list: CardEntry[] = [];
  window.customCards = list;
  const entry: CardEntry = { type: "x", name: "X", description: "", preview: true, documentationURL: "" };
  announce({ cards: [entry], features: [], strategies: [] });
  announce({ cards: [entry], features: [], strategies: [] });
  expect(window.customCards).toBe(list);
  expect(list).toEqual([entry]);
});

test("the bundle's entry defines every element that it offers, and suggests cards that fit", async () => {
  await import("../src/index.js");
  const cards = window.customCards?.filter(({ type }) => type.startsWith("pimqtt-")) ?? [];
  expect(cards.map(({ type }) => type)).toEqual(expect.arrayContaining(["pimqtt-drive-card", "pimqtt-lease-card"]));
  for (const { type } of cards) expect(customElements.get(type), type).toBeDefined();
  for (const { type } of window.customCardFeatures ?? []) expect(customElements.get(type), type).toBeDefined();

  const hass = home(new FakeConnection());
  const suggested = (entity: string) => cards.map(({ getEntitySuggestion }) => getEntitySuggestion?.(hass, entity)).filter(Boolean);
  expect(suggested("sensor.car1_car")).toContainEqual({ config: { type: "custom:pimqtt-drive-card", entity: "sensor.car1_car" } });
  expect(suggested("switch.car1_pump")).toContainEqual({ config: { type: "custom:pimqtt-lease-card", entity: "switch.car1_pump" } });
  expect(suggested("light.lamp")).toEqual([]);
  expect(suggested("sensor.nothing")).toEqual([]);

  const [feature] = window.customCardFeatures ?? [];
  expect(feature?.isSupported(hass, { entity_id: "switch.car1_pump" })).toBe(true);
  expect(feature?.isSupported(hass, { entity_id: "sensor.car1_car" })).toBe(false);
  expect(feature?.isSupported(hass, {})).toBe(false);
});
