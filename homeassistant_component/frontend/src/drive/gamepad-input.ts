/** The page's gamepads: read while the pad has the focus, and without it where no other car could be meant. */

import type { Point } from "../api.js";
import { Gamepads } from "./gamepad.js";
import { isStill } from "./stick.js";

/** How often gamepads are read (ms). By a timer, as commands are sent: a window that others cover may count as visible
 * and is drawn no more, so that frames would leave the last direction standing. */
const LOOK_MS = 16;

export interface GamepadEvents {
  pointed(point: Point): void;
  released(): void;
}

/** The cars that can be driven on this page. */
const cars = new Set<GamepadInput>();

/** The gamepads as the browser tells of them now. */
function plugged(): readonly (Gamepad | null)[] {
  try {
    return "getGamepads" in navigator ? navigator.getGamepads() : [];
  } catch {
    return []; // a frame without the permission has none
  }
}

export const anyPlugged = (): boolean => plugged().some((pad) => pad?.connected);

export class GamepadInput {
  private readonly gamepads = new Gamepads();
  private focused = false;
  private look: ReturnType<typeof setTimeout> | undefined;
  private listening: AbortController | null = null;

  /** `seen` tells whether the card is to be seen. */
  constructor(
    private readonly events: GamepadEvents,
    private readonly seen: () => boolean,
  ) {}

  /** Whether a stick drives this car. */
  get reads(): boolean {
    return this.focused || (cars.size === 1 && cars.has(this) && this.seen() && document.hasFocus());
  }

  start(): void {
    cars.add(this);
    this.listening = new AbortController();
    window.addEventListener("gamepadconnected", this.wake, { signal: this.listening.signal });
    this.wake();
  }

  end(): void {
    cars.delete(this);
    this.listening?.abort();
    this.focused = false;
    this.drop();
    clearTimeout(this.look);
    this.look = undefined;
  }

  focus(): void {
    this.focused = true;
    this.wake();
  }

  blur(): void {
    this.focused = false;
    if (!this.reads) this.letGo();
  }

  /** Every stick must be seen at rest again; tells nobody. */
  drop(): void {
    this.gamepads.drop();
  }

  private readonly wake = (): void => {
    if (this.look === undefined && this.listening && (this.focused || anyPlugged())) this.look = setTimeout(this.poll, LOOK_MS);
  };

  private readonly poll = (): void => {
    this.look = undefined;
    if (this.reads) this.read();
    else this.letGo();
    this.wake();
  };

  private read(): void {
    const point = this.gamepads.read(plugged());
    if (isStill(point)) this.events.released();
    else this.events.pointed(point);
  }

  private letGo(): void {
    this.drop();
    this.events.released();
  }
}
