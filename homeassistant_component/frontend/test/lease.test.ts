import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Entity, Lease } from "../src/api.js";
import type { Found } from "../src/fleet.js";
import { choices, end, extend, Fullness, isOff, onFor } from "../src/lease/commands.js";
import { ACCEPTED, CAMERA, device, entity, node, PUMP } from "./home.js";
import { stage, type Stage } from "./stage.js";

const LEASE: Lease = { owner: "Ben", value: "ON", resting: "OFF", remaining_s: 90, end: null };
const pumpWith = (over: Partial<Entity> = {}) => device({ ...PUMP, entities: PUMP.entities.map((each) => ({ ...each, ...over })) });

const output = (over: Partial<Entity> = {}): Found => {
  const pump = pumpWith(over);
  return { node: { ...node(), received_ms: 0 }, device: pump, entity: { ...entity(), ...pump.entities[0] } };
};

describe("what is sent", () => {
  const to = "switch.car1_pump";
  test("on for a while", () => {
    expect(onFor(output(), 5)).toEqual({ entity_id: to, value: "ON", ttl: 300 });
  });

  test("longer: what is left and so much more, of the same value", () => {
    expect(extend(output({ lease: { ...LEASE, value: "OFF" } }), 1, 30_000)).toEqual({ entity_id: to, value: "OFF", ttl: 120 });
  });

  test("a light's value goes back without its mode of colour: the agent refuses that in a command", () => {
    const value = { state: "ON", brightness: 102, color_mode: "brightness" };
    const command = { state: "ON", brightness: 102 };
    expect(extend(output({ lease: { ...LEASE, value } }), 1, 0).value).toEqual(command);
    expect(end(output({ lease: { ...LEASE, resting: value } })).value).toEqual(command);
  });

  test("the output's own limits hold", () => {
    const ttl = { default: null, min: null, max: 120, required: false };
    expect(choices(output({ ttl }), [1, 2, 5])).toEqual([1, 2]);
    expect(extend(output({ ttl, lease: LEASE }), 5, 0).ttl).toBe(120);
  });

  test.each<[Lease["resting"], unknown]>([
    ["OFF", { entity_id: to, value: "OFF" }],
    [{ state: "OFF" }, { entity_id: to, value: "OFF" }],
    ["ON", { entity_id: to, value: "ON", ttl: 0.05 }],
  ])("over now, where it rests at %j", (resting, command) => {
    expect(end(output({ lease: { ...LEASE, resting } }))).toEqual(command);
  });

  test("what moves is stopped", () => {
    expect(end(output({ motion: "bounded" }))).toEqual({ entity_id: to, value: "stop" });
  });

  test("off has many spellings", () => {
    expect(["OFF", false, 0, { state: "OFF" }].map(isOff)).toEqual([true, true, true, true]);
    expect(["ON", true, 1, null, { state: "ON" }].map(isOff)).toEqual([false, false, false, false, false]);
  });

  test("the ring is full at the first sight of a lease, and again when it is extended", () => {
    const fullness = new Fullness();
    expect(fullness.share(100)).toBe(1);
    expect(fullness.share(25)).toBe(0.25);
    expect(fullness.share(300)).toBe(1);
    expect(fullness.share(0)).toBe(0);
    expect(fullness.share(10)).toBe(1);
  });
});

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
});

const show = (config: Record<string, unknown> = {}) => stage("pimqtt-lease-card", { type: "custom:pimqtt-lease-card", entity: "switch.car1_pump", ...config });
const lease = async (each: Stage, over: Partial<Entity>, more: Parameters<typeof node>[0] = {}) => {
  each.connection.tell("pimqtt/fleet", { node: node({ devices: [device(), pumpWith(over), CAMERA], ...more }) });
  await each.wait();
};

