import { describe, expect, test } from "vitest";
import { afterDeadZone, fromOffset, isStill, limited, limitPct, onCircle, STILL } from "../src/drive/stick.js";

describe("stick", () => {
  test("a pointer above the middle points forward", () => {
    expect(fromOffset(0, -50, 100)).toEqual({ x: 0, y: 0.5 });
    expect(fromOffset(25, 0, 100)).toEqual({ x: 0.25, y: -0 });
  });

  test("outside of the pad it stays on the circle", () => {
    const { x, y } = fromOffset(300, -400, 100);
    expect(x).toBeCloseTo(0.6);
    expect(y).toBeCloseTo(0.8);
  });

  test("a pad without a size points nowhere", () => {
    expect(fromOffset(10, 10, 0)).toBe(STILL);
  });

  test("both axes full are a diagonal of length one", () => {
    const { x, y } = onCircle({ x: 1, y: 1 });
    expect(Math.hypot(x, y)).toBeCloseTo(1);
  });

  test("within the dead zone it stands, at its edge it starts from zero, at the rim it is full", () => {
    expect(afterDeadZone({ x: 0.06, y: -0.07 })).toBe(STILL);
    expect(afterDeadZone({ x: 0.11, y: 0 }).x).toBeLessThan(0.02);
    expect(afterDeadZone({ x: 0, y: -1 })).toEqual({ x: 0, y: -1 });
  });

  test("the speed limit scales both axes, in hundredths and without a negative zero", () => {
    expect(limited({ x: 0.5, y: 1 }, 30)).toEqual({ x: 0.15, y: 0.3 });
    expect(Object.is(limited({ x: -0.001, y: 0 }, 50).x, 0)).toBe(true);
    expect(limited({ x: 1, y: 1 }, 500)).toEqual({ x: 1, y: 1 });
  });

  test.each([[60, 60], [0, 1], [150, 100], [49.6, 50], ["60", 100], [Number.NaN, 100], [undefined, 100]])("limit %s reads as %s", (raw, expected) => {
    expect(limitPct(raw)).toBe(expected);
  });

  test("still is both axes at zero", () => {
    expect(isStill(STILL)).toBe(true);
    expect(isStill({ x: 0, y: 0.01 })).toBe(false);
  });
});
