/** The dashboard strategy and its views' strategies: what Home Assistant asks to build pages. */

import type { FleetState } from "../fleet.js";
import type { Hass } from "../hass.js";
import { translator, type Translate } from "../localize.js";
import { pagePath } from "../navigate.js";
import { presentFleet } from "../present-fleet.js";
import type { Card } from "./cards.js";
import * as pages from "./pages.js";
import { dashboardBuilt } from "./rebuilding.js";
import { isOutdated, pageKey, wasBuilt } from "./shape.js";

export interface StrategyConfig extends Readonly<Record<string, unknown>> {
  readonly type: string;
  readonly node?: string;
  readonly device?: string;
}

type Build = (fleet: FleetState, hass: Hass, config: StrategyConfig, t: Translate) => unknown;

const go = (page: string): Card => ({ action: "navigate", navigation_path: pagePath(page) });

/** An element of Home Assistant's strategy kind: it has no instances on the page, only its statics are asked. */
function strategy(build: Build): CustomElementConstructor {
  return class extends HTMLElement {
    static readonly noEditor = true;
    static readonly registryDependencies = ["entities", "devices"];

    static async generate(config: StrategyConfig, hass: Hass): Promise<unknown> {
      const fleet = await presentFleet(hass.connection);
      wasBuilt(pageKey(config), fleet);
      return build(fleet, hass, config, translator(hass.language));
    }

    static shouldRegenerate(config: StrategyConfig, old: Hass, hass: Hass): boolean {
      return isOutdated(pageKey(config), old, hass);
    }

    static getCreateSuggestions(): { title: string; icon: string } {
      return { title: "pimqtt", icon: "mdi:raspberry-pi" };
    }
  };
}

/** The pages as they were built last, since this browser window was loaded. */
let before: readonly Card[] = [];

function dashboard(fleet: FleetState, hass: Hass, t: Translate): unknown {
  const { title, views } = pages.dashboard(fleet, hass, t);
  before = pages.arranged(views, before);
  dashboardBuilt(fleet);
  return { title, views: before };
}

export const STRATEGIES: Readonly<Record<string, CustomElementConstructor>> = {
  "ll-strategy-dashboard-pimqtt": strategy((fleet, hass, _config, t) => dashboard(fleet, hass, t)),
  "ll-strategy-view-pimqtt-overview": strategy((fleet) => pages.overview(fleet)),
  "ll-strategy-view-pimqtt-node": strategy((fleet, hass, { node }, t) => pages.node(fleet, hass, node ?? "", t, go)),
  "ll-strategy-view-pimqtt-drive": strategy((fleet, _hass, { node, device }, t) => pages.drive(fleet, node ?? "", device ?? "", t)),
  "ll-strategy-view-pimqtt-cameras": strategy((fleet, hass) => pages.cameras(fleet, hass)),
  "ll-strategy-view-pimqtt-fleet": strategy(() => pages.fleet()),
};
