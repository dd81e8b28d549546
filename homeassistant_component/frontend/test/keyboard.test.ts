import { beforeEach, describe, expect, test } from "vitest";
import { Keys, type Key } from "../src/drive/keyboard.js";

const key = (code: string, over: Partial<Key> = {}): Key => ({
  code, key: code.replace("Key", "").toLowerCase(), repeat: false, ctrlKey: false, altKey: false, metaKey: false, ...over,
});

describe("keys", () => {
  let keys: Keys;
  beforeEach(() => {
    keys = new Keys();
  });

  test.each([
    ["KeyW", { x: 0, y: 1 }], ["ArrowUp", { x: 0, y: 1 }], ["KeyS", { x: 0, y: -1 }], ["ArrowDown", { x: 0, y: -1 }],
    ["KeyA", { x: -1, y: 0 }], ["ArrowLeft", { x: -1, y: 0 }], ["KeyD", { x: 1, y: 0 }], ["ArrowRight", { x: 1, y: 0 }],
  ])("%s", (code, point) => {
    expect(keys.press(key(code), 0)).toBe("drive");
    expect(keys.point()).toEqual(point);
  });

  test("the place of a key counts, not its letter: AZERTY's Z is W", () => {
    expect(keys.press(key("KeyW", { key: "z" }), 0)).toBe("drive");
  });

  test("two keys are a diagonal of length one, W and the arrow up are no faster", () => {
    keys.press(key("KeyW"), 0);
    keys.press(key("ArrowUp"), 0);
    expect(keys.point()).toEqual({ x: 0, y: 1 });
    keys.press(key("KeyD"), 0);
    expect(Math.hypot(keys.point().x, keys.point().y)).toBeCloseTo(1);
  });

  test("opposite keys stand still, and the one that stays counts when the other is released", () => {
    keys.press(key("KeyA"), 0);
    keys.press(key("KeyD"), 0);
    expect(keys.point()).toEqual({ x: 0, y: 0 });
    expect(keys.release("KeyA")).toBe(true);
    expect(keys.point()).toEqual({ x: 1, y: 0 });
    expect(keys.any).toBe(true);
  });

  test("a key that repeats after all was dropped does not move", () => {
    keys.press(key("KeyW"), 0);
    keys.drop();
    expect(keys.press(key("KeyW", { repeat: true }), 0)).toBe("ours");
    expect(keys.any).toBe(false);
    expect(keys.release("KeyW")).toBe(false);
  });

  test.each(["e", "m", "c", "E", "?"])("Home Assistant's shortcut %s is ours while we drive", (letter) => {
    expect(keys.press(key(`Key${letter.toUpperCase()}`, { key: letter }), 0)).toBe("ours");
  });

  test.each([["KeyE", "у"], ["KeyM", "ь"], ["KeyC", "с"]])("so it is where %s writes %s: Home Assistant takes its place too", (code, letter) => {
    expect(keys.press(key(code, { key: letter }), 0)).toBe("ours");
  });

  test.each(["ctrlKey", "altKey", "metaKey"])("%s makes it foreign", (modifier) => {
    expect(keys.press(key("KeyD", { [modifier]: true }), 0)).toBe("foreign");
    expect(keys.any).toBe(false);
  });

  test.each(["Tab", "Escape", "F5", "Space"])("%s is foreign", (code) => {
    expect(keys.press(key(code, { key: code }), 0)).toBe("foreign");
  });
});
