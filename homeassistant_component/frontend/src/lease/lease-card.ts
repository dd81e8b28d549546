/** `pimqtt-lease-card`: an output that is on for a while, and when that ends. */

import { css, html, nothing, type TemplateResult } from "lit";
import { ownerWords, valueWords } from "../answer-words.js";
import type { GridOptions } from "../base-card.js";
import { shownLeft, type Found } from "../fleet.js";
import type { ConfigForm } from "../forms.js";
import { stateWords, type Hass } from "../hass.js";
import { icon } from "../icons.js";
import { countdown } from "../localize.js";
import { ring } from "../ring.js";
import { theme } from "../theme.js";
import { entityTrouble, fleetTrouble, reachTrouble } from "../trouble.js";
import { fitsLease, isLevel } from "./commands.js";
import { checkedLease, leaseForm, stubLease, type LeaseConfig } from "./config.js";
import { Leased } from "./leased.js";

export class LeaseCard extends Leased<LeaseConfig> {
  static override styles = [
    theme,
    css`
      ha-card { container: lease / inline-size; }
      .row { display: flex; align-items: center; gap: 14px; padding: 14px 16px 4px; min-width: 0; }
      .face { position: relative; flex: none; width: 64px; height: 64px; color: var(--pq-quiet); display: grid; place-items: center; }
      .face.running { color: var(--pq-accent); }
      .face .ring { width: 100%; height: 100%; grid-area: 1 / 1; }
      .face span, .face svg.icon { grid-area: 1 / 1; }
      .face span { color: var(--primary-text-color, #212121); font-size: 13px; font-weight: 500; font-variant-numeric: tabular-nums; }
      .words { min-width: 0; }
      .words p { overflow-wrap: anywhere; }
      .buttons { display: flex; flex-wrap: wrap; gap: 8px; padding: 10px 16px 14px; }
      .buttons button { flex: 1 1 auto; }
      .bad { padding: 4px 16px 0; color: color-mix(in srgb, var(--pq-bad) 80%, var(--primary-text-color, #212121)); font-weight: 500; }
    `,
  ];
  static getStubConfig = stubLease;
  static getConfigForm = (): ConfigForm => leaseForm();

  getGridOptions(): GridOptions {
    return { columns: 6, rows: "auto", min_columns: 6 };
  }

  override getCardSize(): number {
    return 3;
  }

  protected override get entityId(): string | undefined {
    return this.config?.entity;
  }

  protected override checked(raw: Readonly<Record<string, unknown>>): LeaseConfig {
    return checkedLease(raw);
  }

  protected override body(hass: Hass, config: LeaseConfig): TemplateResult {
    const { found, t } = this;
    const trouble =
      (found ? null : fleetTrouble(this.fleet, t)) ?? entityTrouble(hass, this.fleet, config.entity, fitsLease, t("kind.leased"), t);
    if (trouble || !found) return trouble ? this.troubled(trouble) : html``;
    return this.output(hass, config, found);
  }

  private output(hass: Hass, config: LeaseConfig, found: Found): TemplateResult {
    const { t } = this;
    const left_s = shownLeft(found, performance.now());
    const away = fleetTrouble(this.fleet, t) ?? reachTrouble(found, hass, t);
    const reachable = away === null && this.fleet.live;
    const share = this.fullness.share(left_s);
    return html`<div class="row">
        <div class="face ${left_s > 0 ? "running" : ""}" role="timer" aria-label=${left_s > 0 ? t("lease.left", { left: countdown(left_s) }) : this.words(hass, found, left_s)}>
          ${ring(share)}${left_s > 0 ? html`<span>${countdown(left_s)}</span>` : icon("timer")}
        </div>
        <div class="words">
          <h2>${config.name ?? found.device.name}</h2>
          <p class="quiet">${this.words(hass, found, left_s)}</p>
        </div>
      </div>
      <p class="bad" role="status" aria-live="polite">${this.said || (away ? `${away.title}. ${away.help}` : this.latch(found))}</p>
      <div class="buttons">${this.buttons(found, config, left_s, reachable)}</div>`;
  }

  private words(hass: Hass, { entity, device }: Found, left_s: number): string {
    const { t } = this;
    const { lease } = entity;
    if (lease && left_s > 0)
      return t("lease.running", {
        value: valueWords(lease.value, t),
        owner: ownerWords(lease.owner, t),
        resting: valueWords(lease.resting, t),
      });
    if (!isLevel({ entity, device } as Found)) return t("lease.motion");
    const entityState = hass.states[this.entityId ?? ""];
    const state = entityState?.state ?? "?";
    return t("lease.resting", { value: state === "on" || state === "off" ? t(state) : entityState ? stateWords(hass, entityState) : state });
  }

  private latch({ device }: Found): string | typeof nothing {
    return device.latched ? this.t("code.latched") : nothing;
  }
}
