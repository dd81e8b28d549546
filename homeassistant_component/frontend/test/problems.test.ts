/** What pimqtt itself found wrong with a Pi stands on its cards, in the words of its repairs and in the user's language. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import issues from "../../custom_components/pimqtt/translations/de.json";
import type { Node } from "../src/api.js";
import { attentions } from "../src/attention/attentions.js";
import { heard, NOTHING } from "../src/fleet.js";
import { translator } from "../src/localize.js";
import { FakeConnection, FLEET, home, node } from "./home.js";
import { stage, type Stage } from "./stage.js";

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
});

const about = { node: "car1", name: "Racer" };
const PROBLEMS: NonNullable<Node["problems"]> = [
  { key: "under_voltage", placeholders: about },
  { key: "clock_unsynchronised", placeholders: about },
  { key: "packet_size", placeholders: { ...about, size: "65,536", needed: "1,100,000" } },
  { key: "denied", placeholders: { ...about, topics: "a, b" } },
];
const SICK = node({ name: "Racer", problems: PROBLEMS, devices: [] });

/** Read a text of the component's own translations as Home Assistant does. */
function localize(key: string, values: Readonly<Record<string, string>> = {}): string {
  const path = key.replace("component.pimqtt.", "").split(".");
  const text = path.reduce<unknown>((found, part) => (found as Record<string, unknown> | undefined)?.[part], issues);
  return typeof text === "string" ? text.replace(/\{(\w+)\}/g, (_, name: string) => values[name] ?? "?") : "";
}

const show = async (type: string, config: Record<string, unknown> = {}): Promise<Stage> => {
  const card = await stage(type, { type: `custom:${type}`, ...config });
  card.connection.tell("pimqtt/fleet", { ...FLEET, nodes: [SICK] });
  card.card.hass = { ...card.hass, language: "de", localize, loadBackendTranslation: () => Promise.resolve() };
  await card.wait();
  return card;
};

test("attention: all of them, with what to do, instead of that all is well", async () => {
  const card = await show("pimqtt-attention-card");
  expect(card.all("li strong").map(({ textContent }) => textContent)).toEqual([
    localize("issues.under_voltage.title", about), localize("issues.clock_unsynchronised.title", about),
    localize("issues.packet_size.title", about), localize("issues.denied.title", about),
  ]);
  expect(card.text("li p")).toContain("65,536");
  expect(card.text("li p")).toContain("a, b");
  expect(card.text()).not.toMatch(/\?|Nichts braucht/);
});

test.each([["pimqtt-node-card", { node: "car1" }], ["pimqtt-fleet-card", {}]])("%s: in short, and it is not simply online", async (type, config) => {
  const card = await show(type, config);
  for (const { key } of PROBLEMS) expect(card.text()).toContain(localize(`issues.${key}.title`, about));
  expect(card.text()).toContain("Online, mit einer Störung");
});

test("one that is not known, or whose words are not loaded yet, is told all the same", () => {
  const fleet = heard(NOTHING, { ...FLEET, nodes: [node({ ...SICK, problems: [{ key: "odd", placeholders: {} }] })] }, 0);
  const [found] = attentions(fleet, home(new FakeConnection()), translator("en"), 0);
  expect(found).toMatchObject({ weight: "warn", title: "Problem on Racer", help: "See Settings, System, Repairs." });
});
