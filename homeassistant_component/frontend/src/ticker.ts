/** Draws a card again every second, while it shows something that counts. */

import type { LitElement, ReactiveController } from "lit";

export class Ticker implements ReactiveController {
  private timer: ReturnType<typeof setInterval> | undefined;

  /** `counts` is asked after each drawing. */
  constructor(
    private readonly host: LitElement,
    private readonly counts: () => boolean,
    private readonly every_ms = 1000,
  ) {
    host.addController(this);
  }

  hostConnected(): void {
    this.host.requestUpdate();
  }

  hostUpdated(): void {
    if (!this.host.isConnected || !this.counts()) this.stop();
    else this.timer ??= setInterval(this.tick, this.every_ms);
  }

  hostDisconnected(): void {
    this.stop();
  }

  private readonly tick = (): void => {
    if (document.visibilityState !== "hidden") this.host.requestUpdate();
  };

  private stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }
}
