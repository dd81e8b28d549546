import { describe, expect, test, vi } from "vitest";
import { CONFIG, drive, eachOnAnEmptyPage, FORWARD, hideTab, values } from "./driver.js";
import { ACCEPTED, device, node } from "./home.js";
import type { Stage } from "./stage.js";

eachOnAnEmptyPage();

describe("it stops", () => {
  const gone: Record<string, (car: Stage) => void> = {
    "when the window loses the focus": () => window.dispatchEvent(new Event("blur")),
    "when the tab is hidden": hideTab,
    "when the page is left": () => window.dispatchEvent(new Event("pagehide")),
    "when the page is frozen": () => document.dispatchEvent(new Event("freeze")),
    "when the card leaves the page": ({ card }) => { card.remove(); },
    "when the configuration changes": ({ card }) => { card.setConfig({ ...CONFIG, speed_limit: 20 }); },
  };
  test.each(Object.entries(gone))("%s: a release at once, nothing after it, however the finger moves", async (_, leave) => {
    const car = await drive();
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(150);
    leave(car);
    const sent = values(car);
    expect(sent.at(-1)).toBe("release");
    car.find(".pad")?.dispatchEvent(new PointerEvent("pointermove", { pointerId: 1, clientX: 0, clientY: 100 }));
    await car.wait(2000);
    expect(values(car)).toEqual(sent);
  });

  test("leaving the page ends the session", async () => {
    const car = await drive();
    car.card.remove();
    await car.wait();
    expect(car.connection.subscriptions.filter(({ open }) => open)).toEqual([]);
    expect(car.connection.listening("ready")).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("when Home Assistant is lost nothing is sent, nor after it is back, until one presses anew", async () => {
    const car = await drive();
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(150);
    const sent = values(car).length;
    car.connection.lose();
    await car.wait(300);
    expect(car.text(".chip")).toBe("No connection");
    car.connection.restore();
    await car.wait(1000);
    car.pointer("pointermove", 100, 10);
    await car.wait(1000);
    expect(values(car)).toHaveLength(sent);
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(100);
    expect(values(car).length).toBeGreaterThan(sent);
  });

  test("a blocked connection gets no more commands, and says so; the release still goes", async () => {
    const car = await drive();
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(150);
    car.connection.socket.bufferedAmount = 5000;
    const sent = values(car).length;
    await car.wait(400);
    expect(values(car)).toHaveLength(sent);
    expect(car.text(".say")).toContain("blocked");
    car.pointer("pointerup");
    expect(values(car).at(-1)).toBe("release");
  });

  test("nobody answers: it says so while the stick is held", async () => {
    const car = await drive();
    car.connection.answers = () => null;
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(1800);
    expect(car.text(".say")).toBe("The Pi did not answer.");
    expect(car.text(".chip")).toBe("Free");
  });

  test("a session that the component ended is opened anew, and does not drive by itself", async () => {
    const car = await drive();
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(150);
    const sent = values(car).length;
    car.connection.tell("pimqtt/drive", { ended: "reloaded" });
    await car.wait(6000);
    expect(values(car)).toHaveLength(sent);
    expect(car.connection.subscriptions.filter(({ message }) => message["type"] === "pimqtt/drive")).toHaveLength(2);
    expect(car.text(".chip")).toBe("Free");
  });
});

describe("stops and resets", () => {
  test("stop is sent whoever drives", async () => {
    const car = await drive();
    await car.press("Stop");
    expect(values(car)).toEqual(["stop"]);
  });

  test("the emergency stop names the car and releases first; a refusal is said", async () => {
    const car = await drive();
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(100);
    const oblige = car.connection.answers;
    car.connection.answers = (message) =>
      message["type"] === "pimqtt/stop" ? [{ ...ACCEPTED, outcome: "unanswered" }] : oblige(message);
    await car.press("Emergency stop");
    await car.wait();
    expect(values(car).at(-1)).toBe("release");
    expect(car.connection.sent.at(-1)).toEqual({ type: "pimqtt/stop", node: "car1", device: "car" });
    expect(car.text(".say")).toBe("The Pi did not answer.");
  });

  test.each([
    ["device", { type: "pimqtt/reset", node: "car1", device: "car" }],
    ["node", { type: "pimqtt/reset", node: "car1" }],
  ] as const)("a latch of the %s is reset there, after a confirmation", async (by, message) => {
    const car = await drive();
    car.connection.tell("pimqtt/fleet", { node: node({ latched: by === "node", devices: [device({ latched: true, latched_by: by })] }) });
    await car.wait();
    expect(car.text(".chip")).toBe("Emergency stop");
    car.find("pimqtt-hold-button")?.dispatchEvent(new CustomEvent("confirmed"));
    await car.wait();
    expect(car.connection.sent.at(-1)).toEqual(message);
  });

  test("missing rights are said in words", async () => {
    const car = await drive();
    car.connection.answers = () => { throw Object.assign(new Error("no"), { code: "unauthorized" }); };
    await car.press("Emergency stop");
    await car.wait();
    expect(car.text(".say")).toContain("no right to control");
  });
});
