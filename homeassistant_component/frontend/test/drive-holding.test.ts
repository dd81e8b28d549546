import { describe, expect, test } from "vitest";
import { drive, eachOnAnEmptyPage, FORWARD, values } from "./driver.js";
import { ACCEPTED, device, entity, node, told } from "./home.js";
import type { Stage } from "./stage.js";

eachOnAnEmptyPage();

describe("who holds the controls", () => {
  const lease = { owner: "Ben", value: { x: 0, y: 1 }, resting: { x: 0, y: 0 }, remaining_s: 60, end: null };
  const held = node({ devices: [device({ entities: [entity({ lease })] })] });

  const drivesAsAnybody = async (car: Stage): Promise<void> => {
    car.connection.tell("pimqtt/drive", { holder: null, mine: false });
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(100);
    expect(car.connection.frames.at(-1)).toMatchObject({ value: { x: 0, y: 1 } });
    expect(car.connection.frames.at(-1)).not.toHaveProperty("priority");
  };

  test("another by name: a press moves nothing, not even by moving on when he lets go", async () => {
    const car = await drive();
    car.connection.tell("pimqtt/fleet", { node: held });
    await car.wait();
    expect(car.text(".chip")).toBe("Ben drives");
    expect(car.text(".say")).toContain("Ben holds the controls");
    expect(car.find(".pad")?.getAttribute("aria-disabled")).toBe("true");
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(100);
    car.connection.tell("pimqtt/fleet", { node: node() });
    car.pointer("pointermove", 100, 10);
    await car.wait(500);
    expect(car.connection.frames).toEqual([]);
  });

  test("taken from us while driving: silence, no release that would stop the other", async () => {
    const car = await drive();
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(150);
    expect(car.text(".chip")).toBe("You drive");
    const sent = values(car).length;
    car.connection.tell("pimqtt/drive", { holder: "Ben", mine: false });
    car.pointer("pointermove", 100, 20);
    car.pointer("pointerup");
    await car.wait(1000);
    expect(values(car)).toHaveLength(sent);
    expect(car.text(".chip")).toBe("Ben drives");
  });

  test.each([
    ["held", "Ben holds the controls."],
    ["let_go", "The car was stopped: let go for a moment"],
    ["latched", "The emergency stop is set: reset it first."],
    ["unavailable", "The Pi can't reach it now."],
  ] as const)("refused as %s: it says why and falls silent", async (code, words) => {
    const car = await drive();
    car.connection.answers = (message) => {
      if (message["type"] === "pimqtt/drive/token") car.connection.tell("pimqtt/drive", { token: "t1" });
      if (message["type"] !== "pimqtt/drive/send") return;
      car.connection.tell("pimqtt/drive", { answer: { ...ACCEPTED, seq: Number(message["seq"]), outcome: "rejected", code, holder: "Ben" } });
    };
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(100);
    expect(car.text(".say")).toContain(words);
    await car.wait(500);
    car.pointer("pointerup");
    expect(values(car)).toEqual([{ x: 0, y: 1 }]);
  });

  test("refused as stale: it goes on with a fresh token", async () => {
    const car = await drive();
    const oblige = car.connection.answers;
    car.connection.answers = (message) => {
      if (message["type"] !== "pimqtt/drive/send" || message["seq"] !== 1) return oblige(message);
      car.connection.tell("pimqtt/drive", { answer: { ...ACCEPTED, seq: 1, outcome: "rejected", code: "stale" } });
      return null;
    };
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(20);
    expect(car.text(".say")).toContain("too late");
    await car.wait(400);
    expect(values(car).length).toBeGreaterThan(2);
    expect(car.text(".chip")).toBe("You drive");
  });

  test("take-over: hold the button, stand still at rising priority until it is ours, then drive at it", async () => {
    const car = await drive();
    car.connection.tell("pimqtt/fleet", { node: held });
    await car.wait();
    const oblige = car.connection.answers;
    car.connection.answers = (message) => {
      if (message["type"] !== "pimqtt/drive/send" || Number(message["priority"] ?? 0) >= 3) return oblige(message);
      car.connection.tell("pimqtt/drive", { answer: { ...ACCEPTED, seq: Number(message["seq"]), outcome: "rejected", code: "held", holder: "Ben" } });
      return null;
    };
    car.find("pimqtt-hold-button")?.dispatchEvent(new CustomEvent("confirmed"));
    await car.wait(500);
    expect(car.connection.frames.map(({ priority }) => priority).slice(0, 3)).toEqual([1, 2, 3]);
    expect(new Set(values(car).map((value) => JSON.stringify(value)))).toEqual(new Set(['{"x":0,"y":0}']));
    expect(car.text(".say")).toContain("stands still until you drive");
    car.connection.tell("pimqtt/drive", { holder: "Anna", mine: true });
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(200);
    expect(car.connection.frames.at(-1)).toMatchObject({ value: { x: 0, y: 1 }, priority: 3 });
    car.pointer("pointerup");
    await car.press("Let go");
    expect(values(car).slice(-2)).toEqual(["release", "stop"]);
    await drivesAsAnybody(car);
  });

  test("a take-over ends with the hand off the stick: the next press takes nothing from anybody", async () => {
    const car = await drive();
    car.connection.tell("pimqtt/fleet", { node: held });
    await car.wait();
    car.find("pimqtt-hold-button")?.dispatchEvent(new CustomEvent("confirmed"));
    await car.wait(200);
    car.connection.tell("pimqtt/drive", { holder: "Anna", mine: true });
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(100);
    expect(car.connection.frames.at(-1)).toMatchObject({ value: { x: 0, y: 1 }, priority: 1 });
    car.pointer("pointerup");
    await drivesAsAnybody(car);
  });

  test("after a take-over nobody need press: it falls silent by itself", async () => {
    const car = await drive();
    car.connection.tell("pimqtt/fleet", { node: held });
    await car.wait();
    car.find("pimqtt-hold-button")?.dispatchEvent(new CustomEvent("confirmed"));
    await car.wait(4500);
    const sent = values(car).length;
    await car.wait(2000);
    expect(values(car)).toHaveLength(sent);
    car.connection.tell("pimqtt/fleet", { node: node() });
    await drivesAsAnybody(car);
  });

  test("the button stays under the finger while the lease of whoever drives goes and comes", async () => {
    const car = await drive();
    car.connection.tell("pimqtt/drive", { holder: "Ben", mine: false });
    await car.wait();
    const button = (): HTMLElement | null => car.find("pimqtt-hold-button");
    button()?.shadowRoot?.querySelector("button")?.dispatchEvent(new PointerEvent("pointerdown", { button: 0 }));
    await car.wait(300);
    car.connection.tell("pimqtt/drive", { holder: null, mine: false });
    await car.wait(100);
    expect(car.text(".chip")).toBe("Free");
    car.connection.tell("pimqtt/drive", { holder: "Ben", mine: false });
    await car.wait(500);
    expect(car.connection.frames.at(-1)).toMatchObject({ value: { x: 0, y: 0 }, priority: 1 });
    expect(car.text(".say")).toContain("stands still until you drive");
  });

  test("pressed twice it takes over, too, though the car was free in between", async () => {
    const car = await drive();
    car.connection.tell("pimqtt/drive", { holder: "Ben", mine: false });
    await car.wait();
    const press = (): void => {
      const inside = car.find("pimqtt-hold-button")?.shadowRoot?.querySelector("button");
      inside?.dispatchEvent(new MouseEvent("click", { detail: 0 })); // as a screen reader does
    };
    press();
    await car.wait(300);
    car.connection.tell("pimqtt/drive", { holder: null, mine: false });
    await car.wait(100);
    car.connection.tell("pimqtt/drive", { holder: "Ben", mine: false });
    await car.wait(100);
    expect(car.connection.frames).toEqual([]);
    press();
    await car.wait(100);
    expect(car.connection.frames.at(-1)).toMatchObject({ value: { x: 0, y: 0 }, priority: 1 });
  });

  test("the button goes with the lease where nobody holds it down", async () => {
    const car = await drive();
    car.connection.tell("pimqtt/drive", { holder: "Ben", mine: false });
    await car.wait();
    const inside = car.find("pimqtt-hold-button")?.shadowRoot?.querySelector("button");
    inside?.dispatchEvent(new PointerEvent("pointerdown", { button: 0 }));
    await car.wait(300);
    inside?.dispatchEvent(new PointerEvent("pointerleave"));
    car.connection.tell("pimqtt/drive", { holder: null, mine: false });
    await car.wait(1000);
    expect(car.find("pimqtt-hold-button")).toBeNull();
    expect(car.connection.frames).toEqual([]);
  });

  test("a take-over that nobody answers is given up in words", async () => {
    const car = await drive();
    car.connection.tell("pimqtt/fleet", { node: held });
    await car.wait();
    car.connection.answers = () => null;
    car.find("pimqtt-hold-button")?.dispatchEvent(new CustomEvent("confirmed"));
    await car.wait(100);
    expect(car.text(".say")).toBe("Taking over …");
    await car.wait(2500);
    expect(car.text(".say")).toContain("did not answer");
    const sent = values(car).length;
    await car.wait(1000);
    expect(values(car)).toHaveLength(sent);
  });

  test("the last commands of others are listed once, ours are not", async () => {
    const ben = told();
    const car = await drive();
    car.connection.tell("pimqtt/fleet", { node: node({ devices: [device({ entities: [entity({ last: [ben, told({ owner: "Anna" })] })] })] }) });
    car.connection.tell("pimqtt/drive", { told: ben });
    await car.wait();
    expect(car.all("li span").map((each) => each.textContent)).toEqual(["Ben: forward"]);
  });

  const refuse = (car: Stage, code: "held" | "let_go" | "latched"): void => {
    car.connection.answers = (message) => {
      if (message["type"] === "pimqtt/drive/token") car.connection.tell("pimqtt/drive", { token: "t1" });
      if (message["type"] !== "pimqtt/drive/send" || typeof message["value"] !== "object") return;
      car.connection.tell("pimqtt/drive", { answer: { ...ACCEPTED, seq: Number(message["seq"]), outcome: "rejected", code, holder: "Ben" } });
    };
  };

  test("a refusal goes with its cause: who took over has let go", async () => {
    const car = await drive();
    refuse(car, "held");
    car.connection.tell("pimqtt/drive", { holder: "Ben", mine: false });
    await car.wait(10);
    car.connection.tell("pimqtt/drive", { holder: null, mine: false });
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(300);
    car.connection.tell("pimqtt/drive", { holder: "Ben", mine: false });
    car.pointer("pointerup");
    await car.wait(2000);
    expect(car.text(".say")).toContain("Ben holds the controls");
    car.connection.tell("pimqtt/drive", { holder: null, mine: false });
    await car.wait(10);
    expect([car.text(".chip"), car.text(".say")]).toEqual(["Free", expect.stringContaining("let go to stop") as string]);
    expect(car.find(".say")?.className).toBe("say quiet");
  });

  test.each([["held", "Ben holds the controls."], ["let_go", "let go"], ["latched", "The emergency stop is set"]] as const)(
    "a refusal %s that nothing else tells of is gone after a while", async (code, words) => {
      const car = await drive();
      refuse(car, code);
      car.pointer("pointerdown", ...FORWARD);
      await car.wait(300);
      car.pointer("pointerup");
      expect(car.text(".say")).toContain(words);
      await car.wait(5000);
      expect([car.text(".chip"), car.text(".say")]).toEqual(["Free", expect.stringContaining("Drive by W A S D") as string]);
    });

  test("a take-over that was refused is told while the other holds it", async () => {
    const car = await drive();
    car.connection.tell("pimqtt/drive", { holder: "Ben", mine: false });
    await car.wait();
    car.connection.answers = (message) => {
      if (message["type"] !== "pimqtt/drive/send") return;
      const answer = { ...ACCEPTED, seq: Number(message["seq"]), outcome: "rejected", code: "latched", reason: "latched by Ben" } as const;
      car.connection.tell("pimqtt/drive", { answer });
    };
    car.find("pimqtt-hold-button")?.dispatchEvent(new CustomEvent("confirmed"));
    await car.wait(300);
    expect(car.text(".say")).toBe("Taking over was refused: The emergency stop is set: reset it first.");
    await car.wait(5000);
    expect(car.text(".say")).toContain("Ben holds the controls. You can stop");
  });
});
