/** Whether a card is to be seen: on the page, in the window, in a tab that is shown. */

import type { LitElement, ReactiveController } from "lit";

export class Seen implements ReactiveController {
  private inWindow = false;
  private observer: IntersectionObserver | null = null;

  /** `came` is called when it comes into the window. */
  constructor(
    private readonly host: LitElement,
    private readonly came: () => void,
  ) {
    host.addController(this);
  }

  get now(): boolean {
    return this.inWindow && this.host.isConnected && document.visibilityState !== "hidden";
  }

  hostConnected(): void {
    this.inWindow = !("IntersectionObserver" in window);
    if (this.inWindow) return;
    this.observer = new IntersectionObserver((entries) => {
      this.inWindow = entries.at(-1)?.isIntersecting ?? true;
      if (this.inWindow) this.came();
    });
    this.observer.observe(this.host);
  }

  hostDisconnected(): void {
    this.observer?.disconnect();
    this.observer = null;
  }
}
