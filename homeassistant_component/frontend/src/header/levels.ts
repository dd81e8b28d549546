/** Asks a node for its lines while somebody can see them: at a gentle rate, and soon after a state changed. */

import { listPins, type Pin } from "../api.js";
import { asHassError, type Connection, type HassError } from "../hass.js";

export const EVERY_MS = 3000;
/** A changed state reaches the line's listing at once; a burst of them is asked for once. */
const SOON_MS = 250;

export class Levels {
  pins: readonly Pin[] | null = null;
  model: string | null = null;
  /** Why there is none. */
  error: HassError | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asking = false;
  private again = false;
  private running = false;

  constructor(
    private readonly connection: Connection,
    private readonly node: string,
    private readonly changed: () => void,
    private readonly visible: () => boolean,
  ) {}

  start(): void {
    if (this.running) return;
    this.running = true;
    void this.ask();
  }

  end(): void {
    this.running = false;
    clearTimeout(this.timer);
  }

  /** Something changed: look soon. */
  soon(): void {
    if (!this.running) return;
    if (this.asking) this.again = true;
    else this.wait(SOON_MS);
  }

  private wait(delay_ms: number): void {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.ask(), delay_ms);
  }

  private async ask(): Promise<void> {
    if (this.asking || !this.running) return;
    if (!this.visible()) this.wait(EVERY_MS);
    else {
      await this.list();
      this.listed();
    }
  }

  private async list(): Promise<void> {
    this.asking = true;
    this.again = false;
    try {
      const { pins, model } = await listPins(this.connection, this.node);
      this.pins = pins;
      this.model = model;
      this.error = null;
    } catch (error) {
      this.pins = null;
      this.error = asHassError(error);
    }
    this.asking = false;
  }

  private listed(): void {
    if (!this.running) return;
    this.changed();
    // An agent that does not list its lines will not learn it soon.
    this.wait(this.again ? SOON_MS : this.error ? EVERY_MS * 5 : EVERY_MS);
  }
}
