/** `pimqtt-drive-card`: a joystick over the camera's picture. */

import { html, nothing, type TemplateResult } from "lit";
import { state } from "lit/decorators.js";
import { emergencyStop, reset, type Answer, type Place } from "../api.js";
import { failed, refused } from "../asking.js";
import { BaseCard, type GridOptions } from "../base-card.js";
import { ageStyles } from "../camera/age.js";
import { sourceOf } from "../camera/sources.js";
import { takenSensor } from "../camera-entity.js";
import { find, type Found } from "../fleet.js";
import type { ConfigForm } from "../forms.js";
import type { Connection, Hass } from "../hass.js";
import { Seen } from "../seen.js";
import { theme } from "../theme.js";
import { entityTrouble, fleetTrouble, reachTrouble } from "../trouble.js";
import { cameraOf } from "./camera.js";
import { checkedDrive, driveForm, fitsDrive, stubDrive, type DriveConfig } from "./config.js";
import { Driving } from "./driving.js";
import { holding, mayDrive, type Holding } from "./holder.js";
import { limitPct, STILL } from "./stick.js";
import { STILL_MS, Stills, type Look } from "./stills.js";
import { driveStyles } from "./styles.js";
import { age, controls, header, othersOf, pad, toldList, type Actions } from "./view.js";
import { errorWords, gamepadHint, lasting, sentence } from "./words.js";

/** Without a lease of our own the card is drawn again so often (ms): picture age, others' leases. */
const LOOK_MS = 1000;

export class DriveCard extends BaseCard<DriveConfig> {
  static override styles = [theme, ageStyles, driveStyles];
  static getStubConfig = stubDrive;
  static getConfigForm = (): ConfigForm => driveForm();

  @state() private said = "";
  @state() private taking = false;
  private driving: Driving | null = null;
  private camera: string | null = null;
  private ticks: ReturnType<typeof setInterval> | undefined;
  private readonly seen = new Seen(this, () => { this.requestUpdate(); });
  private readonly stills = new Stills();
  /** What the slider was set to; null while the configuration's limit holds. */
  private slid: number | null = null;

  /** Another configuration is another car or another reason to stand: stop first. */
  override setConfig(raw: Readonly<Record<string, unknown>>): void {
    const old = this.config;
    super.setConfig(raw);
    if (old && JSON.stringify(old) === JSON.stringify(this.config)) return;
    this.leave();
    this.slid = null;
  }

  getGridOptions(): GridOptions {
    return { columns: 12, rows: "auto", min_columns: 6 };
  }

  override getCardSize(): number {
    return 9;
  }

  override connectedCallback(): void {
    super.connectedCallback();
    this.ticks = setInterval(() => { this.requestUpdate(); }, LOOK_MS);
  }

  override disconnectedCallback(): void {
    clearInterval(this.ticks);
    this.leave();
    super.disconnectedCallback();
  }

  protected override checked(raw: Readonly<Record<string, unknown>>): DriveConfig {
    return checkedDrive(raw);
  }

  protected override watched(): readonly string[] {
    const { hass, camera } = this;
    const taken = hass && camera !== null ? takenSensor(hass, camera) : null;
    return [this.config?.entity, camera, taken].filter((id) => id !== undefined && id !== null);
  }

  protected override unfollow(): void {
    this.leave();
    super.unfollow();
  }

  protected override willUpdate(): void {
    const { hass, config, found } = this;
    if (!hass || !config || !this.isConnected) return;
    if (!found || !fitsDrive(found) || this.preview) this.leave();
    else if (!this.driving) this.enter(hass.connection, config, found);
    this.camera = found ? cameraOf(hass, found, config.camera) : (config.camera ?? null);
    if (this.driving) this.driving.limitPct = this.limit;
  }

  protected override updated(): void {
    const { hass, config } = this;
    if (hass && config) this.stills.look(this.look(hass, config), Date.now());
  }

  protected override body(hass: Hass, config: DriveConfig): TemplateResult {
    const { found, t } = this;
    const trouble =
      (found ? null : fleetTrouble(this.fleet, t)) ?? entityTrouble(hass, this.fleet, config.entity, fitsDrive, t("kind.drive"), t);
    if (trouble || !found) return trouble ? this.troubled(trouble) : html``;
    return this.car(hass, config, found);
  }

  private car(hass: Hass, config: DriveConfig, found: Found): TemplateResult {
    const { driving, t } = this;
    const held = this.holding(found);
    const title = config.name ?? found.device.name;
    const allowed = mayDrive(held) && !this.preview && found.node.supported;
    const said = this.say(found, held, hass);
    return html`${header(title, held, driving?.sender.roundTrip() ?? null, t)}
      <div class="stage ${this.camera === null ? "" : "seen"}">
        ${this.camera === null ? nothing : this.picture(hass, this.camera)}
        <div class="place">${pad(driving, driving?.inputs.knob ?? STILL, allowed, config.keyboard !== false, title, t)}</div>
      </div>
      <p class="say ${said ? this.tone(held) : "quiet"}" role="status" aria-live="polite">${said || this.hint(config)}</p>
      ${controls(held, this.limit, this.preview, this.taking, this.actions(found), t)}
      ${toldList(othersOf([...(driving?.told ?? []), ...found.entity.last], driving?.standing.owner ?? null), hass, t)}`;
  }

