/** `pimqtt-camera-card`: one camera or a wall of them: the last picture with its age, a fresh one on request. */

import { css, html, nothing, type TemplateResult } from "lit";
import { state } from "lit/decorators.js";
import { takeSnapshot } from "../api.js";
import { refusal } from "../asking.js";
import { BaseCard, type GridOptions } from "../base-card.js";
import { hasStill } from "../camera-entity.js";
import type { ConfigForm } from "../forms.js";
import type { Hass } from "../hass.js";
import { icon } from "../icons.js";
import { moreInfo } from "../navigate.js";
import type { Picture } from "../picture.js";
import { theme } from "../theme.js";
import { Ticker } from "../ticker.js";
import { ageLabel, ageOf, ageStyles, ageWords } from "./age.js";
import { cameraForm, checkedCamera, stubCamera, type CameraConfig } from "./config.js";
import { eachOnce, sourceOf, type Source } from "./sources.js";

/** A still is told to be old from here on (s): by then a scheduled one should have come. */
const OLD_S = 3600;

export class CameraCard extends BaseCard<CameraConfig> {
  static override styles = [
    theme,
    ageStyles,
    css`
      ha-card { height: auto; }
      .wall { display: grid; align-items: start; gap: 8px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 300px), 1fr)); flex: 1; }
      .wall.many { padding: 8px; }
      figure { margin: 0; display: flex; flex-direction: column; min-width: 0; overflow: hidden; }
      .many figure { border-radius: var(--pq-radius); border: 1px solid var(--pq-line); }
      .stage { position: relative; aspect-ratio: 4 / 3; max-height: 72vh; background: #111; color: #fff; }
      .stage button { position: absolute; inset: 0; width: 100%; height: 100%; padding: 0; border-radius: 0; background: none; }
      .stage button:hover:not(:disabled) { background: none; }
      .stage button:focus-visible { outline-offset: -3px; }
      pimqtt-picture { position: absolute; inset: 0; }
      .away { pointer-events: none; position: absolute; inset: 0; display: grid; place-items: center; padding: 16px; background: #000a; text-align: center; }
      figcaption { display: flex; align-items: center; gap: 6px; padding-block: 6px; padding-inline: 14px 8px; }
      figcaption h2 { font-size: 15px; }
      figcaption button { width: 44px; padding: 0; flex: none; }
      .bad { padding: 0 14px 10px; color: color-mix(in srgb, var(--pq-bad) 80%, var(--primary-text-color, #212121)); font-weight: 500; }
      .bad:empty { display: none; }
    `,
  ];
  static getStubConfig = stubCamera;
  static getConfigForm = (): ConfigForm => cameraForm();

  /** Why a snapshot was refused, by camera. */
  @state() private said: Readonly<Record<string, string>> = {};
  @state() private asking: ReadonlySet<string> = new Set();

  constructor() {
    super();
    new Ticker(this, () => this.sources().some(({ taken }) => taken !== null));
  }

  getGridOptions(): GridOptions {
    return { columns: 12, rows: "auto", min_columns: 6 };
  }

  override getCardSize(): number {
    return 6;
  }

  protected override checked(raw: Readonly<Record<string, unknown>>): CameraConfig {
    return checkedCamera(raw);
  }

  protected override watched(): readonly string[] {
    const { hass, config } = this;
    if (!hass || !config) return [];
    const devices = new Set(config.entities.map((id) => hass.entities[id]?.device_id).filter((id) => id));
    const siblings = Object.values(hass.entities).filter((entry) => entry && devices.has(entry.device_id));
    return [...config.entities, ...siblings.map((entry) => entry?.entity_id ?? "")];
  }

  protected override body(hass: Hass, config: CameraConfig): TemplateResult {
    const { t } = this;
    const sources = this.sources();
    if (sources.length === 0) return this.troubled({ icon: "camera", title: t("camera.none"), help: t("camera.none_help") });
    return html`${config.name && sources.length > 1 ? html`<header><h2>${config.name}</h2></header>` : nothing}
      <div class="wall ${sources.length > 1 ? "many" : ""}">${sources.map((source) => this.tile(source, hass, config))}</div>`;
  }

  private sources(): Source[] {
    const { hass, config, fleet } = this;
    return hass && config ? eachOnce(config.entities, hass).map((id) => sourceOf(id, fleet, hass)) : [];
  }

  private tile(source: Source, hass: Hass, config: CameraConfig): TemplateResult {
    const { entity, away, snapshot } = source;
    const name = config.entities.length === 1 ? (config.name ?? source.name) : source.name;
    const { t } = this;
    return html`<figure>
      <div class="stage">
        ${away !== null ? nothing : html`<pimqtt-picture data-camera=${entity} .hass=${hass} entity=${entity} .newest=${source.taken} .refresh_ms=${config.refresh_s * 1000}></pimqtt-picture>`}
        <button aria-label=${t("camera.open", { name })} ?disabled=${away === "missing"} @click=${() => { moreInfo(this, entity); }}></button>
        ${away === null ? this.age(source, hass) : html`<span class="away">${t(away === "missing" ? "trouble.missing" : "camera.away", { entity, name })}</span>`}
      </div>
      <figcaption>
        <h2 title=${name}>${name}</h2>
        <button aria-label=${t("camera.refresh", { name })} title=${t("camera.refresh", { name })} ?disabled=${away !== null} @click=${() => { this.refresh(entity); }}>${icon("refresh")}</button>
        ${snapshot === null
          ? nothing
          : html`<button aria-label=${t("camera.snapshot", { name })} title=${t("camera.snapshot", { name })} ?disabled=${this.preview || this.asking.has(snapshot)}
              @click=${() => void this.snap(snapshot)}>${icon("camera")}</button>`}
      </figcaption>
      <p class="bad" role="status" aria-live="polite">${this.said[snapshot ?? entity] ?? ""}</p>
    </figure>`;
  }

  private age({ entity, taken, live }: Source, hass: Hass): TemplateResult | typeof nothing {
    const now = Date.now();
    if (live) return ageLabel(this.t("camera.live"));
    if (!hasStill(hass, entity, now)) return nothing;
    if (taken === null) return ageLabel(this.t("camera.age_unknown"));
    const seconds = ageOf(taken, now);
    return ageLabel(ageWords(seconds, this.t), seconds > OLD_S);
  }

  private refresh(entity: string): void {
    for (const picture of this.renderRoot.querySelectorAll<Picture>("pimqtt-picture"))
      if (picture.entity === entity) picture.refresh();
  }

  private async snap(camera: string): Promise<void> {
    const connection = this.hass?.connection;
    if (!connection || this.preview) return;
    this.asking = new Set([...this.asking, camera]);
    const said = await refusal(takeSnapshot(connection, camera), this.t);
    this.asking = new Set([...this.asking].filter((each) => each !== camera));
    this.said = { ...this.said, [camera]: said };
  }
}
