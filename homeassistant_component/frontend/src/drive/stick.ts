/** The joystick's geometry. Pure: offsets in, a point within the unit circle out (+x right, +y forward). */

import type { Point } from "../api.js";

export const STILL: Point = { x: 0, y: 0 };

/** So near to the middle (share of the radius) a stick counts as let go. */
export const DEAD_ZONE = 0.1;

export const isStill = ({ x, y }: Point): boolean => x === 0 && y === 0;

/** Keep a point within the unit circle. */
export function onCircle({ x, y }: Point): Point {
  const length = Math.hypot(x, y);
  return length > 1 ? { x: x / length, y: y / length } : { x, y };
}

/** Take the dead zone out, so that motion starts gently at its edge. */
export function afterDeadZone(point: Point, deadZone = DEAD_ZONE): Point {
  const { x, y } = onCircle(point);
  const length = Math.hypot(x, y);
  if (length <= deadZone) return STILL;
  const scale = (length - deadZone) / (1 - deadZone) / length;
  return { x: x * scale, y: y * scale };
}

/** A pointer's offset from the middle of the pad (px, +y down) as a point of the circle, for the knob. */
export const fromOffset = (dx: number, dy: number, radius: number): Point =>
  radius > 0 ? onCircle({ x: dx / radius, y: -dy / radius }) : STILL;

/** Scale by a speed limit (1 to 100 %), in hundredths: more no motor tells apart. */
export function limited({ x, y }: Point, limitPct: number): Point {
  const share = Math.min(100, Math.max(0, limitPct)) / 100;
  const hundredths = (part: number): number => Math.round(part * share * 100) / 100 || 0; // no -0 on the wire
  return { x: hundredths(x), y: hundredths(y) };
}

/** Read a speed limit of a configuration or a slider: 1 to 100, 100 where it is none. */
export function limitPct(raw: unknown): number {
  const number = typeof raw === "number" ? raw : Number.NaN;
  return Number.isFinite(number) ? Math.min(100, Math.max(1, Math.round(number))) : 100;
}
