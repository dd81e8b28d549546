/** Pointer, keyboard and gamepad on one pad; together they point to one place. */

import type { Point } from "../api.js";
import { Gamepads } from "./gamepad.js";
import { Keys } from "./keyboard.js";
import { afterDeadZone, fromOffset, STILL } from "./stick.js";

export interface InputOptions {
  readonly keyboard: boolean;
  readonly gamepad: boolean;
}

export interface InputEvents {
  /** The stick is held and points here. */
  point(point: Point): void;
  /** Nothing holds it any more. */
  release(): void;
  /** The pad got or lost the focus: keys and gamepads count only with it. */
  use(inUse: boolean): void;
}

/** Which input has the stick: the first that took it, until it lets go. */
type Source = "pointer" | "keys" | "gamepad";

export class Inputs {
  /** Where the knob is drawn. */
  knob: Point = STILL;
  inUse = false;
  private source: Source | null = null;
  private pointer: number | null = null;
  private readonly keys = new Keys();
  private readonly gamepads = new Gamepads();
  private frame = 0;
  private listening: AbortController | null = null;

  constructor(
    private readonly events: InputEvents,
    private options: InputOptions,
  ) {}

  configure(options: InputOptions): void {
    this.options = options;
  }

  /** Everything lets go; a finger, key or stick that is still there must be lifted first. Tells nobody. */
  drop(): void {
    this.pointer = null;
    this.source = null;
    this.knob = STILL;
    this.keys.drop();
    this.gamepads.drop();
  }

  focus = (): void => {
    if (this.inUse) return;
    this.inUse = true;
    this.listening = new AbortController();
    const options = { capture: true, signal: this.listening.signal };
    if (this.options.keyboard) {
      window.addEventListener("keydown", this.keydown, options);
      window.addEventListener("keyup", this.keyup, options);
    }
    if (this.options.gamepad && "getGamepads" in navigator) this.frame = requestAnimationFrame(this.poll);
    this.events.use(true);
  };

  /** Keys and gamepads let go; a finger on the pad stays. */
  blur = (): void => {
    if (!this.inUse) return;
    this.inUse = false;
    this.listening?.abort();
    cancelAnimationFrame(this.frame);
    this.keys.drop();
    this.gamepads.drop();
    if (this.source === "keys" || this.source === "gamepad") this.letGo();
    this.events.use(false);
  };

  pointerdown = (event: PointerEvent): void => {
    const pad = event.currentTarget as HTMLElement;
    if (event.button !== 0 || this.source !== null) return; // a second finger changes nothing
    event.preventDefault();
    pad.setPointerCapture(event.pointerId);
    pad.focus({ preventScroll: true });
    this.pointer = event.pointerId;
    this.source = "pointer";
    this.track(event, pad);
  };

  pointermove = (event: PointerEvent): void => {
    if (event.pointerId === this.pointer) this.track(event, event.currentTarget as HTMLElement);
  };

  /** pointerup, pointercancel and lostpointercapture are all releases. */
  pointerend = (event: PointerEvent): void => {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    this.letGo();
  };

  private track(event: PointerEvent, pad: HTMLElement): void {
    const { left, top, width, height } = pad.getBoundingClientRect();
    const radius = Math.min(width, height) / 2;
    this.move(fromOffset(event.clientX - left - width / 2, event.clientY - top - height / 2, radius));
  }

  private readonly keydown = (event: KeyboardEvent): void => {
    const meaning = this.keys.press(event);
    if (meaning === "foreign") return;
    event.preventDefault();
    event.stopPropagation();
    if (meaning === "drive") this.take("keys", this.keys.point());
  };

  private readonly keyup = (event: KeyboardEvent): void => {
    if (!this.keys.release(event.code) || this.source !== "keys") return;
    event.preventDefault();
    if (this.keys.any) this.move(this.keys.point());
    else this.letGo();
  };

  private readonly poll = (): void => {
    const point = this.gamepads.read(navigator.getGamepads());
    if (point !== STILL && (point.x !== 0 || point.y !== 0)) this.take("gamepad", point);
    else if (this.source === "gamepad") this.letGo();
    if (this.inUse) this.frame = requestAnimationFrame(this.poll);
  };

  private take(source: Source, point: Point): void {
    this.source ??= source;
    if (this.source === source) this.move(point);
  }

  private move(point: Point): void {
    this.knob = point;
    this.events.point(this.source === "pointer" ? afterDeadZone(point) : point);
  }

  private letGo(): void {
    this.source = null;
    this.knob = STILL;
    this.events.release();
  }
}
