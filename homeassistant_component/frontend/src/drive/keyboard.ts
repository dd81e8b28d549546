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
/** And by their places: whoever writes in Cyrillic, Greek or Hebrew has none of these letters. */
const SHORTCUT_PLACES = new Set(["KeyE", "KeyM", "KeyC"]);

/** On some keyboards Fn makes other keys of the arrows: what was pressed as the one is released as the other. */
const RELEASED_AS: Readonly<Record<string, string>> = { PageUp: "ArrowUp", PageDown: "ArrowDown", Home: "ArrowLeft", End: "ArrowRight" };

/** While one of these is down, or an input method writes, a system may keep the releases of all others to itself. */
const SWALLOWING = new Set(["Meta", "OS", "Control", "Alt", "AltGraph", "Process"]);

/** A key that repeated is silent after so many of its intervals, and not before so long (ms). */
const SILENT_INTERVALS = 4;
const SILENT_MS = 600;

/** What we read of a keyboard event. */
export interface Key {
  readonly code: string;
  readonly key: string;
  readonly repeat: boolean;
  readonly ctrlKey: boolean;
  readonly altKey: boolean;
  readonly metaKey: boolean;
}

/** A key that the system repeats while it is held. */
interface Repeating {
  readonly code: string;
  readonly at_ms: number;
  /** Its longest interval; null before it is known. */
  readonly every_ms: number | null;
}

/** What a key press means to us: `drive` moves, `ours` moves nothing but must not reach Home Assistant. */
export type Meaning = "drive" | "ours" | "foreign";

const isShortcut = ({ key, code }: Key): boolean => SHORTCUTS.has(key.toLowerCase()) || SHORTCUT_PLACES.has(code);

export class Keys {
  private readonly held = new Set<string>();
  private repeating: Repeating | null = null;

  /** Take a press. A repeat starts nothing: its key may have been dropped by a stop. */
  press(key: Key, now_ms: number): Meaning {
    if (key.ctrlKey || key.altKey || key.metaKey || SWALLOWING.has(key.key)) {
      this.drop();
      return "foreign";
    }
    if (key.repeat) this.repeat(key.code, now_ms);
    else this.repeating = null; // the system goes on with the new key
    if (!(key.code in DIRECTIONS)) return isShortcut(key) ? "ours" : "foreign";
    if (key.repeat) return "ours";
    this.held.add(key.code);
    return "drive";
  }

  /** Take a release, with whatever modifier; tells whether it changed anything. */
  release(code: string): boolean {
    this.repeating = null;
    if (!/^(Meta|OS)/.test(code)) return this.held.delete(RELEASED_AS[code] ?? code);
    const { any } = this;
    this.drop();
    return any;
  }

  /** Forget all: releases are lost on a blur. */
  drop(): void {
    this.held.clear();
    this.repeating = null;
  }

  /** Whether a held key has repeated and does no more: its release was lost. */
  silent(now_ms: number): boolean {
    if (this.repeating === null) return false;
    const { at_ms, every_ms } = this.repeating;
    return every_ms !== null && now_ms - at_ms > Math.max(SILENT_MS, SILENT_INTERVALS * every_ms);
  }

  private repeat(code: string, now_ms: number): void {
    const before = this.repeating?.code === code ? this.repeating : null;
    const every_ms = before === null ? null : Math.max(before.every_ms ?? 0, now_ms - before.at_ms);
    this.repeating = this.held.has(code) ? { code, at_ms: now_ms, every_ms } : null;
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
