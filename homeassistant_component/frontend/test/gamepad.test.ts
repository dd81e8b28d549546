import { beforeEach, describe, expect, test } from "vitest";
import { Gamepads, type Pad } from "../src/drive/gamepad.js";
import { STILL } from "../src/drive/stick.js";

const pad = (axes: number[], over: Partial<Pad> = {}): Pad => ({ index: 0, connected: true, mapping: "standard", axes, buttons: [], ...over });
const pressed = (...down: number[]) => Array.from({ length: 16 }, (_, index) => ({ pressed: down.includes(index) }));

describe("gamepads", () => {
  let gamepads: Gamepads;
  beforeEach(() => {
    gamepads = new Gamepads();
    gamepads.read([pad([0, 0, 0, 0])]);
  });

  test("the left stick forward drives forward", () => {
    expect(gamepads.read([pad([0, -1, 0, 0])])).toEqual({ x: 0, y: 1 });
  });

  test("a small drift is nothing", () => {
    expect(gamepads.read([pad([0.1, -0.1, 0, 0])])).toBe(STILL);
  });

  test("the stick that was moved first has it until it is let go", () => {
    gamepads.read([pad([0, 0, 0, -1])]);
    expect(gamepads.read([pad([1, 0, 0, -1])])).toEqual({ x: 0, y: 1 });
    expect(gamepads.read([pad([1, 0, 0, 0])])).toEqual({ x: 1, y: -0 });
  });

  test("the cross drives too, where the mapping is known", () => {
    const buttons = pressed(13);
    expect(gamepads.read([pad([0, 0, 0, 0], { buttons })])).toEqual({ x: 0, y: -1 });
    const other = new Gamepads();
    other.read([pad([0, 0], { mapping: "" })]);
    expect(other.read([pad([0, 0, 1, 1], { mapping: "", buttons })])).toBe(STILL);
  });

  test("a stick that is pushed from the start must be seen at rest first", () => {
    const fresh = new Gamepads();
    expect(fresh.read([pad([0, -1, 0, 0])])).toBe(STILL);
    fresh.read([pad([0, 0, 0, 0])]);
    expect(fresh.read([pad([0, -1, 0, 0])])).toEqual({ x: 0, y: 1 });
  });

  test("after a drop too", () => {
    gamepads.read([pad([0, -1, 0, 0])]);
    gamepads.drop();
    expect(gamepads.read([pad([0, -1, 0, 0])])).toBe(STILL);
  });

  test("pulling the plug lets go, and it must rest after it is back", () => {
    gamepads.read([pad([0, -1, 0, 0])]);
    expect(gamepads.read([null])).toBe(STILL);
    expect(gamepads.read([pad([0, -1, 0, 0])])).toBe(STILL);
    expect(gamepads.read([pad([0, -1, 0, 0], { connected: false })])).toBe(STILL);
  });
});
