/** `pimqtt-attention-card`: what needs somebody's attention. */

import { css, html, nothing, type TemplateResult } from "lit";
import { BaseCard, type CardConfig, type GridOptions } from "../base-card.js";
import { configForm, type ConfigForm } from "../forms.js";
import type { Hass } from "../hass.js";
import { icon } from "../icons.js";
import { theme } from "../theme.js";
import { Ticker } from "../ticker.js";
import { fleetTrouble } from "../trouble.js";
import { attentions } from "./attentions.js";

export const TYPE = "pimqtt-attention-card";
/** So often old refusals are forgotten (ms). */
const LOOK_MS = 30_000;

export class AttentionCard extends BaseCard<CardConfig> {
  static override styles = [
    theme,
    css`
      .body { padding: 6px 0; }
      ul { list-style: none; margin: 0; padding: 0; }
      li, .well { display: grid; grid-template-columns: 22px 1fr; gap: 0 10px; align-items: start; padding: 8px 16px; }
      .well { align-items: center; min-height: 28px; }
      li strong { font-weight: 500; }
      li p { grid-column: 2; color: var(--pq-quiet); overflow-wrap: anywhere; }
      .bad svg { color: var(--pq-bad); }
      .warn svg { color: var(--pq-warn); }
      .info svg { color: var(--pq-accent); }
      .well svg { color: var(--pq-ok); }
    `,
  ];
  static getStubConfig = (): Record<string, unknown> => ({});
  static getConfigForm = (): ConfigForm => configForm([{ name: "name", selector: { text: {} } }], { name: "form.name" });

  constructor() {
    super();
    new Ticker(this, () => this.fleet.nodes.size > 0, LOOK_MS);
  }

  getGridOptions(): GridOptions {
    return { columns: 6, rows: "auto", min_columns: 6 };
  }

  override getCardSize(): number {
    return 3;
  }

  protected override checked(raw: Readonly<Record<string, unknown>>): CardConfig {
    return { ...raw, type: `custom:${TYPE}` };
  }

  protected override body(hass: Hass, { name }: CardConfig): TemplateResult {
    const { t } = this;
    const trouble = fleetTrouble(this.fleet, t);
    if (trouble) return this.troubled(trouble);
    const found = attentions(this.fleet, hass, t, Date.now());
    return html`${name ? html`<header><h2>${name}</h2></header>` : nothing}<div class="body" role="status">
      ${found.length === 0
        ? html`<div class="well">${icon("ok")}<span>${t("attention.none")}</span></div>`
        : html`<ul aria-label=${t("attention.label")}>${found.map(
            (each) => html`<li class=${each.weight}>${icon(each.icon)}<strong>${each.title}</strong><p>${each.help}</p></li>`,
          )}</ul>`}
    </div>`;
  }
}