describe("the card", () => {
  test("at rest: it says so and offers minutes; a press sends the command", async () => {
    const card = await show();
    expect(card.text("h2")).toBe("Pump");
    expect(card.text(".words p")).toBe("At rest: off");
    expect(card.text("button")).toBe("1 min | 5 min | 15 min");
    await card.press("5 min");
    expect(card.connection.sent.at(-1)).toEqual({ type: "pimqtt/command", entity_id: "switch.car1_pump", value: "ON", ttl: 300 });
  });

  test("a state that is neither on nor off is said as Home Assistant says it", async () => {
    const card = await show();
    const away = { entity_id: "switch.car1_pump", state: "unavailable", attributes: {} };
    card.card.hass = { ...card.hass, language: "de", states: { ...card.hass.states, "switch.car1_pump": away }, formatEntityState: () => "Nicht verfügbar" };
    await card.wait();
    expect(card.text(".words p")).toBe("In Ruhe: Nicht verfügbar");
  });

  test("running: it counts down, names the holder and what follows, and draws only then", async () => {
    const card = await show();
    await lease(card, { lease: LEASE });
    expect(card.text(".face span")).toBe("1:30");
    expect(card.text(".words p")).toBe("on by Ben, then off");
    await card.wait(31_000);
    expect(card.text(".face span")).toBe("59 s");
    expect(card.find(".face")?.getAttribute("aria-label")).toBe("59 s left");
    await card.wait(60_000);
    expect(card.text(".words p")).toBe("At rest: off");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("extend and end", async () => {
    const card = await show({ minutes: [10] });
    await lease(card, { lease: LEASE });
    await card.press("10 min more");
    expect(Number(card.connection.sent.at(-1)?.["ttl"])).toBeCloseTo(690, 0);
    await card.wait(10);
    await card.press("End now");
    expect(card.connection.sent.at(-1)).toEqual({ type: "pimqtt/command", entity_id: "switch.car1_pump", value: "OFF" });
  });

  test("a refusal in words, gone with the next try", async () => {
    const card = await show();
    const oblige = card.connection.answers;
    card.connection.answers = () => ({ ...ACCEPTED, outcome: "rejected", code: "min_off", reason: "2 s" });
    await card.press("1 min");
    await card.wait();
    expect(card.text(".bad")).toBe("It must stay off a little longer.");
    card.connection.answers = oblige;
    await card.press("1 min");
    await card.wait();
    expect(card.text(".bad")).toBe("");
  });

  test.each([
    ["unauthorized", "You have no right to control this."],
    ["not_connected", "Home Assistant has lost its MQTT broker"],
    ["odd", "Home Assistant refused: no broker"],
  ])("an error %s in words", async (code, words) => {
    const card = await show();
    card.connection.answers = () => { throw Object.assign(new Error("no broker"), { code }); };
    await card.press("1 min");
    await card.wait();
    expect(card.text(".bad")).toContain(words);
    expect(card.all("button:disabled")).toEqual([]);
  });

  test("nobody answered", async () => {
    const card = await show();
    card.connection.answers = () => ({ ...ACCEPTED, outcome: "unanswered" });
    await card.press("1 min");
    await card.wait();
    expect(card.text(".bad")).toBe("The Pi did not answer.");
  });

  test("offline: since when, and nothing can be pressed", async () => {
    const card = await show();
    await lease(card, {}, { online: false });
    expect(card.text(".bad")).toContain("car1 is offline since");
    expect(card.all("button:not(:disabled)")).toEqual([]);
  });

  test("latched: what to do", async () => {
    const card = await show();
    card.connection.tell("pimqtt/fleet", { node: node({ devices: [{ ...PUMP, latched: true, latched_by: "device" }] }) });
    await card.wait();
    expect(card.text(".bad")).toContain("reset it first");
  });

  test("a car has a stop here, and no minutes", async () => {
    const card = await show({ entity: "sensor.car1_car" });
    expect(card.text("button")).toBe("Stop");
    await card.press("Stop");
    expect(card.connection.sent.at(-1)).toMatchObject({ entity_id: "sensor.car1_car", value: "stop" });
  });

  test.each([
    [{ entity: "light.lamp" }, "light.lamp is not a pimqtt output"],
    [{ entity: "camera.car1_camera" }, "camera.car1_camera is not a pimqtt output"],
  ])("%j", async (config, words) => {
    expect((await show(config)).text()).toContain(words);
  });

  test("minutes that are none are refused, texts of the form are read", async () => {
    await expect(show({ minutes: ["soon"] })).rejects.toThrow('minutes ["soon"] is not a list of minutes');
    expect((await show({ minutes: ["2", "30"] })).text("button")).toBe("2 min | 30 min");
    expect((await show({ minutes: [] })).text("button")).toContain("1 min");
  });
});

describe("the tile's feature", () => {
  const feature = (id = "switch.car1_pump") =>
    stage("pimqtt-lease-feature", { type: "custom:pimqtt-lease-feature" }, ({ card }) => { card.context = { entity_id: id }; });

  test("minutes at rest, countdown and end while it runs", async () => {
    const tile = await feature();
    expect(tile.text("button")).toBe("1 min | 5 min | 15 min");
    expect(tile.find("ha-card")).toBeNull();
    await lease(tile, { lease: LEASE });
    expect(tile.text(".left")).toBe("1:30");
    expect(tile.text("button")).toBe("+1 min | End now");
    await tile.press("End now");
    expect(tile.connection.sent.at(-1)).toMatchObject({ value: "OFF" });
  });

  test("offline it says so, for what is not ours it is empty", async () => {
    const tile = await feature();
    await lease(tile, {}, { online: false });
    expect(tile.text(".say")).toContain("car1 is offline");
    expect((await feature("light.lamp")).text()).toBe("");
  });
});
