/** `pimqtt-stop-card`: the emergency stop of everything, of a Pi, or of one device. */

import { css, html, nothing, type TemplateResult } from "lit";
import { state } from "lit/decorators.js";
import { emergencyStop, reset, type Answer, type Place } from "../api.js";
import { failed, refused } from "../asking.js";
import { BaseCard, type GridOptions } from "../base-card.js";
import type { ConfigForm } from "../forms.js";
import type { Connection, Hass } from "../hass.js";
import { icon } from "../icons.js";
import { theme } from "../theme.js";
import { checkedStop, stopForm, type StopConfig } from "./config.js";
import { allLatched, latchesOf, type Latched } from "./latches.js";
import { nameOf, reachOf } from "./reach.js";

/** An answer with the place that gave it. */
type Placed = Answer & { readonly node?: string | null; readonly device?: string | null };
type Call = (connection: Connection, place: Place) => Promise<readonly Answer[]>;

export class StopCard extends BaseCard<StopConfig> {
  static override styles = [
    theme,
    css`
      .body { display: grid; gap: 10px; padding: 14px 16px; align-content: center; flex: 1; }
      .state { display: flex; gap: 10px; align-items: center; min-height: 28px; }
      .state strong { font-weight: 500; }
      .state.latched { background: var(--pq-danger); color: #fff; padding: 10px 14px; border-radius: var(--pq-radius); }
      .state > svg { color: var(--pq-ok); }
      .state.latched > svg { color: inherit; }
      .state.unready > svg { color: var(--pq-warn); }
      .state ul { margin: 2px 0 0; padding-inline-start: 18px; }
      button.danger { min-height: 56px; font-size: 16px; border-radius: 28px; width: 100%; }
      pimqtt-hold-button { width: 100%; }
      .bad { color: color-mix(in srgb, var(--pq-bad) 80%, var(--primary-text-color, #212121)); font-weight: 500; }
      .bad:empty { display: none; }
    `,
  ];
  static getStubConfig = (): Record<string, unknown> => ({});
  static getConfigForm = (): ConfigForm => stopForm();

  @state() private said: readonly string[] = [];
  @state() private asking = false;

  getGridOptions(): GridOptions {
    return { columns: 6, rows: "auto", min_columns: 6 };
  }

  override getCardSize(): number {
    return 3;
  }

  protected override checked(raw: Readonly<Record<string, unknown>>): StopConfig {
    return checkedStop(raw);
  }

  protected override body(_hass: Hass, config: StopConfig): TemplateResult {
    const { t, fleet } = this;
    const latches = latchesOf(fleet, config);
    const name = config.name ?? nameOf(fleet, config) ?? t("stop.all");
    const all = fleet.live && fleet.connected && allLatched(fleet, config);
    return html`<div class="body">
      ${latches.length > 0 ? this.latched(name, latches) : nothing}
      ${this.readiness(name, config, latches.length > 0)}
      ${all
        ? nothing
        : html`<button class="danger" ?disabled=${this.preview} aria-label=${t("stop.of", { name })} @click=${() => void this.ask(emergencyStop, config)}>
            ${icon("stop")}${t("drive.emergency")}</button>`}
      ${latches.length > 0
        ? html`<pimqtt-hold-button kind="strong" .hold_ms=${1000} again=${t("hold.again")} @confirmed=${() => void this.askReset(config, latches)}>
            ${icon("reset")}${t("drive.reset")}</pimqtt-hold-button>`
        : nothing}
      <div class="bad" role="alert">${this.said.map((line) => html`<p>${line}</p>`)}</div>
    </div>`;
  }

  /** Ready, or who can't be reached; beside a latch only the latter is of interest. */
  private readiness(name: string, config: StopConfig, latched: boolean): TemplateResult | typeof nothing {
    const { t } = this;
    const { trouble, away } = reachOf(this.fleet, config, t);
    if (trouble !== null) return html`<div class="state unready" role="status">${icon("offline")}<span>${trouble}</span></div>`;
    if (latched) return nothing;
    const out = away.length > 0 ? html` <br /><small>${t("stop.out_of_reach", { names: away.join(", ") })}</small>` : nothing;
    return html`<div class="state" role="status">${icon("ok")}<span>${t("stop.ready", { name })}${out}</span></div>`;
  }

  private latched(name: string, latches: readonly Latched[]): TemplateResult {
    const { t } = this;
    const named = latches.length > 1 || latches[0]?.name !== name;
    return html`<div class="state latched" role="status">
      ${icon("stop")}
      <div><strong>${t("stop.latched")}</strong><br />${t("stop.latched_help")}
      ${named ? html`<ul>${latches.map((latch) => html`<li>${latch.name}</li>`)}</ul>` : nothing}</div>
    </div>`;
  }

  /** A device whose whole node is latched is freed with its node only; all of them by a reset of all. */
  private async askReset(config: StopConfig, latches: readonly Latched[]): Promise<void> {
    const whole = config.device !== undefined && latches.some(({ device }) => device === null);
    await this.ask(reset, whole && config.node !== undefined ? { node: config.node } : config);
  }

  private async ask(call: Call, { node, device }: Place): Promise<void> {
    const connection = this.hass?.connection;
    if (!connection || this.preview || (this.asking && call === reset)) return;
    this.asking = true;
    this.said = [];
    try {
      const answers = (await call(connection, { ...(node === undefined ? {} : { node }), ...(device === undefined ? {} : { device }) })) as readonly Placed[];
      this.said = answers.flatMap((answer) => this.told(answer));
    } catch (error) {
      this.said = [failed(error, this.t)];
    } finally {
      this.asking = false;
    }
  }

  private told(answer: Placed): string[] {
    const why = refused(answer, this.t);
    if (why === null) return [];
    const node = this.fleet.nodes.get(answer.node ?? "");
    const name = node?.name ?? answer.node;
    if (node && !node.online) return [this.t("trouble.offline", { name: node.name })];
    return [name ? `${name}: ${why}` : why];
  }
}
