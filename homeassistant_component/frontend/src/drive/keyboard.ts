/** Driving by keys: which are down, and where they point. Pure; `code` is the place of a key, whatever the layout. */

import type { Point } from "../api.js";
import { onCircle } from "./stick.js";

const DIRECTIONS: Readonly<Record<string, Point>> = {
  KeyW: { x: 0, y: 1 },
  ArrowUp: { x: 0, y: 1 },
  KeyS: { x: 0, y: -1 },
  ArrowDown: { x: 0, y: -1 },
  KeyA: { x: -1, y: 0 },
  ArrowLeft: { x: -1, y: 0 },
  KeyD: { x: 1, y: 0 },
  ArrowRight: { x: 1, y: 0 },
};

/** Keys by which Home Assistant opens something, on top of A and D: a dialog would end the drive. */
const SHORTCUTS = new Set(["e", "m", "a", "c", "d", "?"]);

/** What we read of a keyboard event. */
export interface Key {
  readonly code: string;
  readonly key: string;
  readonly repeat: boolean;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}

/** What a key press means to us: `drive` moves, `ours` moves nothing but must not reach Home Assistant. */
export type Meaning = "drive" | "ours" | "foreign";

export class Keys {
  private readonly held = new Set<string>();

  /** Take a press. A repeat starts nothing: its key may have been dropped by a stop. */
  press(key: Key): Meaning {
    if (key.ctrlKey || key.altKey || key.metaKey) return "foreign";
    if (!(key.code in DIRECTIONS)) return SHORTCUTS.has(key.key.toLowerCase()) ? "ours" : "foreign";
    if (key.repeat) return "ours";
    this.held.add(key.code);
    return "drive";
  }

  /** Take a release, with whatever modifier; tells whether it changed anything. */
  release(code: string): boolean {
    return this.held.delete(code);
  }

  /** Forget all: releases are lost on a blur. */
  drop(): void {
    this.held.clear();
  }

  get any(): boolean {
    return this.held.size > 0;
  }

  /** The sum of the held keys; W and the arrow up together are no faster. */
  point(): Point {
    let [x, y] = [0, 0];
    for (const code of this.held) {
      x += DIRECTIONS[code]?.x ?? 0;
      y += DIRECTIONS[code]?.y ?? 0;
    }
    return onCircle({ x: Math.sign(x), y: Math.sign(y) });
  }
}
