/** A camera's picture: live where there is live video, else the newest still. */

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { cameraName, hasStill, isLive, stillUrl, takenAt } from "./camera-entity.js";
import type { Hass } from "./hass.js";
import { translator } from "./localize.js";

interface CardElement extends HTMLElement {
  hass?: Hass | undefined;
}

declare global {
  interface Window {
    loadCardHelpers?: () => Promise<{ createCardElement: (config: Record<string, unknown>) => CardElement }>;
  }
}

/** The time of a still and the still come by two connections; it is there so long after its time (ms). */
const BEHIND_MS = 300;

export class Picture extends LitElement {
  static override styles = css`
    :host { display: block; }
    img, .live, .live > * { display: block; width: 100%; height: 100%; }
    img { object-fit: contain; }
    .live { --ha-card-border-width: 0; --ha-card-border-radius: 0; --ha-card-background: transparent; pointer-events: none; }
    p { margin: 0; height: 100%; display: grid; place-items: center; text-align: center; padding: 16px; box-sizing: border-box; }
  `;

  @property({ attribute: false }) hass?: Hass;
  @property() entity = "";
  /** A still is fetched again so often (ms), and whenever there is a newer one. */
  @property({ attribute: false }) refresh_ms = 5000;
  /** When the newest still was taken, where that is known sooner than Home Assistant shows it (ISO). */
  @property({ attribute: false }) newest: string | null = null;
  @state() private failed = false;
  @state() private salt = 0;
  private timer: ReturnType<typeof setInterval> | undefined;
  /** When the still was taken that is shown, or on its way; undefined before the first look. */
  private taken: string | null | undefined;
  /** The very first still was taken, and is on its way. */
  private coming = false;
  private live: CardElement | null = null;
  private liveOf = "";

  override connectedCallback(): void {
    super.connectedCallback();
    this.beat();
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    clearInterval(this.timer);
  }

  /** Fetch the still again, now. */
  refresh(): void {
    this.failed = false;
    this.salt += 1;
    if (this.isConnected) this.beat();
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("refresh_ms") && this.isConnected) this.beat();
    if (changed.has("entity")) {
      this.failed = this.coming = false;
      this.taken = undefined;
    }
    if (this.live && this.hass) this.live.hass = this.hass;
    if (this.hass) this.follow(this.newest ?? takenAt(this.hass, this.entity));
  }

  protected override render(): TemplateResult | typeof nothing {
    const { hass, entity } = this;
    if (!hass || !entity) return nothing;
    if (isLive(hass, entity) && window.loadCardHelpers) {
      if (this.liveOf !== entity) void this.loadLive(window.loadCardHelpers, entity);
      return html`<div class="live">${this.live}</div>`;
    }
    const url = stillUrl(hass, entity, this.salt);
    const t = translator(hass.language);
    if (url === null || this.failed || this.coming || !hasStill(hass, entity, Date.now())) return html`<p>${t("picture.none")}</p>`;
    return html`<img
      src=${url}
      alt=${t("picture.of", { name: cameraName(hass, entity) })}
      draggable="false"
      @error=${() => { this.failed = true; }}
    />`;
  }

  /** Fetch a newer still when it is there. */
  private follow(taken: string | null): void {
    const before = this.taken;
    this.taken = taken;
    if (before === undefined || before === taken || taken === null) return;
    this.coming ||= before === null;
    setTimeout(() => {
      this.coming = false;
      if (this.isConnected && document.visibilityState !== "hidden") this.refresh();
    }, BEHIND_MS);
  }

  private async loadLive(load: NonNullable<Window["loadCardHelpers"]>, entity: string): Promise<void> {
    this.liveOf = entity;
    const { createCardElement } = await load();
    const config = { type: "picture-entity", entity, camera_view: "live", show_name: false, show_state: false };
    const element = createCardElement({ ...config, tap_action: { action: "none" }, hold_action: { action: "none" } });
    if (this.hass) element.hass = this.hass;
    this.live = element;
    this.requestUpdate();
  }

  private beat(): void {
    clearInterval(this.timer);
    this.timer = setInterval(() => {
      if (document.visibilityState !== "hidden") this.refresh();
    }, this.refresh_ms);
  }
}
