/** All that may take the user from the page: each means stop, at once. */

export type Signal = "blur" | "hidden" | "pagehide" | "freeze";

/** Call back on each; returns what ends it. */
export function onLeaving(leaving: (signal: Signal) => void): () => void {
  const ends = new AbortController();
  const { signal } = ends;
  // In the capture phase: no other listener of the page can keep a stop from us.
  const options = { signal, capture: true };
  // An element's own blur passes here too.
  window.addEventListener("blur", ({ target }) => { if (!(target instanceof Node)) leaving("blur"); }, options);
  window.addEventListener("pagehide", () => { leaving("pagehide"); }, options);
  document.addEventListener("freeze", () => { leaving("freeze"); }, options);
  document.addEventListener("visibilitychange", () => { if (document.visibilityState === "hidden") leaving("hidden"); }, options);
  return () => { ends.abort(); };
}
