/** Going to another page of Home Assistant, without loading it anew. */

/** The address of another page of the dashboard that is open. */
export const pagePath = (page: string): string => `/${location.pathname.split("/")[1] ?? ""}/${page}`;

export function navigate(path: string): void {
  history.pushState(null, "", path);
  window.dispatchEvent(new CustomEvent("location-changed", { detail: { replace: false } }));
}

/** Follow a link of ours; one that is to open in another tab is the browser's. */
export function follow(event: MouseEvent): void {
  if (event.button !== 0 || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  navigate((event.currentTarget as HTMLAnchorElement).pathname);
}

/** Open Home Assistant's dialog of an entity. */
export function moreInfo(from: EventTarget, entityId: string): void {
  from.dispatchEvent(new CustomEvent("hass-more-info", { detail: { entityId }, bubbles: true, composed: true }));
}
