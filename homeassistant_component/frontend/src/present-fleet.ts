/** The fleet for places that show no card of ours yet: a page that is built, a picker that opens. */

import { fleetOf, type FleetState } from "./fleet.js";
import type { Connection, Hass } from "./hass.js";

/** Nobody is kept waiting longer for the component's first word (ms). */
const WAIT_MS = 3000;
/** The subscription stays so long after it, until the cards of the page have taken it over (ms). */
const LINGER_MS = 5000;

/** The fleet as it is now. Where the component tells nothing in time: what was known before, or nothing. */
export function presentFleet(connection: Connection): Promise<FleetState> {
  return new Promise((resolve) => {
    const done = (state: FleetState): void => {
      clearTimeout(late);
      setTimeout(() => { end(); }, LINGER_MS);
      resolve(state);
    };
    const fleet = fleetOf(connection);
    const late = setTimeout(() => { done(fleet.state); }, WAIT_MS);
    const end = fleet.listen((state) => {
      if (state.live || state.error) done(state);
    });
  });
}

type Page = Element & { readonly hass?: Hass };

/** Home Assistant's picker waits for no suggestion: hear of the fleet as soon as it opens. */
export function hearForPicker(): void {
  const opens = (event: Event): void => {
    const { dialogTag } = (event as CustomEvent<{ dialogTag?: string }>).detail;
    const connection = document.querySelector<Page>("home-assistant")?.hass?.connection;
    if (dialogTag === "hui-dialog-create-card" && connection) void presentFleet(connection);
  };
  window.addEventListener("show-dialog", opens, true);
}
