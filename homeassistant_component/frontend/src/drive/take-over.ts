/** Taking the controls from another operator: a higher priority, one step after the other. Pure. */

import type { Answer } from "../api.js";

export const MAX_PRIORITY = 9;
/** The button is held so long, so that nobody takes over by a slip (ms). */
export const HOLD_MS = 800;
/** After a take-over the car is held still so long for us, until the hand is at the stick (ms). */
export const KEEP_MS = 4000;

export type TakeOver =
  | { readonly step: "none" }
  | { readonly step: "asking"; readonly priority: number; readonly after_seq: number }
  | { readonly step: "done"; readonly until_ms: number }
  | { readonly step: "refused" };

/** Begin one step above what we drove with; what was sent up to `after_seq` still bore the old priority. */
export const begin = (priority: number, after_seq: number): TakeOver & { step: "asking" } => ({
  step: "asking",
  priority: Math.min(MAX_PRIORITY, priority + 1),
  after_seq,
});

/** What an answer to our command makes of it. */
export function answered(state: TakeOver, answer: Answer & { seq: number | null }, newest_seq: number, now_ms: number): TakeOver {
  if (state.step !== "asking" || answer.seq === null || answer.seq <= state.after_seq) return state;
  if (answer.outcome === "accepted") return { step: "done", until_ms: now_ms + KEEP_MS };
  if (answer.code === "held" && state.priority < MAX_PRIORITY) return begin(state.priority, newest_seq);
  if (answer.code === "stale" || answer.code === "token") return state; // a fresh token is on its way
  return { step: "refused" };
}
