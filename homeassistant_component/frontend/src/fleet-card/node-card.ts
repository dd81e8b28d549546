/** `pimqtt-node-card`: one Pi at a glance: its health, and the leases that run. */

import { css, html, type TemplateResult } from "lit";
import { ownerWords, valueWords } from "../answer-words.js";
import { BaseCard, type GridOptions } from "../base-card.js";
import { outputs, shownLeft, type Found, type Known } from "../fleet.js";
import { configForm, type ConfigForm } from "../forms.js";
import type { Hass } from "../hass.js";
import { icon } from "../icons.js";
import { countdown } from "../localize.js";
import { follow, moreInfo, pagePath } from "../navigate.js";
import { nodeField, nodeOf, stubNode, type NodeConfig } from "../node-config.js";
import { nodeTrouble } from "../node-trouble.js";
import { theme } from "../theme.js";
import { Ticker } from "../ticker.js";
import { fleetTrouble } from "../trouble.js";
import { healthOf, troubles } from "./health.js";
import { readingIds, readings, type Reading } from "./readings.js";

export const TYPE = "pimqtt-node-card";

export interface NodeCardConfig extends NodeConfig {
  /** The page of the same dashboard that its name leads to. */
  readonly page?: string;
}

export class NodeCard extends BaseCard<NodeCardConfig> {
  static override styles = [
    theme,
    css`
      header { gap: 12px; padding-block-end: 4px; }
      header .sign { display: grid; place-items: center; width: 40px; height: 40px; flex: none; border-radius: 50%; background: var(--pq-fill); }
      .ok .sign { color: var(--pq-ok); }
      .warn .sign { color: var(--pq-warn); }
      .bad .sign { color: var(--pq-bad); }
      .title { min-width: 0; flex: 1; }
      h2 a { color: inherit; text-decoration: none; }
      h2 a:hover { text-decoration: underline; }
      h2 a:focus-visible { outline-offset: -3px; border-radius: 4px; }
      .title p { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
      .readings { display: flex; flex-wrap: wrap; gap: 6px; padding: 8px 16px; }
      .readings button { min-height: 32px; padding: 0 12px; border-radius: 16px; font-size: 13px; gap: 5px; }
      .readings .quiet { color: color-mix(in srgb, var(--pq-quiet) 70%, var(--primary-text-color, #212121)); }
      .readings .bad { color: color-mix(in srgb, var(--pq-bad) 60%, var(--primary-text-color, #212121)); font-weight: 500; }
      .problem { padding: 4px 16px; overflow-wrap: anywhere; }
      .leases { list-style: none; margin: 0; padding: 0 8px 10px; }
      .leases button { width: 100%; justify-content: flex-start; text-align: start; background: none; padding: 4px 8px; border-radius: 10px; }
      .leases svg { color: var(--pq-accent); }
      .leases span { min-width: 0; flex: 1; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
      .leases time { font-variant-numeric: tabular-nums; font-weight: 500; }
      .rest { padding: 0 16px 14px; }
    `,
  ];
  static getStubConfig = stubNode;
  static getConfigForm = (): ConfigForm =>
    configForm([nodeField(true), { name: "name", selector: { text: {} } }], { node: "form.node", name: "form.name" });

  constructor() {
    super();
    new Ticker(this, () => this.node !== undefined && leasesOf(this.node).length > 0);
  }

  getGridOptions(): GridOptions {
    return { columns: 12, rows: "auto", min_columns: 6 };
  }

  override getCardSize(): number {
    return 3;
  }

  protected override checked(raw: Readonly<Record<string, unknown>>): NodeCardConfig {
    return { ...raw, type: `custom:${TYPE}`, node: nodeOf(raw) };
  }

  protected override watched(): readonly string[] {
    return this.node ? readingIds(this.node) : [];
  }

  protected override body(hass: Hass, config: NodeCardConfig): TemplateResult {
    const { node, t } = this;
    const trouble = node ? null : (fleetTrouble(this.fleet, t) ?? nodeTrouble(config.node, t));
    if (trouble || !node) return trouble ? this.troubled(trouble) : html``;
    const health = healthOf(node, hass, t);
    const name = config.name ?? node.name;
    const leases = leasesOf(node);
    return html`<header class=${health.kind}>
        <span class="sign">${icon(health.icon)}</span>
        <div class="title">
          <h2 title=${name}>${config.page ? html`<a href=${pagePath(config.page)} @click=${follow}>${name}</a>` : name}</h2>
          <p class="quiet">${health.words}</p>
        </div>
      </header>
      ${troubles(node, t).map((line) => html`<p class="problem">${line}</p>`)}
      <div class="readings">${readings(node, hass).map((each) => this.reading(each))}</div>
      ${leases.length > 0
        ? html`<ul class="leases" aria-label=${t("node.leases")}>${leases.map((found) => this.lease(found))}</ul>`
        : html`<p class="quiet rest">${node.online ? t("node.no_leases") : (node.model ?? "")}</p>`}`;
  }

  private get node(): Known | undefined {
    return this.config ? this.fleet.nodes.get(this.config.node) : undefined;
  }

  private reading({ key, entityId, text }: Reading): TemplateResult {
    const label = this.t(`reading.${key}`);
    return html`<button class=${text ? "" : "bad"} aria-label="${label} ${text}" title=${label} @click=${() => { moreInfo(this, entityId); }}>
      ${text ? html`<span class="quiet">${label}</span> ${text}` : html`${icon("alert")}${label}`}
    </button>`;
  }

  private lease(found: Found): TemplateResult {
    const { device, entity } = found;
    const { t } = this;
    const left = countdown(shownLeft(found, performance.now()));
    const owner = ownerWords(entity.lease?.owner ?? null, t);
    const value = valueWords(entity.lease?.value ?? null, t);
    return html`<li><button ?disabled=${entity.entity_id === null} @click=${() => { if (entity.entity_id) moreInfo(this, entity.entity_id); }}>
      ${icon("timer")}<span>${t("node.lease", { name: device.name, value, owner })}</span><time>${left}</time>
    </button></li>`;
  }
}

/** The leases of a node that still run, the first to end first. */
export function leasesOf(node: Known, now = performance.now()): Found[] {
  const nodes = new Map([[node.id, node]]);
  const running = [...outputs({ nodes })].filter((found) => shownLeft(found, now) > 0);
  // What moves is renewed all the time: by what is left two of them would change places.
  const rank = (found: Found): number => (found.entity.motion === "continuous" ? 0 : shownLeft(found, now));
  return running.sort((a, b) => rank(a) - rank(b));
}
