/** Pointer, keyboard and gamepad on one pad; together they point to one place. */

import type { Point } from "../api.js";
import { GamepadInput } from "./gamepad-input.js";
import { KeyInput } from "./key-input.js";
import { afterDeadZone, fromOffset, STILL } from "./stick.js";

export interface InputOptions {
  readonly keyboard: boolean;
  readonly gamepad: boolean;
  /** Whether the pad is to be seen. */
  readonly seen: () => boolean;
}

export interface InputEvents {
  /** The stick is held and points here. */
  point(point: Point): void;
  /** Nothing holds it any more. */
  release(): void;
  /** The pad got or lost the focus: keys count only with it, and gamepads where another car could be meant. */
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
  private readonly keys = new KeyInput({
    pressed: (point) => { this.take("keys", point); },
    turned: (point) => { if (this.source === "keys") this.move(point); },
    released: () => { this.leave("keys"); },
  });
  private readonly gamepads: GamepadInput;

  constructor(
    private readonly events: InputEvents,
    private readonly options: InputOptions,
  ) {
    const { seen } = options;
    this.gamepads = new GamepadInput(
      { pointed: (point) => { this.take("gamepad", point); }, released: () => { this.leave("gamepad"); } },
      seen,
    );
  }

  start(): void {
    if (this.options.gamepad) this.gamepads.start();
  }

  end(): void {
    this.blur();
    this.gamepads.end();
  }

  /** Whether a gamepad drives without another click: it has no place of its own on the page. */
  get readsGamepads(): boolean {
    return this.options.gamepad && this.gamepads.reads;
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
    if (this.options.keyboard) this.keys.start();
    if (this.options.gamepad) this.gamepads.focus();
    this.events.use(true);
  };

  /** Keys let go, and gamepads that others could mean; a finger on the pad stays. */
  blur = (): void => {
    if (!this.inUse) return;
    this.inUse = false;
    this.keys.end();
    this.leave("keys");
    this.gamepads.blur();
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
    if (event.pointerId !== this.pointer) return;
    // A menu that opened may have kept the release to itself.
    if (event.pointerType === "mouse" && (event.buttons & 1) === 0) this.pointerend(event);
    else this.track(event, event.currentTarget as HTMLElement);
  };

  /** pointerup, pointercancel and lostpointercapture are all releases. */
  pointerend = (event: PointerEvent): void => {
    if (event.pointerId !== this.pointer) return;
    this.pointer = null;
    this.leave("pointer");
  };

  private track(event: PointerEvent, pad: HTMLElement): void {
    const { left, top, width, height } = pad.getBoundingClientRect();
    const radius = Math.min(width, height) / 2;
    this.move(fromOffset(event.clientX - left - width / 2, event.clientY - top - height / 2, radius));
  }

  private take(source: Source, point: Point): void {
    this.source ??= source;
    if (this.source === source) this.move(point);
  }

  private move(point: Point): void {
    this.knob = point;
    this.events.point(this.source === "pointer" ? afterDeadZone(point) : point);
  }

  private leave(source: Source): void {
    if (this.source !== source) return;
    this.source = null;
    this.knob = STILL;
    this.events.release();
  }
}
