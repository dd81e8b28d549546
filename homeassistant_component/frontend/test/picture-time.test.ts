/** When a picture was taken: the fleet tells it of each, Home Assistant's sensor of one in ten seconds. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { sourceOf } from "../src/camera/sources.js";
import type { Node } from "../src/api.js";
import { heard, NOTHING } from "../src/fleet.js";
import { Picture } from "../src/picture.js";
import { DEMO, homeOf, PIS } from "./fleet-home.js";
import { FakeConnection } from "./home.js";
import "../src/index.js";

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
});

const EXACT = "2026-11-21T14:00:07.250+00:00";
const hass = homeOf(new FakeConnection());
const sensor = hass.states["sensor.demo_eye_taken"]?.state;
const telling = (taken: string | null): Node => ({
  ...DEMO,
  devices: DEMO.devices.map((device) => ({
    ...device,
    entities: device.entities.map((entity) => (entity.platform === "camera" ? { ...entity, taken } : entity)),
  })),
});

test("the fleet's time is preferred; without it, as of an older component, the sensor's is shown", () => {
  const taken = (node: Node) => sourceOf("camera.demo_eye", heard(NOTHING, { ...PIS, nodes: [node] }, 0), hass).taken;
  expect(taken(telling(EXACT))).toBe(EXACT);
  expect(taken(telling(null))).toBe(sensor);
  expect(taken(DEMO)).toBe(sensor);
});

test("a picture follows it though the sensor stands still", async () => {
  const picture = new Picture();
  picture.hass = hass;
  picture.entity = "camera.demo_eye";
  picture.newest = EXACT;
  picture.refresh_ms = 1e9;
  document.body.append(picture);
  await picture.updateComplete;
  const source = () => picture.shadowRoot?.querySelector("img")?.getAttribute("src");
  const before = source();
  picture.newest = EXACT.replace("07", "08");
  await picture.updateComplete;
  expect(source()).toBe(before);
  await vi.advanceTimersByTimeAsync(310);
  await picture.updateComplete;
  expect(source()).not.toBe(before);
});
