/** The one module that Home Assistant loads: all elements, and what its pickers offer. */

import { DOCUMENTATION } from "./documentation.js";
import { TYPE as DRIVE } from "./drive/config.js";
import { DriveCard } from "./drive/drive-card.js";
import type { Hass } from "./hass.js";
import { HoldButton } from "./hold-button.js";
import { CARD as LEASE, FEATURE as LEASE_FEATURE } from "./lease/config.js";
import { LeaseCard } from "./lease/lease-card.js";
import { LeaseFeature } from "./lease/lease-feature.js";
import { pageTranslator, type Key } from "./localize.js";
import { PAGE_ELEMENTS, pageCards, strategies } from "./pages.js";
import { Picture } from "./picture.js";
import { isDrive, isLeased, isSwitched } from "./pimqtt-entities.js";
import { hearForPicker } from "./present-fleet.js";
import { announce, defineElements, type CardEntry } from "./register.js";

defineElements({
  "pimqtt-hold-button": HoldButton,
  "pimqtt-picture": Picture,
  [DRIVE]: DriveCard,
  [LEASE]: LeaseCard,
  [LEASE_FEATURE]: LeaseFeature,
  ...PAGE_ELEMENTS,
});

const t = pageTranslator();

/** A card of the picker, suggested for the entities that it fits. */
const card = (type: string, name: Key, about: Key, fits?: (hass: Hass, entity: string) => boolean): CardEntry => ({
  type,
  name: t(name),
  description: t(about),
  preview: true,
  documentationURL: DOCUMENTATION,
  getEntitySuggestion: (hass, entity) => (fits?.(hass, entity) ? { config: { type: `custom:${type}`, entity } } : null),
});

announce({
  cards: [
    card(DRIVE, "card.drive", "card.drive_about", isDrive),
    card(LEASE, "card.lease", "card.lease_about", isLeased),
    ...pageCards(t, DOCUMENTATION),
  ],
  features: [
    {
      type: LEASE_FEATURE,
      name: t("feature.lease"),
      isSupported: (hass, { entity_id: entity }) => entity !== undefined && isSwitched(hass, entity),
      configurable: true,
    },
  ],
  strategies: strategies(t, DOCUMENTATION),
});
hearForPicker();
