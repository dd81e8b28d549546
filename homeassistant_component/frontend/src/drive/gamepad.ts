/** Driving by a gamepad: which stick, where it points. Pure; somebody else polls, and only while the card is in use. */

import type { Point } from "../api.js";
import { afterDeadZone, isStill, STILL } from "./stick.js";

/** Sticks rest less exactly than a finger lifts. */
export const GAMEPAD_DEAD_ZONE = 0.15;

/** What we read of a Gamepad. */
export interface Pad {
  readonly index: number;
  readonly connected: boolean;
  readonly mapping: string;
  readonly axes: readonly number[];
  readonly buttons: readonly { readonly pressed: boolean }[];
}

const [UP, DOWN, LEFT, RIGHT] = [12, 13, 14, 15];

/** Where each of a pad's sticks points: left, right, cross. */
function sticks(pad: Pad): Point[] {
  const axis = (index: number): number => pad.axes[index] ?? 0;
  const pressed = (index: number): number => (pad.buttons[index]?.pressed ? 1 : 0);
  const points = [{ x: axis(0), y: -axis(1) }];
  if (pad.mapping === "standard") {
    points.push({ x: axis(2), y: -axis(3) });
    points.push({ x: pressed(RIGHT) - pressed(LEFT), y: pressed(UP) - pressed(DOWN) });
  }
  return points.map((point) => afterDeadZone(point, GAMEPAD_DEAD_ZONE));
}

/** Follows the stick that was moved first until it is let go. */
export class Gamepads {
  private chosen: string | null = null;
  private readonly ready = new Set<string>();

  /** Where the chosen stick points. A stick that was not seen at rest yet moves nothing: it may be stuck. */
  read(pads: readonly (Pad | null)[]): Point {
    const points = new Map<string, Point>();
    for (const pad of pads)
      if (pad?.connected) for (const [number, point] of sticks(pad).entries()) points.set(`${pad.index}.${number}`, point);
    for (const name of this.ready) if (!points.has(name)) this.ready.delete(name); // was unplugged
    for (const [name, point] of points) if (isStill(point)) this.ready.add(name);
    const chosen = this.chosen === null ? undefined : points.get(this.chosen);
    if (chosen && !isStill(chosen)) return this.ready.has(this.chosen ?? "") ? chosen : STILL;
    this.chosen = null;
    for (const [name, point] of points)
      if (!isStill(point) && this.ready.has(name)) {
        this.chosen = name;
        return point;
      }
    return STILL;
  }

  /** Let go; every stick must be seen at rest again. */
  drop(): void {
    this.chosen = null;
    this.ready.clear();
  }
}
