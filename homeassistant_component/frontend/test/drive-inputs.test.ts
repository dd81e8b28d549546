import { describe, expect, test, vi } from "vitest";
import { drive, eachOnAnEmptyPage, FORWARD, key, values } from "./driver.js";
import { obliging, OPENED } from "./home.js";

eachOnAnEmptyPage();

describe("by pointer", () => {
  test("hold to drive: at once, at ten a second, a release when let go, then nothing", async () => {
    const car = await drive();
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(1000);
    expect(car.connection.frames.length).toBeGreaterThanOrEqual(10);
    expect(car.connection.frames.length).toBeLessThanOrEqual(12);
    expect(values(car)[0]).toEqual({ x: 0, y: 1 });
    car.pointer("pointerup");
    const sent = values(car).length;
    expect(values(car).at(-1)).toBe("release");
    car.pointer("pointermove", 0, 100);
    await car.wait(2000);
    expect(values(car)).toHaveLength(sent);
    expect(car.connection.sent.every(({ type }) => type !== "pimqtt/command")).toBe(true);
  });

  test("each command echoes the newest token and bears a rising number", async () => {
    const car = await drive();
    await car.wait(600);
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(500);
    const tokens = car.connection.frames.map(({ token }) => token);
    expect(new Set(tokens).size).toBe(tokens.length);
    expect(tokens).not.toContain("t0"); // it was too old at the press
    expect(car.connection.frames.map(({ seq }) => seq)).toEqual(tokens.map((_, index) => index + 1));
  });

  test("a tap in the middle moves nothing", async () => {
    const car = await drive();
    car.pointer("pointerdown", 100, 100);
    await car.wait(300);
    car.pointer("pointerup");
    expect(car.connection.frames).toEqual([]);
  });

  test("a second finger changes nothing, and its release neither", async () => {
    const car = await drive();
    car.pointer("pointerdown", ...FORWARD, 1);
    await car.wait(50);
    car.pointer("pointerdown", 100, 200, 2);
    car.pointer("pointermove", 100, 200, 2);
    car.pointer("pointerup", 100, 200, 2);
    await car.wait(200);
    expect(new Set(values(car).map((value) => JSON.stringify(value)))).toEqual(new Set(['{"x":0,"y":1}']));
  });

  test.each(["pointercancel", "lostpointercapture"])("%s is a release", async (type) => {
    const car = await drive();
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(50);
    car.pointer(type);
    expect(values(car).at(-1)).toBe("release");
  });

  test("the speed limit of the configuration and of the slider scales what is sent", async () => {
    const car = await drive({ speed_limit: 40 });
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(50);
    expect(values(car)[0]).toEqual({ x: 0, y: 0.4 });
    car.pointer("pointerup");
    const slider = car.find("input") as HTMLInputElement;
    slider.value = "75";
    slider.dispatchEvent(new Event("input"));
    await car.wait();
    expect(car.text("output")).toBe("75 %");
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(200);
    expect(values(car).at(-1)).toEqual({ x: 0, y: 0.75 });
  });
});

describe("by keys", () => {
  const focused = async (config = {}) => {
    const car = await drive(config);
    car.find(".pad")?.dispatchEvent(new FocusEvent("focus"));
    await car.wait(300);
    return car;
  };

  test("W drives while it is down; Home Assistant hears neither W nor its shortcuts", async () => {
    const car = await focused();
    const heard: string[] = [];
    const listen = (event: KeyboardEvent) => heard.push(event.code);
    document.body.addEventListener("keydown", listen);
    expect(key("keydown", "KeyW").defaultPrevented).toBe(true);
    key("keydown", "KeyE");
    await car.wait(250);
    expect(values(car)[0]).toEqual({ x: 0, y: 1 });
    key("keyup", "KeyW");
    expect(values(car).at(-1)).toBe("release");
    document.body.removeEventListener("keydown", listen);
    expect(heard).toEqual([]);
  });

  test("two keys are a diagonal, and releasing one goes on with the other", async () => {
    const car = await focused();
    key("keydown", "ArrowUp");
    key("keydown", "ArrowRight");
    await car.wait(150);
    expect(values(car).at(-1)).toEqual({ x: 0.71, y: 0.71 });
    key("keyup", "ArrowUp");
    await car.wait(150);
    expect(values(car).at(-1)).toEqual({ x: 1, y: 0 });
  });

  test("without the focus keys are not ours", async () => {
    const car = await focused();
    key("keydown", "KeyW");
    car.find(".pad")?.dispatchEvent(new FocusEvent("blur"));
    expect(values(car).at(-1)).toBe("release");
    const sent = values(car).length;
    expect(key("keydown", "KeyW").defaultPrevented).toBe(false);
    await car.wait(500);
    expect(values(car)).toHaveLength(sent);
  });

  test("keyboard: false leaves the keys alone", async () => {
    const car = await focused({ keyboard: false });
    expect(key("keydown", "KeyW").defaultPrevented).toBe(false);
    expect(car.connection.frames).toEqual([]);
  });
});

describe("by gamepad", () => {
  test("it is read only while the pad has the focus, and lets go with it", async () => {
    const axes = [0, 0, 0, 0];
    const read = vi.fn(() => [{ index: 0, connected: true, mapping: "standard", axes, buttons: [] }]);
    vi.stubGlobal("navigator", Object.assign(Object.create(navigator), { getGamepads: read }));
    const car = await drive();
    await car.wait(200);
    expect(read).not.toHaveBeenCalled();
    car.find(".pad")?.dispatchEvent(new FocusEvent("focus"));
    await car.wait(200);
    axes[1] = -1;
    await car.wait(300);
    expect(values(car).at(-1)).toEqual({ x: 0, y: 1 });
    car.find(".pad")?.dispatchEvent(new FocusEvent("blur"));
    expect(values(car).at(-1)).toBe("release");
    vi.unstubAllGlobals();
  });
});

test("the component's session says how fast and how long", async () => {
  const car = await drive({}, ({ connection }) => {
    obliging(connection);
    const oblige = connection.answers;
    connection.answers = (message) => {
      if (message["type"] !== "pimqtt/drive") return oblige(message);
      queueMicrotask(() => { connection.tell("pimqtt/drive", { ...OPENED, deadman_s: 0.2, max_age_s: 0.2, rate_hz: 25 }); });
      return null;
    };
  });
  car.pointer("pointerdown", ...FORWARD);
  await car.wait(1000);
  expect(car.connection.frames.length).toBeGreaterThanOrEqual(24);
});
