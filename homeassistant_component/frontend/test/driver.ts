/** What the tests of the drive card share. */

import { afterEach, beforeEach, vi } from "vitest";
import { stage, type Stage } from "./stage.js";

export const CONFIG = { type: "custom:pimqtt-drive-card", entity: "sensor.car1_car" };
export const FORWARD = [100, 0] as const;

let visible: DocumentVisibilityState = "visible";

/** Fake time and a tab that can be hidden; the page is empty again after each test. */
export function eachOnAnEmptyPage(): void {
  beforeEach(() => {
    vi.useFakeTimers();
    visible = "visible";
    vi.spyOn(document, "visibilityState", "get").mockImplementation(() => visible);
  });
  afterEach(() => {
    document.body.replaceChildren();
    vi.restoreAllMocks();
    vi.useRealTimers();
  });
}

export function hideTab(): void {
  visible = "hidden";
  document.dispatchEvent(new Event("visibilitychange"));
}

export const drive = (config: Record<string, unknown> = {}, prepare?: Parameters<typeof stage>[2]): Promise<Stage> =>
  stage("pimqtt-drive-card", { ...CONFIG, ...config }, prepare);

/** The values that were sent for driving, oldest first. */
export const values = ({ connection }: Stage): unknown[] => connection.frames.map(({ value }) => value);

/** Press or release a key somewhere on the page. */
export function key(type: "keydown" | "keyup", code: string): KeyboardEvent {
  const letter = code.replace("Key", "").toLowerCase();
  const event = new KeyboardEvent(type, { code, key: letter, bubbles: true, cancelable: true, composed: true });
  window.dispatchEvent(event);
  return event;
}
