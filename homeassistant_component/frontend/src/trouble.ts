/** Why an output can't be shown or commanded, in words that help. */

import { why } from "./asking.js";
import { find, type FleetState, type Found } from "./fleet.js";
import type { Hass } from "./hass.js";
import type { Icon } from "./icons.js";
import { moment, type Translate } from "./localize.js";
import { kindOf } from "./pimqtt-entities.js";

export interface Trouble {
  readonly icon: Icon;
  readonly title: string;
  readonly help: string;
}

/** What is wrong on the way to the fleet; null where it is all right. */
export function fleetTrouble({ error, live, connected, nodes }: FleetState, t: Translate): Trouble | null {
  if (error?.code === "unknown_command" || error?.code === "not_found")
    return { icon: "alert", title: t("trouble.not_set_up"), help: t("trouble.not_set_up_help") };
  if (error?.code === "unauthorized")
    return { icon: "alert", title: t("trouble.no_rights"), help: t("trouble.no_rights_help") };
  if (error) return { icon: "alert", title: t("trouble.refused"), help: `${why(error, t)} (${error.code})` };
  if (!live && nodes.size === 0) return { icon: "wait", title: t("trouble.waiting"), help: t("trouble.waiting_help") };
  if (live && !connected && nodes.size === 0)
    return { icon: "alert", title: t("trouble.not_set_up"), help: t("trouble.not_set_up_help") };
  if (live && !connected) return { icon: "offline", title: t("trouble.no_broker"), help: t("trouble.no_broker_help") };
  return null;
}

/** What is wrong with the entity itself: it is missing, foreign, or of another kind. */
export function entityTrouble(
  hass: Hass,
  fleet: FleetState,
  entityId: string,
  fits: (found: Found) => boolean,
  wanted: string,
  t: Translate,
): Trouble | null {
  const found = find(fleet, entityId);
  const values = { entity: entityId, wanted };
  const wrong = { icon: "alert", title: t("trouble.not_fitting", values), help: t("trouble.not_fitting_help", values) } as const;
  if (found) return fits(found) ? null : wrong;
  if (!hass.states[entityId] && !hass.entities[entityId])
    return { icon: "alert", title: t("trouble.missing", values), help: t("trouble.missing_help", values) };
  if (kindOf(hass, entityId) === null) return wrong;
  return { icon: "offline", title: t("trouble.unheard", values), help: t("trouble.unheard_help") };
}

/** Why a known output does nothing now. */
export function reachTrouble({ node, device }: Found, hass: Hass, t: Translate): Trouble | null {
  if (!node.supported)
    return {
      icon: "alert",
      title: t("trouble.protocol", { name: node.name }),
      help: t("trouble.protocol_help", { version: node.version ?? "?" }),
    };
  if (!node.online) {
    const since = node.since === null ? null : moment(node.since, hass);
    const title = since === null ? t("trouble.offline", { name: node.name }) : t("trouble.offline_since", { name: node.name, since });
    return { icon: "offline", title, help: t("trouble.offline_help") };
  }
  if (!device.online) return { icon: "offline", title: t("trouble.offline", { name: device.name }), help: t("trouble.device_help", { name: node.name }) };
  return null;
}
