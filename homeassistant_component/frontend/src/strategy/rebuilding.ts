/** Having the pages built again when the fleet is another: Home Assistant itself asks only when one of its states changes,
 * which in a quiet house takes minutes. */

import type { FleetState } from "../fleet.js";
import { shapeOf } from "./shape.js";

/** Home Assistant has so long to ask by itself (ms): mostly what changed the fleet changes its states, too. */
export const PATIENCE_MS = 1000;

interface Built {
  /** The dashboard, as its address begins. */
  readonly place: string;
  readonly shape: string;
}

let built: Built | null = null;
/** The shape that was asked for; never twice, lest a dashboard that can't be built be fetched for ever. */
let asked = "";

const place = (): string => location.pathname.split("/")[1] ?? "";

/** The dashboard that is open was built from this fleet. */
export function dashboardBuilt(fleet: FleetState): void {
  built = { place: place(), shape: shapeOf(fleet) };
  asked = "";
}

/** Whether the open dashboard is ours, and not what this fleet makes it. */
const isOld = (fleet: FleetState): boolean => fleet.live && built?.place === place() && built.shape !== shapeOf(fleet);

/** A card of the dashboard heard of a fleet, and asks for it to be built again, as its menu's *Refresh* does. */
export function askForPages(card: HTMLElement, now: () => FleetState): void {
  if (!isOld(now())) return;
  setTimeout(() => {
    const fleet = now();
    if (!card.isConnected || !isOld(fleet) || asked === shapeOf(fleet)) return;
    asked = shapeOf(fleet);
    card.dispatchEvent(new CustomEvent("config-refresh", { bubbles: true, composed: true }));
  }, PATIENCE_MS);
}
