/** Makes our elements known to the browser, and our cards to Home Assistant's pickers. */

import type { Hass } from "./hass.js";

export type Elements = Readonly<Record<string, CustomElementConstructor>>;

export interface CardEntry {
  type: string;
  name: string;
  description: string;
  preview: boolean;
  documentationURL: string;
  getEntitySuggestion?: (hass: Hass, entityId: string) => { config: Record<string, unknown>; label?: string } | null;
}

export interface FeatureEntry {
  type: string;
  name: string;
  isSupported: (hass: Hass, context: { entity_id?: string }) => boolean;
  configurable: boolean;
}

export interface StrategyEntry {
  type: string;
  strategyType: "dashboard";
  name: string;
  description: string;
  documentationURL: string;
}

declare global {
  interface Window {
    customCards?: CardEntry[];
    customCardFeatures?: FeatureEntry[];
    customStrategies?: StrategyEntry[];
  }
}

const WATCH_EVERY_MS = 20;
const WATCH_FOR_MS = 60_000;

function defineMissing(elements: Elements): void {
  for (const [tag, element] of Object.entries(elements))
    if (!window.customElements.get(tag)) window.customElements.define(tag, element);
}

/** Define the elements, and again when the frontend replaces the registry while it starts (before 2026.11). */
export function defineElements(elements: Elements): void {
  let registry = window.customElements;
  defineMissing(elements);
  const watch = setInterval(() => {
    if (window.customElements === registry) return;
    registry = window.customElements;
    defineMissing(elements);
  }, WATCH_EVERY_MS);
  setTimeout(() => {
    clearInterval(watch);
  }, WATCH_FOR_MS);
}

/** Add entries to a list of Home Assistant's; it keeps a reference, so the list itself must stay. */
function add<T extends { type: string }>(list: T[], entries: readonly T[]): T[] {
  list.push(...entries.filter((entry) => !list.some(({ type }) => type === entry.type)));
  return list;
}

export interface Offers {
  readonly cards: readonly CardEntry[];
  readonly features: readonly FeatureEntry[];
  readonly strategies: readonly StrategyEntry[];
}

export function announce({ cards, features, strategies }: Offers): void {
  window.customCards = add(window.customCards ?? [], cards);
  window.customCardFeatures = add(window.customCardFeatures ?? [], features);
  window.customStrategies = add(window.customStrategies ?? [], strategies);
}
