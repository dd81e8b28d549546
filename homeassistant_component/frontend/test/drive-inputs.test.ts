import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { drive, eachOnAnEmptyPage, FORWARD, key, values } from "./driver.js";
import { obliging, OPENED } from "./home.js";
import type { Stage } from "./stage.js";

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

  test("the slider moved while the stick is held still: what is sent follows, and the knob says the same", async () => {
    const car = await drive();
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(250);
    expect([values(car).at(-1), car.text(".knob")]).toEqual([{ x: 0, y: 1 }, "100"]);
    const slider = car.find("input") as HTMLInputElement;
    slider.value = "20";
    slider.dispatchEvent(new Event("input"));
    await car.wait(250);
    expect([values(car).at(-1), car.text(".knob")]).toEqual([{ x: 0, y: 0.2 }, "20"]);
    slider.value = "60";
    slider.dispatchEvent(new Event("input"));
    await car.wait(250);
    expect([values(car).at(-1), car.text(".knob")]).toEqual([{ x: 0, y: 0.6 }, "60"]);
    car.pointer("pointerup");
    expect(values(car).at(-1)).toBe("release");
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
  let axes: number[];
  let pads: unknown[];
  beforeEach(() => {
    axes = [0, 0, 0, 0];
    pads = [{ index: 0, connected: true, mapping: "standard", axes, buttons: [] }];
    vi.stubGlobal("navigator", Object.assign(Object.create(navigator), { getGamepads: () => pads }));
  });
  afterEach(() => { vi.unstubAllGlobals(); });
  const push = async (car: Stage, stick: number): Promise<void> => {
    axes[1] = stick;
    await car.wait(300);
  };

  test("the only car of the page needs no click, and a click elsewhere takes nothing from it", async () => {
    const car = await drive();
    await push(car, 0);
    await push(car, -1);
    expect(values(car).at(-1)).toEqual({ x: 0, y: 1 });
    car.find(".pad")?.dispatchEvent(new FocusEvent("focus"));
    car.find(".pad")?.dispatchEvent(new FocusEvent("blur"));
    await car.wait(300);
    expect(values(car)).not.toContain("release");
    await push(car, 0);
    expect(values(car).at(-1)).toBe("release");
  });

  test("of two cars the one drives that has the focus, until it loses it", async () => {
    const [car, other] = [await drive(), await drive()];
    await push(car, 0);
    await push(car, -1);
    expect([values(car), values(other)]).toEqual([[], []]);
    await push(car, 0);
    other.find(".pad")?.dispatchEvent(new FocusEvent("focus"));
    await push(other, 0);
    await push(other, -1);
    expect([values(car), values(other).at(-1)]).toEqual([[], { x: 0, y: 1 }]);
    other.find(".pad")?.dispatchEvent(new FocusEvent("blur"));
    expect(values(other).at(-1)).toBe("release");
    other.card.remove();
    await push(car, 0);
    await push(car, -1);
    expect(values(car).at(-1)).toEqual({ x: 0, y: 1 });
  });

  test.each<[string, (leave: () => void) => void]>([
    ["the card is scrolled out of sight", (leave) => { leave(); }],
    ["another window has the focus", () => { vi.spyOn(document, "hasFocus").mockReturnValue(false); }],
  ])("it lets go when %s", async (_, leave) => {
    let gone = (): void => undefined;
    vi.stubGlobal("IntersectionObserver", class extends IntersectionObserver {
      constructor(told: IntersectionObserverCallback) {
        super(told);
        gone = () => { told([{ isIntersecting: false } as IntersectionObserverEntry], this); };
      }
    });
    const car = await drive();
    await push(car, 0);
    await push(car, -1);
    expect(values(car).at(-1)).toEqual({ x: 0, y: 1 });
    leave(gone);
    await car.wait(100);
    expect(values(car).at(-1)).toBe("release");
    const sent = values(car).length;
    await car.wait(1000);
    expect(values(car)).toHaveLength(sent);
  });

  test("one that is plugged in later drives, and the hint tells of it", async () => {
    const plugged = pads;
    pads = [null];
    const car = await drive();
    await car.wait(1500);
    expect(car.text(".say")).not.toContain("gamepad");
    pads = plugged;
    window.dispatchEvent(new Event("gamepadconnected"));
    await push(car, 0);
    await car.wait(1000);
    expect(car.text(".say")).toContain("The gamepad drives too.");
    await push(car, -1);
    expect(values(car).at(-1)).toEqual({ x: 0, y: 1 });
    await push(car, 0);
    const other = await drive();
    await car.wait(1500);
    expect([car.text(".say"), other.text(".say")]).toEqual([0, 1].map(() => expect.stringContaining("To drive by gamepad, click the joystick first.") as string));
  });

  test("gamepad: false leaves it alone, and a frame without the permission has none", async () => {
    const car = await drive({ gamepad: false });
    await push(car, 0);
    await push(car, -1);
    expect(values(car)).toEqual([]);
    expect(car.text(".say")).not.toContain("gamepad");
    car.card.remove();
    vi.stubGlobal("navigator", Object.assign(Object.create(navigator), { getGamepads: () => { throw new DOMException("no", "SecurityError"); } }));
    expect((await drive()).text(".chip")).toBe("Free");
  });

  test("a stick that goes back is seen in a window that is drawn no more", async () => {
    const car = await drive();
    await push(car, 0);
    await push(car, -1);
    vi.stubGlobal("requestAnimationFrame", () => 0);
    await car.wait(50);
    await push(car, 0);
    expect(values(car).at(-1)).toBe("release");
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

test("a session that tells another pace while it runs is followed at once, and stays the same session", async () => {
  const car = await drive();
  car.connection.tell("pimqtt/drive", { holder: null, mine: false });
  car.pointer("pointerdown", ...FORWARD);
  await car.wait(1000);
  const slow = car.connection.frames.length;
  expect(slow).toBeLessThanOrEqual(12);
  car.connection.tell("pimqtt/drive", { holder: "Anna", mine: true });
  car.connection.tell("pimqtt/drive", { ...OPENED, deadman_s: 0.2, max_age_s: 0.2, rate_hz: 10, token: null });
  await car.wait(1000);
  expect(car.connection.frames.length - slow).toBeGreaterThanOrEqual(24); // five per dead-man
  expect(values(car)).not.toContain("release");
  expect(car.text(".chip")).toBe("You drive");
  expect(car.connection.frames.at(-1)?.["token"]).toMatch(/^t\d+$/);
  car.connection.tell("pimqtt/drive", { ...OPENED, deadman_s: 2, max_age_s: null, rate_hz: 5, token: null });
  const fast = car.connection.frames.length;
  await car.wait(1000);
  expect(car.connection.frames.length - fast).toBeLessThanOrEqual(7);
  car.pointer("pointerup");
  expect(values(car).at(-1)).toBe("release");
});
