/** The emergency stop says only what is so, and its button is there whatever fails. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { FleetEvent } from "../src/api.js";
import { device, FLEET, node } from "./home.js";
import { stage, type Stage } from "./stage.js";

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
});

const show = (config: Record<string, unknown> = {}, prepare?: Parameters<typeof stage>[2]): Promise<Stage> =>
  stage("pimqtt-stop-card", { type: "custom:pimqtt-stop-card", ...config }, prepare);
const SHED = node({ id: "shed", name: "Shed", online: false });
const tells = async (card: Stage, event: FleetEvent): Promise<void> => {
  card.connection.tell("pimqtt/fleet", event);
  await card.wait();
};

/** Press the stop; gives what was sent for it. */
async function stopped(card: Stage): Promise<unknown> {
  await card.press("Emergency stop");
  return card.connection.sent.at(-1);
}

test("ready: live, connected and online", async () => {
  const card = await show();
  expect(card.text(".state")).toBe("Ready: all Pis");
});

const NOT_READY: [string, Record<string, unknown>, (card: Stage) => Promise<void> | void, string][] = [
  ["the broker is lost", {}, (card) => tells(card, { connected: false }), "Home Assistant has lost its MQTT broker"],
  ["the only Pi is offline", {}, (card) => tells(card, { node: node({ online: false }) }), "car1 is offline"],
  ["all of several are offline", {}, (card) => tells(card, { nodes: [SHED, node({ online: false })] }), "Nobody can be reached: car1, Shed"],
  ["its Pi is offline", { node: "shed" }, (card) => tells(card, { nodes: [SHED, node()] }), "Shed is offline"],
  ["its device is offline", { node: "car1", device: "car" }, (card) => tells(card, { node: node({ devices: [device({ online: false })] }) }), "Car is offline"],
  ["Home Assistant is gone", {}, (card) => { card.connection.lose(); }, "No connection"],
];
test.each(NOT_READY)("%s: no tick, and why; the button is there", async (_, config, event, words) => {
  const card = await show(config);
  await event(card);
  await card.wait();
  expect(card.text()).not.toContain("Ready");
  expect(card.text(".state")).toContain(words);
  expect(card.find(".state")?.className).toContain("unready");
  expect(await stopped(card)).toMatchObject({ type: "pimqtt/stop" });
});

test("ready, but not for all: who can't be reached is named", async () => {
  const card = await show();
  await tells(card, { nodes: [SHED, node()] });
  expect(card.text(".state")).toBe("Ready: all Pis Out of reach: Shed");
});

const NO_FLEET: [string, Record<string, unknown>, string, unknown][] = [
  ["unknown_error", {}, "Home Assistant refused", { type: "pimqtt/stop" }],
  ["not_found", { node: "car1", device: "car" }, "pimqtt is not set up", { type: "pimqtt/stop", node: "car1", device: "car" }],
];
test.each(NO_FLEET)("without a fleet (%s) the button stops all the same", async (code, config, words, message) => {
  const card = await show(config, ({ connection }) => { connection.refusals["pimqtt/fleet"] = { code, message: "broken" }; });
  expect(card.text(".state")).toContain(words);
  expect(await stopped(card)).toEqual(message);
});

test("of a Pi that nobody has heard of, too, and before the fleet has said anything", async () => {
  const card = await show({ node: "attic" });
  expect(card.text(".state")).toContain("Nothing was heard of a Pi attic");
  expect(await stopped(card)).toEqual({ type: "pimqtt/stop", node: "attic" });
  const early = await show({}, ({ connection }) => { connection.answers = () => null; });
  expect(early.text(".state")).toContain("Waiting for Home Assistant");
  early.connection.answers = () => [];
  expect(await stopped(early)).toEqual({ type: "pimqtt/stop" });
});

test("what is latched stays so in words, but hides the button only while that is known", async () => {
  const card = await show();
  await tells(card, { ...FLEET, nodes: [node({ latched: true })] });
  expect(card.text("button.danger")).toBe("");
  card.connection.lose();
  await card.wait();
  expect(card.text(".state")).toContain("Emergency stop is set");
  expect(card.text("button.danger")).toBe("Emergency stop");
});
