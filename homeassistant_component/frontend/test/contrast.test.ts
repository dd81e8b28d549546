/** Words on pictures can be read: white on their ground, as WCAG measures it (at least 4.5 to 1). */

import { expect, test } from "vitest";
import { ageStyles } from "../src/camera/age.js";
import { driveStyles } from "../src/drive/styles.js";

/** The relative luminance of a colour such as `#8a4b00`. */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = Number.parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

test("the age of an old picture", () => {
  const rules = [...`${ageStyles.cssText}${driveStyles.cssText}`.matchAll(/\.age\.old\s*\{[^}]*background:\s*([^;}]+)/g)];
  expect(rules.length).toBeGreaterThan(0);
  for (const [, ground = ""] of rules) {
    expect(ground.trim()).toMatch(/^#[0-9a-f]{6}$/); // no theme's colour: nobody could say how pale it is
    expect(1.05 / (luminance(ground.trim()) + 0.05)).toBeGreaterThanOrEqual(4.5);
  }
});
