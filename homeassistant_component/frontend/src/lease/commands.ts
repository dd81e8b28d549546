/** What a lease card sends: on for a while, longer, over. Pure. */

import type { Command, Value } from "../api.js";
import { remaining, type Found } from "../fleet.js";

/** The shortest lease there is (s). */
const FLOOR_S = 0.05;

export const fitsLease = ({ entity }: Found): boolean => entity.command && entity.motion !== null && entity.entity_id !== null;

/** Whether it can be on for a while; what moves only follows whoever drives it. */
export const isLevel = ({ entity }: Found): boolean =>
  entity.motion === "level" && (entity.platform === "switch" || entity.platform === "light");

export const isOff = (value: Value): boolean =>
  value === "OFF" || value === false || value === 0 || (typeof value === "object" && value !== null && value["state"] === "OFF");

/** A time that the output's configuration allows (s). */
function allowed({ entity }: Found, ttl_s: number): number {
  const { min, max } = entity.ttl ?? { min: null, max: null };
  return Math.min(max ?? Infinity, Math.max(min ?? FLOOR_S, ttl_s));
}

const to = ({ entity }: Found): string => entity.entity_id ?? "";

export const onFor = (found: Found, minutes: number): Command => ({
  entity_id: to(found),
  value: "ON",
  ttl: allowed(found, minutes * 60),
});

/** A lease's value as a command: a light tells its mode of colour, and is not told it. */
function commanded(value: Value): Value {
  if (typeof value !== "object" || value === null || !("color_mode" in value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => key !== "color_mode"));
}

/** The same value for so much longer than it would still run. */
export const extend = (found: Found, minutes: number, now_ms: number): Command => ({
  entity_id: to(found),
  value: commanded(found.entity.lease?.value ?? "ON"),
  ttl: allowed(found, remaining(found, now_ms) + minutes * 60),
});

/** Back to rest: off is a stop, which is taken from anyone; another resting value is reached by the shortest lease. */
export function end(found: Found): Command {
  if (!isLevel(found)) return { entity_id: to(found), value: "stop" };
  const resting = found.entity.lease?.resting ?? "OFF";
  if (isOff(resting)) return { entity_id: to(found), value: "OFF" };
  return { entity_id: to(found), value: commanded(resting), ttl: allowed(found, FLOOR_S) };
}

/** The times to choose from that the output allows at all. */
export const choices = (found: Found, minutes: readonly number[]): number[] =>
  minutes.filter((each) => allowed(found, each * 60) === each * 60);

/** How full a lease's ring is. It is told what is left only, so the most that was seen of a lease counts as all of it. */
export class Fullness {
  private total_s = 0;
  private last_s = 0;

  share(left_s: number): number {
    if (left_s > this.last_s + 1) this.total_s = left_s; // a new lease, or a longer one
    this.last_s = left_s;
    this.total_s = Math.max(this.total_s, left_s);
    return this.total_s > 0 ? left_s / this.total_s : 0;
  }
}
