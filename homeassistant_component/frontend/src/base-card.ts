/** What all cards share: configuration, Home Assistant's state, the fleet, and words for what is wrong. */

import { html, LitElement, nothing, type CSSResultGroup, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { fleetOf, NOTHING, type FleetState } from "./fleet.js";
import type { Connection, Hass } from "./hass.js";
import { icon } from "./icons.js";
import { cardTranslator, pageTranslator, type Translate } from "./localize.js";
import { askForPages } from "./strategy/rebuilding.js";
import { theme } from "./theme.js";
import type { Trouble } from "./trouble.js";

export interface CardConfig {
  readonly type: string;
  readonly name?: string;
}

export interface GridOptions {
  columns: number | "full";
  rows: number | "auto";
  min_columns?: number;
  min_rows?: number;
}

/** A mistake in a card's configuration; Home Assistant shows its message in place of the card. */
export class ConfigError extends Error {}

/** Read the configuration's entity, or say that it is missing. */
export function entityOf(config: Readonly<Record<string, unknown>>): string {
  const { entity } = config;
  if (typeof entity === "string" && /^[a-z_]+\.[a-z0-9_]+$/.test(entity)) return entity;
  const t = pageTranslator();
  throw new ConfigError(entity === undefined || entity === "" ? t("config.no_entity") : t("config.bad_entity", { entity: JSON.stringify(entity) }));
}

/** Whether a card stands in Home Assistant's card picker, which does not tell it so. */
function isInPicker(card: Element): boolean {
  const root = card.getRootNode();
  return root instanceof ShadowRoot && root.host.localName === "hui-card-picker";
}

export abstract class BaseCard<C extends CardConfig> extends LitElement {
  static override styles: CSSResultGroup = theme;

  /** Set while the card is shown in an editor or picker: nothing is commanded then. */
  @property({ type: Boolean }) preview = false;
  @state() protected config: C | undefined;
  @state() protected fleet: FleetState = NOTHING;
  protected t: Translate = pageTranslator();
  private known: Hass | undefined;
  private connection: Connection | null = null;
  private unlisten: (() => void) | null = null;

  /** Check a configuration; throws ConfigError in words. */
  protected abstract checked(raw: Readonly<Record<string, unknown>>): C;
  protected abstract body(hass: Hass, config: C): TemplateResult;

  /** The entities whose states the card shows; a change of any other does not redraw it. */
  protected watched(): readonly string[] {
    return [];
  }

  setConfig(raw: Readonly<Record<string, unknown>>): void {
    this.config = this.checked(raw);
  }

  get hass(): Hass | undefined {
    return this.known;
  }

  set hass(hass: Hass | undefined) {
    const old = this.known;
    this.known = hass;
    if (!hass) return;
    if (old?.language !== hass.language) this.t = cardTranslator(hass, () => this.known);
    if (old?.connection !== hass.connection && this.isConnected) this.follow(hass.connection);
    if (!old || this.differs(old, hass)) this.requestUpdate();
  }

  override connectedCallback(): void {
    super.connectedCallback();
    if (isInPicker(this)) {
      this.preview = true;
      this.style.height = "auto"; // not as high as its neighbours there
    }
    if (this.known) this.follow(this.known.connection);
  }

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.unfollow();
  }

  getCardSize(): number {
    return 4;
  }

  /** Called when the card is on a page with a connection. */
  protected follow(connection: Connection): void {
    if (this.connection === connection) return;
    this.unfollow();
    this.connection = connection;
    this.unlisten = fleetOf(connection).listen((fleet) => {
      this.fleet = fleet;
      askForPages(this, () => this.fleet);
    });
  }

  /** Called when it leaves the page, or the connection is another. */
  protected unfollow(): void {
    this.unlisten?.();
    this.unlisten = null;
    this.connection = null;
  }

  protected troubled({ icon: name, title, help }: Trouble): TemplateResult {
    return html`<div class="trouble" role="status">${icon(name)}<strong>${title}</strong><p>${help}</p></div>`;
  }

  protected override render(): TemplateResult | typeof nothing {
    if (!this.known || !this.config) return nothing;
    return this.frame(this.body(this.known, this.config));
  }

  /** What stands around the body; a tile's feature has a frame already. In an article a header is not the page's. */
  protected frame(body: TemplateResult): TemplateResult {
    return html`<ha-card role="article">${body}</ha-card>`;
  }

  private differs(old: Hass, hass: Hass): boolean {
    if (old.language !== hass.language || old.locale !== hass.locale || old.localize !== hass.localize || old.user !== hass.user) return true;
    if (old.entities !== hass.entities || old.devices !== hass.devices) return true;
    return this.watched().some((id) => old.states[id] !== hass.states[id]);
  }
}
