/** `pimqtt-fleet-card`: all Pis that are known, and a search for more. */

import { css, html, nothing, type TemplateResult } from "lit";
import { state } from "lit/decorators.js";
import { failed } from "../asking.js";
import { BaseCard, type CardConfig, type GridOptions } from "../base-card.js";
import type { Known } from "../fleet.js";
import { configForm, type ConfigForm } from "../forms.js";
import type { Hass } from "../hass.js";
import { icon } from "../icons.js";
import { follow, pagePath } from "../navigate.js";
import { byName } from "../node-config.js";
import { theme } from "../theme.js";
import { fleetTrouble } from "../trouble.js";
import { isOlder, newest } from "../versions.js";
import { healthOf, troubles } from "./health.js";
import { Searching } from "./searching.js";

export const TYPE = "pimqtt-fleet-card";

export interface FleetConfig extends CardConfig {
  /** Whether the names lead to the Pis' pages of the same dashboard. */
  readonly pages?: boolean;
}

export class FleetCard extends BaseCard<FleetConfig> {
  static override styles = [
    theme,
    css`
      ha-card { container: fleet / inline-size; }
      ul { list-style: none; margin: 0; padding: 0; }
      .nodes > li { display: grid; grid-template-columns: 22px minmax(0, 1fr) auto; gap: 0 10px; padding: 10px 16px; border-top: 1px solid var(--pq-line); align-items: start; }
      .nodes svg { margin-top: 1px; }
      .ok svg { color: var(--pq-ok); }
      .warn svg { color: var(--pq-warn); }
      .bad svg { color: var(--pq-bad); }
      strong { font-weight: 500; }
      a { color: inherit; }
      .about { overflow-wrap: anywhere; }
      .version { text-align: end; }
      .hint { display: inline-block; padding: 1px 8px; border-radius: 10px; background: color-mix(in srgb, var(--pq-warn) 22%, transparent); font-size: 12px; }
      @container fleet (max-width: 460px) {
        .version { grid-column: 2; text-align: start; }
      }
      .search { padding: 10px 16px 14px; border-top: 1px solid var(--pq-line); display: grid; gap: 8px; }
      .search button { justify-self: start; }
      .search :empty { margin-block-start: -8px; }
      progress { appearance: none; width: 100%; height: 8px; border: 0; border-radius: 4px; overflow: hidden; background: var(--pq-fill); }
      progress::-webkit-progress-bar { background: var(--pq-fill); }
      progress::-webkit-progress-value { background: var(--pq-accent); }
      progress::-moz-progress-bar { background: var(--pq-accent); }
      .found li { padding: 3px 0; }
      .new { padding: 1px 8px; border-radius: 10px; background: color-mix(in srgb, var(--pq-ok) 24%, transparent); font-size: 12px; font-weight: 500; }
    `,
  ];
  static getStubConfig = (): Record<string, unknown> => ({});
  static getConfigForm = (): ConfigForm => configForm([{ name: "name", selector: { text: {} } }], { name: "form.name" });

  @state() private searching: Searching | null = null;

  getGridOptions(): GridOptions {
    return { columns: 12, rows: "auto", min_columns: 6 };
  }

  override getCardSize(): number {
    return 2 + this.fleet.nodes.size;
  }

  override disconnectedCallback(): void {
    this.searching?.end();
    this.searching = null;
    super.disconnectedCallback();
  }

  protected override checked(raw: Readonly<Record<string, unknown>>): FleetConfig {
    return { ...raw, type: `custom:${TYPE}` };
  }

  protected override body(hass: Hass, { name, pages }: FleetConfig): TemplateResult {
    const { t, fleet } = this;
    const nodes = byName(fleet);
    const latest = newest(nodes.map(({ version }) => version));
    const trouble = fleetTrouble(fleet, t);
    const online = nodes.filter((node) => node.online).length;
    return html`<header><h2>${name ?? t("fleet.title")}</h2><span class="quiet">${t("fleet.count", { online, all: nodes.length })}</span></header>
      ${trouble ? this.troubled(trouble) : nothing}
      ${nodes.length > 0
        ? html`<ul class="nodes" aria-label=${t("fleet.title")}>${nodes.map((node) => this.node(node, latest, pages === true, hass))}</ul>`
        : trouble ? nothing : html`<p class="search quiet">${t("fleet.none")}</p>`}
      ${this.search()}`;
  }

  private node(node: Known, latest: string | null, pages: boolean, hass: Hass): TemplateResult {
    const { t } = this;
    const health = healthOf(node, hass, t);
    const about = [node.model, node.addresses.join(", "), node.mqtt === null ? null : `MQTT ${node.mqtt}`].filter((each) => each);
    const old = isOlder(node.version, latest);
    return html`<li class=${health.kind}>
      ${icon(health.icon)}
      <div class="about">
        <strong>${pages ? html`<a href=${pagePath(`pi-${node.id}`)} @click=${follow}>${node.name}</a>` : node.name}</strong>
        <p>${health.words}</p>
        <p class="quiet">${about.join(" · ")}</p>
        ${troubles(node, t).map((line) => html`<p>${line}</p>`)}
      </div>
      <div class="version">
        <span>pimqtt ${node.version ?? "?"}</span>
        ${node.supported ? nothing : html`<br /><span class="hint">${t("fleet.protocol", { protocol: node.protocol ?? "?" })}</span>`}
        ${old ? html`<br /><span class="hint">${t("fleet.update", { latest: latest ?? "" })}</span>` : nothing}
      </div>
    </li>`;
  }

  private search(): TemplateResult {
    const { t, searching } = this;
    const busy = searching !== null && !searching.done;
    return html`<div class="search">
      <button ?disabled=${busy || this.preview} @click=${() => { this.look(); }}>${icon("search")}${t(busy ? "fleet.searching" : "fleet.search")}</button>
      ${busy ? html`<progress max="1" .value=${searching.progress} aria-label=${t("fleet.searching")}></progress>` : nothing}
      <div role="status" aria-live="polite">${searching ? this.results(searching) : nothing}</div>
    </div>`;
  }

  private results(searching: Searching): TemplateResult {
    const { t } = this;
    const { found, done, error } = searching;
    const fresh = found.filter((each) => each.new).length;
    if (error !== null) return html`<p>${failed(error, t)}</p>`;
    return html`${done ? html`<p>${found.length === 0 ? t("fleet.found_none") : t("fleet.found", { count: found.length, fresh })}</p>` : nothing}
      <ul class="found">${found.map(
        (each) => html`<li>${each.name} <span class="quiet">${each.address ?? ""}</span> ${each.new ? html`<span class="new">${t("fleet.new")}</span>` : nothing}</li>`,
      )}</ul>
      ${done && found.some((each) => each.new && each.by === "zeroconf") ? html`<p class="quiet">${t("fleet.not_on_broker")}</p>` : nothing}`;
  }

  private look(): void {
    const connection = this.hass?.connection;
    if (!connection || this.preview) return;
    this.searching?.end();
    this.searching = new Searching(() => { this.requestUpdate(); });
    void this.searching.start(connection);
  }
}
