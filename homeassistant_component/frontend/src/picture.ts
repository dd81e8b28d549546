/** A camera's picture: live where there is live video, else the newest still. */

import { css, html, LitElement, nothing, type PropertyValues, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
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

const STREAM = 2; // CameraEntityFeature.STREAM

/** The component's own camera of the same device (live video), where there is one. */
export function preferLive(hass: Hass, cameraId: string): string {
  const device = hass.entities[cameraId]?.device_id;
  if (!device) return cameraId;
  const live = Object.values(hass.entities).find(
    (entry) => entry?.device_id === device && entry.platform === "pimqtt" && entry.entity_id.startsWith("camera."),
  );
  return live && hass.states[live.entity_id]?.state !== "unavailable" ? live.entity_id : cameraId;
}

/** Whether Home Assistant streams it; MQTT's pictures are stills. */
export function isLive(hass: Hass, cameraId: string): boolean {
  const features = hass.states[cameraId]?.attributes["supported_features"];
  return typeof features === "number" && (features & STREAM) !== 0;
}

/** Where the newest still is; `salt` makes the browser fetch it again. */
export function stillUrl(hass: Hass, cameraId: string, salt: number): string | null {
  const token = hass.states[cameraId]?.attributes["access_token"];
  if (typeof token !== "string") return null;
  const path = `/api/camera_proxy/${cameraId}?token=${encodeURIComponent(token)}&t=${salt}`;
  return hass.hassUrl ? hass.hassUrl(path) : path;
}

/** When the camera's still was taken (ISO): its device's sensor tells. */
export function takenAt(hass: Hass, cameraId: string): string | null {
  const device = hass.entities[cameraId]?.device_id;
  if (!device) return null;
  for (const entry of Object.values(hass.entities)) {
    if (entry?.device_id !== device) continue;
    const entity = hass.states[entry.entity_id];
    if (entity?.attributes["device_class"] === "timestamp" && !Number.isNaN(Date.parse(entity.state))) return entity.state;
  }
  return null;
}

/** A camera has its first picture within this time after it came (ms); asking before is an error. */
const SETTLE_MS = 5000;

function isNew(hass: Hass, cameraId: string): boolean {
  const age_ms = Date.now() - Date.parse(hass.states[cameraId]?.last_changed ?? "");
  return age_ms >= 0 && age_ms < SETTLE_MS;
}

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
  /** A still is fetched again so often (ms). */
  @property({ attribute: false }) refresh_ms = 5000;
  @state() private failed = false;
  @state() private salt = 0;
  private timer: ReturnType<typeof setInterval> | undefined;
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
  }

  protected override willUpdate(changed: PropertyValues<this>): void {
    if (changed.has("refresh_ms") && this.isConnected) this.beat();
    if (changed.has("entity")) this.failed = false;
    if (this.live && this.hass) this.live.hass = this.hass;
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
    const name = hass.states[entity]?.attributes["friendly_name"];
    if (url === null || this.failed || isNew(hass, entity)) return html`<p>${t("picture.none")}</p>`;
    return html`<img
      src=${url}
      alt=${t("picture.of", { name: typeof name === "string" ? name : entity })}
      draggable="false"
      @error=${() => { this.failed = true; }}
    />`;
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