  private get found(): Found | null {
    return this.config ? find(this.fleet, this.config.entity) : null;
  }

  private get limit(): number {
    return this.slid ?? limitPct(this.config?.speed_limit);
  }

  private holding(found: Found): Holding {
    const now = performance.now();
    if (this.driving) return holding(found, this.driving.standing, now);
    return this.preview && found.node.online ? { kind: "free" } : { kind: "disconnected" };
  }

  private say(found: Found, held: Holding, hass: Hass): string {
    if (this.said) return this.said;
    const trouble = fleetTrouble(this.fleet, this.t) ?? reachTrouble(found, hass, this.t);
    if (trouble) return `${trouble.title}. ${trouble.help}`;
    return this.driving ? sentence(this.driving, held, hass, this.t) : "";
  }

  private tone(held: Holding): "bad" | "" {
    const { driving } = this;
    const refused = driving && (driving.error ?? lasting(driving, held, performance.now()));
    return refused || held.kind === "latched" ? "bad" : "";
  }

  private hint({ keyboard, gamepad }: DriveConfig): string {
    const touch = window.matchMedia("(pointer: coarse)").matches;
    const hint = this.t(keyboard === false || touch ? "drive.hint" : "drive.hint_keys");
    const pads = gamepad === false || !this.driving ? null : gamepadHint(this.driving.inputs);
    return pads === null ? hint : `${hint} ${this.t(pads)}`;
  }

  /** What fresh stills are asked for: by whoever may drive, for a camera of ours that is there and shows no live video. */
  private look(hass: Hass, { stills }: DriveConfig): Look {
    const { driving, camera } = this;
    const asks = stills !== false && camera !== null && this.fleet.live && this.fleet.connected && driving?.standing.connected;
    const source = asks ? sourceOf(camera, this.fleet, hass) : null;
    return {
      connection: hass.connection,
      camera: source && !source.live ? source.snapshot : null,
      taken: source?.taken ?? null,
      seen: this.seen.now,
      driving: driving?.sender.driving ?? false,
    };
  }

  private picture(hass: Hass, camera: string): TemplateResult {
    const refresh = this.driving?.sender.driving ? STILL_MS.driving : STILL_MS.idle;
    const { taken } = sourceOf(camera, this.fleet, hass);
    return html`<pimqtt-picture .hass=${hass} entity=${camera} .newest=${taken} .refresh_ms=${refresh}></pimqtt-picture>${age(taken, this.t)}`;
  }

  private enter(connection: Connection, config: DriveConfig, { entity }: Found): void {
    const current = (): Found | null => this.found;
    this.driving = new Driving({
      connection,
      entityId: config.entity,
      rate_hz: config.rate_hz ?? null,
      deadman_s: entity.deadman_s ?? 0.5,
      keyboard: config.keyboard !== false,
      gamepad: config.gamepad !== false,
      seen: () => this.seen.now,
      allowed: () => {
        const found = current();
        return found !== null && mayDrive(this.holding(found));
      },
      shared: () => current()?.entity.control === "shared",
      changed: () => {
        if (this.driving?.sender.driving) this.said = "";
        this.requestUpdate();
      },
      // told until the next drive: there may soon be a session again, and its user would wonder why the car stands
      interrupted: (error) => { this.said = errorWords(error, this.t); },
    });
    this.driving.start();
  }

  private leave(): void {
    const { driving } = this;
    this.driving = null;
    driving?.end();
  }

  private actions({ node, device }: Found): Actions {
    const place: Place = { node: node.id, device: device.id };
    return {
      letGo: () => { this.driving?.letGo(); },
      take: () => { this.driving?.take(); },
      taking: (used) => { this.taking = used; },
      limit: (pct) => {
        this.slid = limitPct(pct);
        this.requestUpdate();
      },
      emergency: () => {
        this.driving?.stop();
        void this.ask(emergencyStop, place);
      },
      // What latched it is what has to be reset: a node's latch is not a device's.
      reset: () => { void this.ask(reset, device.latched_by === "node" ? { node: node.id } : place); },
    };
  }

  private async ask(call: (connection: Connection, place: Place) => Promise<readonly Answer[]>, place: Place): Promise<void> {
    const connection = this.hass?.connection;
    if (!connection || this.preview) return;
    this.said = "";
    try {
      this.said = (await call(connection, place)).map((answer) => refused(answer, this.t)).find((words) => words !== null) ?? "";
    } catch (error) {
      this.said = failed(error, this.t);
    }
  }
}
