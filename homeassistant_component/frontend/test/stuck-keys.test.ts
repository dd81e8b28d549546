/** Releases that a system keeps to itself: a key that nobody holds any more must not drive on. */

import { beforeEach, describe, expect, test } from "vitest";
import { Keys, type Key } from "../src/drive/keyboard.js";
import { drive, eachOnAnEmptyPage, key, values } from "./driver.js";
import type { Stage } from "./stage.js";

eachOnAnEmptyPage();

const focused = async (): Promise<Stage> => {
  const car = await drive();
  car.find(".pad")?.dispatchEvent(new FocusEvent("focus"));
  await car.wait(300);
  return car;
};

const send = (type: string, about: KeyboardEventInit): void => {
  window.dispatchEvent(new KeyboardEvent(type, { bubbles: true, cancelable: true, composed: true, ...about }));
};

describe("the car stops at once, and stays, though no release of W comes", () => {
  const swallowed: Record<string, () => void> = {
    "Meta pressed and released (macOS)": () => {
      send("keydown", { code: "MetaLeft", key: "Meta", metaKey: true });
      send("keyup", { code: "MetaLeft", key: "Meta" });
    },
    "Meta released, its press was not seen": () => { send("keyup", { code: "MetaRight", key: "Meta" }); },
    "Control pressed": () => { send("keydown", { code: "ControlLeft", key: "Control", ctrlKey: true }); },
    "Alt pressed": () => { send("keydown", { code: "AltLeft", key: "Alt", altKey: true }); },
    "AltGr pressed": () => { send("keydown", { code: "AltRight", key: "AltGraph" }); },
    "another key with a modifier": () => { send("keydown", { code: "Tab", key: "Tab", altKey: true }); },
    "an input method takes over": () => { send("keydown", { code: "KeyA", key: "Process" }); },
    "a menu opens": () => { window.dispatchEvent(new MouseEvent("contextmenu", { bubbles: true })); },
  };
  test.each(Object.entries(swallowed))("%s", async (_, swallow) => {
    const car = await focused();
    key("keydown", "KeyW");
    await car.wait(250);
    expect(values(car).at(-1)).toEqual({ x: 0, y: 1 });
    swallow();
    expect(values(car).at(-1)).toBe("release");
    const sent = values(car).length;
    send("keydown", { code: "KeyW", key: "w", repeat: true });
    await car.wait(6000);
    expect(values(car)).toHaveLength(sent);
    key("keydown", "KeyW");
    await car.wait(250);
    expect(values(car).at(-1)).toEqual({ x: 0, y: 1 });
  });

  test("Fn makes another key of the arrow", async () => {
    const car = await focused();
    key("keydown", "ArrowUp");
    await car.wait(200);
    send("keyup", { code: "PageUp", key: "PageUp" });
    expect(values(car).at(-1)).toBe("release");
  });

  test("the key repeats no more", async () => {
    const car = await focused();
    key("keydown", "KeyW");
    await car.wait(500);
    for (let repeat = 0; repeat < 5; repeat += 1) {
      send("keydown", { code: "KeyW", key: "w", repeat: true });
      await car.wait(33);
    }
    expect(values(car).at(-1)).toEqual({ x: 0, y: 1 });
    await car.wait(1500);
    expect(values(car).at(-1)).toBe("release");
  });

  test("the page stood still, by a dialog or a computer that slept", async () => {
    const car = await focused();
    key("keydown", "KeyW");
    await car.wait(300);
    const now = performance.now.bind(performance);
    performance.now = () => now() + 5000;
    await car.wait(300);
    performance.now = now;
    expect(values(car).at(-1)).toBe("release");
  });
});

test("the release of a mouse button that a menu took is seen when the mouse moves on", async () => {
  const car = await drive();
  car.pointer("pointerdown", 100, 0);
  await car.wait(200);
  car.find(".pad")?.dispatchEvent(new PointerEvent("pointermove", { pointerId: 1, pointerType: "mouse", buttons: 0, clientX: 100, clientY: 5 }));
  expect(values(car).at(-1)).toBe("release");
});

describe("a key that repeats", () => {
  const W: Key = { code: "KeyW", key: "w", repeat: false, ctrlKey: false, altKey: false, metaKey: false };
  const again = { ...W, repeat: true };
  let keys: Keys;
  beforeEach(() => {
    keys = new Keys();
    keys.press(W, 0);
  });

  test("is let go when it falls silent; a slow one later", () => {
    for (const at of [500, 530, 560]) keys.press(again, at);
    expect([keys.silent(1100), keys.silent(1200)]).toEqual([false, true]);
    const slow = new Keys();
    slow.press(W, 0);
    for (const at of [1000, 2800]) slow.press(again, at);
    expect([slow.silent(8000), slow.silent(11_000)]).toEqual([false, true]);
  });

  test("is not, where this keyboard repeats nothing, or where another key ended it", () => {
    expect(keys.silent(60_000)).toBe(false);
    for (const at of [500, 530, 560]) keys.press(again, at);
    keys.press({ ...W, code: "KeyD", key: "d" }, 570);
    expect(keys.silent(60_000)).toBe(false);
    for (const at of [1000, 1030]) keys.press({ ...again, code: "KeyD", key: "d" }, at);
    keys.release("ShiftLeft");
    expect(keys.silent(60_000)).toBe(false);
  });
});
