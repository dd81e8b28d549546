import { vi } from "vitest";

// The bundle watches the registry for a minute: by a clock that ends with the test, not by one that outlives it.
vi.useFakeTimers();
HTMLElement.prototype.setPointerCapture = () => undefined; // happy-dom knows no pointer that could be captured
// nor what is in the window: everything is, unless a test says else
window.IntersectionObserver = class extends IntersectionObserver {
  constructor(private readonly told: IntersectionObserverCallback) {
    super(told);
  }

  override observe(target: Element): void {
    queueMicrotask(() => { this.told([{ target, isIntersecting: true } as IntersectionObserverEntry], this); });
  }
};
