/** Who holds the controls, and why we may not drive. Pure. */

import type { Code } from "../api.js";
import { remaining, type Found } from "../fleet.js";

/** What the browser itself knows of its driving session. */
export interface Standing {
  /** Our name on the wire; null while no session is open. */
  readonly owner: string | null;
  /** Who holds the lease, as the session was told; undefined where it was told nothing yet. */
  readonly holder: string | null | undefined;
  readonly mine: boolean;
  /** A command of ours was accepted within the last dead-man: the lease's own word may still be on its way. */
  readonly moving: boolean;
  /** Home Assistant can be reached. */
  readonly connected: boolean;
  readonly forbidden: boolean;
  /** The last refusal, until we moved again; `let_go` ends after one dead-man of silence. */
  readonly refusal: Code | null;
  readonly refused_ms: number;
}

export type Holding =
  | { readonly kind: "disconnected" | "forbidden" | "mine" | "free" | "let_go" | "not_armed" }
  | { readonly kind: "offline"; readonly since: string | null; readonly name: string }
  | { readonly kind: "latched"; readonly by: "device" | "node" }
  | { readonly kind: "held"; readonly by: string; readonly shared: boolean };

/** Tell in one word what stands between the user and the car; `free` and `mine` may drive, `held` where it is shared. */
export function holding(found: Found, standing: Standing, now_ms: number): Holding {
  const { node, device, entity } = found;
  if (standing.forbidden) return { kind: "forbidden" };
  if (!standing.connected) return { kind: "disconnected" };
  if (!node.online || !device.online)
    return { kind: "offline", since: node.online ? null : node.since, name: node.online ? device.name : node.name };
  if (device.latched || node.latched) return { kind: "latched", by: device.latched_by ?? "node" };
  const holder = holderOf(found, standing, now_ms);
  if (holder !== null && !(standing.mine || holder === standing.owner))
    return { kind: "held", by: holder, shared: entity.control === "shared" };
  const since_s = (now_ms - standing.refused_ms) / 1000;
  if (standing.refusal === "let_go" && since_s < (entity.deadman_s ?? 0.5)) return { kind: "let_go" };
  if (standing.refusal === "not_armed") return { kind: "not_armed" };
  return { kind: holder === null && !standing.moving ? "free" : "mine" };
}

/** The session hears of a holder first; without one the published lease tells, until its time is over. */
function holderOf(found: Found, standing: Standing, now_ms: number): string | null {
  if (standing.holder !== undefined) return standing.holder;
  return remaining(found, now_ms) > 0 ? (found.entity.lease?.owner ?? null) : null;
}

/** Whether a press of the stick sends anything. */
export const mayDrive = (state: Holding): boolean =>
  state.kind === "free" || state.kind === "mine" || state.kind === "not_armed" || (state.kind === "held" && state.shared);
