/** The page's keyboard, while the pad has the focus. Keys that nobody holds any more are let go, though no release comes. */

import type { Point } from "../api.js";
import { Keys } from "./keyboard.js";

/** While keys are held they are looked after so often (ms). */
const WATCH_MS = 100;
/** A page that stood still for so long (ms), by a dialog or as the computer slept, has missed releases. */
const STALL_MS = 1000;

export interface KeyEvents {
  /** A key was pressed; all that are held point here. */
  pressed(point: Point): void;
  /** A key was released, and others are held still. */
  turned(point: Point): void;
  /** No key is held any more. */
  released(): void;
}

export class KeyInput {
  private readonly keys = new Keys();
  private listening: AbortController | null = null;
  private watch: ReturnType<typeof setInterval> | undefined;
  private watched_ms = 0;

  constructor(private readonly events: KeyEvents) {}

  start(): void {
    this.listening = new AbortController();
    const options = { capture: true, signal: this.listening.signal };
    window.addEventListener("keydown", this.keydown, options);
    window.addEventListener("keyup", this.keyup, options);
    // A menu and an input method take what comes next, releases too.
    for (const type of ["contextmenu", "compositionstart"]) window.addEventListener(type, this.letGo, options);
  }

  end(): void {
    this.listening?.abort();
    this.drop();
  }

  /** Forget what is held; tells nobody. */
  drop(): void {
    this.keys.drop();
    clearInterval(this.watch);
    this.watch = undefined;
  }

  private readonly keydown = (event: KeyboardEvent): void => {
    const { any } = this.keys;
    const meaning = this.keys.press(event, performance.now());
    if (any && !this.keys.any) this.letGo();
    if (meaning === "foreign") return;
    event.preventDefault();
    event.stopPropagation();
    if (meaning !== "drive") return;
    this.watchOver();
    this.events.pressed(this.keys.point());
  };

  private readonly keyup = (event: KeyboardEvent): void => {
    if (!this.keys.release(event.code)) return;
    event.preventDefault();
    if (this.keys.any) this.events.turned(this.keys.point());
    else this.letGo();
  };

  private readonly letGo = (): void => {
    this.drop();
    this.events.released();
  };

  private watchOver(): void {
    if (this.watch !== undefined) return;
    this.watched_ms = performance.now();
    this.watch = setInterval(() => {
      const now = performance.now();
      const stalled = now - this.watched_ms > STALL_MS;
      this.watched_ms = now;
      if (stalled || this.keys.silent(now)) this.letGo();
    }, WATCH_MS);
  }
}
