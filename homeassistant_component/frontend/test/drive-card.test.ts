import { describe, expect, test, vi } from "vitest";
import { CONFIG, drive, eachOnAnEmptyPage, FORWARD, values } from "./driver.js";
import { FLEET, node, PUMP } from "./home.js";
import type { Stage } from "./stage.js";

eachOnAnEmptyPage();

describe("what can't be driven", () => {
  test.each([
    ["light.lamp", "light.lamp is not a pimqtt drive"],
    ["switch.car1_pump", "switch.car1_pump is not a pimqtt drive"],
    ["sensor.nowhere", "sensor.nowhere does not exist"],
  ])("%s", async (id, words) => {
    const car = await drive({ entity: id });
    expect(car.text()).toContain(words);
    expect(car.find(".pad")).toBeNull();
  });

  test("an offline Pi, since when", async () => {
    const car = await drive();
    car.connection.tell("pimqtt/fleet", { node: node({ online: false }) });
    await car.wait();
    expect(car.text(".say")).toMatch(/^car1 is offline since .+Check its power/);
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(200);
    expect(car.connection.frames).toEqual([]);
  });

  test("a lost broker", async () => {
    const car = await drive();
    car.connection.tell("pimqtt/fleet", { connected: false });
    await car.wait();
    expect(car.text(".say")).toContain("lost its MQTT broker");
  });

  test("a user without the right to control", async () => {
    const car = await drive({}, ({ connection }) => {
      connection.refusals["pimqtt/drive"] = { code: "unauthorized", message: "no" };
    });
    expect(car.text(".chip")).toBe("Only to look");
    expect(car.text(".say")).toContain("no right to control");
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(200);
    expect(car.connection.frames).toEqual([]);
  });

  test("a component that is not there", async () => {
    const car = await drive({}, ({ connection }) => {
      connection.refusals["pimqtt/fleet"] = { code: "unknown_command", message: "" };
    });
    expect(car.text()).toContain("pimqtt is not set up");
  });

  test("a preview opens no session and commands nothing", async () => {
    const car = await drive({}, ({ card }) => { card.preview = true; });
    expect(car.connection.subscriptions.map(({ message }) => message["type"])).toEqual(["pimqtt/fleet"]);
    car.pointer("pointerdown", ...FORWARD);
    await car.press("Emergency stop");
    await car.wait(500);
    expect(car.connection.sent).toEqual([]);
  });
});

describe("configuration", () => {
  const card = () => document.createElement("pimqtt-drive-card") as Stage["card"];
  test.each([
    [{}, "Choose an entity"],
    [{ entity: "car" }, 'entity "car" is no entity id'],
    [{ entity: "sensor.car", speed_limit: 0 }, "speed_limit 0 is not a number from 1 to 100"],
    [{ entity: "sensor.car", rate_hz: "fast" }, 'rate_hz "fast" is not a number from 1 to 50'],
    [{ entity: "sensor.car", stills: "no" }, 'stills "no" is neither true nor false'],
    [{ entity: "sensor.car", camera: "sensor.x" }, 'camera "sensor.x" is no camera'],
  ])("%j: %s", (config, words) => {
    expect(() => { card().setConfig(config); }).toThrow(words);
  });

  test("the same configuration again does not stop a drive", async () => {
    const car = await drive();
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(100);
    car.card.setConfig({ ...CONFIG });
    await car.wait(300);
    expect(values(car)).not.toContain("release");
    expect(car.connection.subscriptions.filter(({ message }) => message["type"] === "pimqtt/drive")).toHaveLength(1);
  });

  test("rate_hz of the configuration holds, and at least five per dead-man", async () => {
    const car = await drive({ rate_hz: 20 });
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(1000);
    expect(car.connection.frames.length).toBeGreaterThanOrEqual(19);
    const slow = await drive({ rate_hz: 1 });
    slow.pointer("pointerdown", ...FORWARD);
    await slow.wait(1000);
    expect(slow.connection.frames.length).toBeGreaterThanOrEqual(9);
  });

  test("it starts with a car, and its form offers the cars that were heard of", async () => {
    const car = await drive();
    const type = customElements.get("pimqtt-drive-card") as unknown as {
      getStubConfig: (hass: unknown, entities: string[], fallback: string[]) => unknown;
      getConfigForm: () => { schema: { name: string; selector?: unknown }[]; computeLabel: (field: { name: string }) => string | undefined };
    };
    expect(type.getStubConfig(car.hass, ["light.lamp", "sensor.car1_car"], [])).toEqual({ entity: "sensor.car1_car" });
    const form = type.getConfigForm();
    expect(form.schema[0]?.selector).toEqual({ entity: { include_entities: ["sensor.car1_car"] } });
    expect(form.computeLabel({ name: "speed_limit" })).toBe("Speed limit at the start");
  });
});

test("only what the card shows makes it draw", async () => {
  const car = await drive();
  const draw = vi.spyOn(car.card as unknown as { requestUpdate: () => void }, "requestUpdate");
  car.card.hass = { ...car.hass, states: { ...car.hass.states, "light.lamp": { entity_id: "light.lamp", state: "off", attributes: {} } } };
  expect(draw).not.toHaveBeenCalled();
  car.card.hass = { ...car.hass, language: "de" };
  await car.wait();
  expect(car.text(".chip")).toBe("Frei");
});

test("the fleet's first word may lack the car; it appears without a reload", async () => {
  const car = await drive({}, ({ connection }) => {
    const oblige = connection.answers;
    connection.answers = (message) => {
      if (message["type"] !== "pimqtt/fleet") return oblige(message);
      queueMicrotask(() => { connection.tell("pimqtt/fleet", { ...FLEET, nodes: [node({ devices: [PUMP] })] }); });
      return null;
    };
  });
  expect(car.text()).toContain("Nothing was heard of sensor.car1_car");
  car.connection.tell("pimqtt/fleet", { node: node() });
  await car.wait(10);
  expect(car.text(".chip")).toBe("Free");
});
