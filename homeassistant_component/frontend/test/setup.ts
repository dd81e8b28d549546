import { vi } from "vitest";

// The bundle watches the registry for a minute: by a clock that ends with the test, not by one that outlives it.
vi.useFakeTimers();
HTMLElement.prototype.setPointerCapture = () => undefined; // happy-dom knows no pointer that could be captured
