/** The cards about Pis and the dashboard that is made of them: their elements, and what the pickers offer. */

import { AttentionCard, TYPE as ATTENTION } from "./attention/attention-card.js";
import { CameraCard } from "./camera/camera-card.js";
import { suggestCamera, TYPE as CAMERA } from "./camera/config.js";
import { FleetCard, TYPE as FLEET } from "./fleet-card/fleet-card.js";
import { NodeCard, TYPE as NODE } from "./fleet-card/node-card.js";
import { suggestHeader, TYPE as HEADER } from "./header/config.js";
import { HeaderCard } from "./header/header-card.js";
import type { Translate } from "./localize.js";
import type { CardEntry, Elements, StrategyEntry } from "./register.js";
import { suggestStop, TYPE as STOP } from "./stop/config.js";
import { StopCard } from "./stop/stop-card.js";
import { FirstStepsCard, TYPE as FIRST_STEPS } from "./strategy/first-steps-card.js";
import { STRATEGIES } from "./strategy/strategies.js";

export const PAGE_ELEMENTS: Elements = {
  [HEADER]: HeaderCard,
  [CAMERA]: CameraCard,
  [FLEET]: FleetCard,
  [NODE]: NodeCard,
  [STOP]: StopCard,
  [ATTENTION]: AttentionCard,
  [FIRST_STEPS]: FirstStepsCard,
  ...STRATEGIES,
};

export function pageCards(t: Translate, documentationURL: string): CardEntry[] {
  const entry = (type: string, name: string, description: string): CardEntry => ({ type, name, description, preview: true, documentationURL });
  return [
    { ...entry(HEADER, t("card.header"), t("card.header_about")), getEntitySuggestion: (_hass, entity) => suggestHeader(entity) },
    { ...entry(CAMERA, t("card.camera"), t("card.camera_about")), getEntitySuggestion: suggestCamera },
    { ...entry(STOP, t("card.stop"), t("card.stop_about")), getEntitySuggestion: (_hass, entity) => suggestStop(entity) },
    entry(FLEET, t("card.fleet"), t("card.fleet_about")),
    entry(NODE, t("card.node"), t("card.node_about")),
    entry(ATTENTION, t("card.attention"), t("card.attention_about")),
  ];
}

export const strategies = (t: Translate, documentationURL: string): StrategyEntry[] => [
  { type: "pimqtt", strategyType: "dashboard", name: "pimqtt", description: t("strategy.about"), documentationURL },
];
