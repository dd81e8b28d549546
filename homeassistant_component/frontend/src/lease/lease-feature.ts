/** `pimqtt-lease-feature`: on for a while, at the foot of a tile. */

import { css, html, type TemplateResult } from "lit";
import { property } from "lit/decorators.js";
import { shownLeft } from "../fleet.js";
import type { ConfigForm } from "../forms.js";
import type { Hass } from "../hass.js";
import { countdown } from "../localize.js";
import { ring } from "../ring.js";
import { theme } from "../theme.js";
import { fleetTrouble, reachTrouble } from "../trouble.js";
import { fitsLease } from "./commands.js";
import { checkedFeature, featureForm, type FeatureConfig } from "./config.js";
import { Leased } from "./leased.js";

export class LeaseFeature extends Leased<FeatureConfig> {
  static override styles = [
    theme,
    css`
      :host { height: var(--feature-height, 42px); }
      .row { display: flex; gap: var(--feature-button-spacing, 12px); height: 100%; align-items: stretch; min-width: 0; }
      button {
        flex: 1 1 0; min-width: 0; min-height: 0; height: 100%; padding: 0 6px; border-radius: var(--feature-border-radius, 12px);
        white-space: nowrap; overflow: hidden;
      }
      button span { overflow: hidden; text-overflow: ellipsis; }
      button:not(.strong) svg.icon, button.strong span { display: none; }
      button.strong { flex: 0 1 56px; }
      button.strong { background: color-mix(in srgb, var(--feature-color, var(--pq-accent)) 68%, #000); }
      .left { display: flex; align-items: center; gap: 6px; flex: none; font-variant-numeric: tabular-nums; }
      .left .ring { width: 28px; height: 28px; color: var(--feature-color, var(--pq-accent)); }
      .say { flex: 1 1 100%; align-self: center; overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
    `,
  ];
  static getStubConfig = (): { type: string } => ({ type: "custom:pimqtt-lease-feature" });
  static getConfigForm = (): ConfigForm => featureForm();

  @property({ attribute: false }) context?: { entity_id?: string };

  protected override readonly brief = true;

  protected override get entityId(): string | undefined {
    return this.context?.entity_id;
  }

  protected override checked(raw: Readonly<Record<string, unknown>>): FeatureConfig {
    return checkedFeature(raw);
  }

  protected override frame(body: TemplateResult): TemplateResult {
    return body;
  }

  protected override body(hass: Hass, config: FeatureConfig): TemplateResult {
    const { found, t } = this;
    if (!found || !fitsLease(found)) return html`<div class="row"></div>`;
    const left_s = shownLeft(found, performance.now());
    const away = fleetTrouble(this.fleet, t) ?? reachTrouble(found, hass, t);
    if (away) return html`<div class="row"><span class="say quiet" role="status" title=${away.help}>${away.title}</span></div>`;
    const share = this.fullness.share(left_s);
    const left = html`<span class="left" role="timer" aria-label=${t("lease.left", { left: countdown(left_s) })}>${ring(share)}${countdown(left_s)}</span>`;
    const said = html`<span class="say quiet" role="status" title=${this.said}>${this.said}</span>`;
    return html`<div class="row">${left_s > 0 ? left : html``}${this.said ? said : html``}${this.buttons(found, config, left_s, this.fleet.live)}</div>`;
  }
}
