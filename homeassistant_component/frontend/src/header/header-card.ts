/** `pimqtt-header-card`: the 40-pin header as a picture, with who uses which pin, and its level. */

import { html, nothing, type TemplateResult } from "lit";
import { state } from "lit/decorators.js";
import { sendCommand, type Command } from "../api.js";
import { refusal, why } from "../asking.js";
import { BaseCard, type GridOptions } from "../base-card.js";
import type { Known } from "../fleet.js";
import type { ConfigForm } from "../forms.js";
import type { Connection, Hass } from "../hass.js";
import { stubNode, type NodeConfig } from "../node-config.js";
import { Seen } from "../seen.js";
import { theme } from "../theme.js";
import { fleetTrouble } from "../trouble.js";
import { nodeTrouble } from "../node-trouble.js";
import { checkedHeader, headerForm } from "./config.js";
import { detail, type Setting } from "./detail.js";
import { drawn } from "./draw.js";
import { layoutOf, neighbour, type Layout } from "./layout.js";
import { Levels } from "./levels.js";
import { headerStyles } from "./styles.js";
import type { HeaderPin } from "./table.js";
import { byLine, inConflict, usesOf, type Use } from "./uses.js";

const LEGEND = [["gpio", "GPIO"], ["i2c", "I2C"], ["spi", "SPI"], ["uart", "UART"], ["pcm", "PCM"], ["id", "ID"], ["5v", "5V"], ["3v3", "3V3"], ["ground", "GND"]] as const;

export class HeaderCard extends BaseCard<NodeConfig> {
  static override styles = [theme, headerStyles];
  static getStubConfig = stubNode;
  static getConfigForm = (): ConfigForm => headerForm();

  /** The pin that the keyboard stands on. */
  @state() private selected = 1;
  @state() private open = false;
  @state() private said = "";
  @state() private ttl_s: number | null = null;
  private levels: Levels | null = null;
  private readonly seen = new Seen(this, () => this.levels?.soon());
  private lastStates = "";

  override setConfig(raw: Readonly<Record<string, unknown>>): void {
    const before = this.config?.node;
    super.setConfig(raw);
    if (before !== undefined && before !== this.config?.node) this.restart();
  }

  getGridOptions(): GridOptions {
    return { columns: 12, rows: "auto", min_columns: 9 };
  }

  override getCardSize(): number {
    return 12;
  }

  protected override checked(raw: Readonly<Record<string, unknown>>): NodeConfig {
    return checkedHeader(raw);
  }

  protected override watched(): readonly string[] {
    const entities = this.node?.devices.flatMap((device) => device.entities) ?? [];
    return entities.map(({ entity_id: id }) => id).filter((id) => id !== null);
  }

  protected override follow(connection: Connection): void {
    super.follow(connection);
    this.restart();
  }

  protected override unfollow(): void {
    this.levels?.end();
    this.levels = null;
    super.unfollow();
  }

  protected override updated(): void {
    const { hass, node } = this;
    if (!hass || !node) return;
    if (!this.levels) this.restart();
    if (node.online) this.levels?.start();
    else this.levels?.end();
    const states = this.watched().map((id) => hass.states[id]?.state).join();
    if (states !== this.lastStates) this.levels?.soon();
    this.lastStates = states;
  }

  protected override body(hass: Hass, config: NodeConfig): TemplateResult {
    const { node, t } = this;
    const trouble = node ? null : (fleetTrouble(this.fleet, t) ?? nodeTrouble(config.node, t));
    if (trouble || !node) return trouble ? this.troubled(trouble) : html``;
    return this.header(hass, node, config.name ?? node.name);
  }

  private header(hass: Hass, node: Known, name: string): TemplateResult {
    const { t } = this;
    const layout = layoutOf(node.model ?? this.levels?.model ?? null);
    const uses = usesOf(node, this.levels?.pins ?? null, hass);
    const lines = byLine(uses);
    const at = (pin: HeaderPin): readonly Use[] => (pin.line === null ? [] : (lines.get(pin.line) ?? []));
    const chosen = layout.pins.find(({ pin }) => pin === this.selected);
    const drawing = {
      pins: layout.pins, uses: at, selected: this.selected, open: this.open,
      choose: (pin: number, open: boolean) => { this.choose(pin, open); },
      key: (event: KeyboardEvent) => { this.key(event, layout); },
    };
    return html`<header><h2>${name}</h2><span class="quiet">${node.model ?? t("header.model_unknown")}</span></header>
      ${this.notes(node, lines)}
      <div class="body">
        ${drawn(drawing, node.name, t)}
        ${chosen && this.open ? detail(chosen, at(chosen), layout, this.setting(node), hass, t) : html`<p class="quiet note">${t("header.hint")}</p>`}
        <ul class="legend" aria-hidden="true">${LEGEND.map(([kind, word]) => html`<li class="pin ${kind}"><i></i>${word}</li>`)}<li>${t("header.signs")}</li></ul>
      </div>`;
  }

  private notes(node: Known, lines: ReadonlyMap<number | null, readonly Use[]>): TemplateResult {
    const { t } = this;
    const conflicts = [...lines].filter(([line, uses]) => line !== null && inConflict(uses)).map(([line]) => `GPIO${line}`);
    const others = lines.get(null) ?? [];
    const notes = [
      node.online ? "" : t("trouble.offline", { name: node.name }),
      node.pins === null && !this.levels?.pins ? t("header.untold", { version: node.version ?? "?" }) : "",
      node.pins !== null && node.online && this.levels?.error ? t("header.no_levels", { reason: why(this.levels.error, t) }) : "",
      others.length > 0 ? t("header.elsewhere", { lines: others.map(({ line, name }) => `${line} (${name})`).join(", ") }) : "",
    ].filter((note) => note !== "");
    return html`${conflicts.length > 0 ? html`<p class="note bad">${t("header.conflicts", { lines: conflicts.join(", ") })}</p>` : nothing}
      ${notes.map((note) => html`<p class="note">${note}</p>`)}`;
  }

  private setting(node: Known): Setting {
    return {
      ttl_s: this.ttl_s,
      typed: (ttl_s) => { this.ttl_s = ttl_s; },
      send: (command) => void this.send(command),
      said: this.said,
      disabled: this.preview || !node.online || !node.supported || !this.fleet.connected,
    };
  }

  private get node(): Known | undefined {
    return this.config ? this.fleet.nodes.get(this.config.node) : undefined;
  }

  private choose(pin: number, open: boolean): void {
    if (pin !== this.selected) {
      this.said = "";
      this.ttl_s = null;
    }
    this.selected = pin;
    this.open ||= open;
  }

  private key(event: KeyboardEvent, layout: Layout): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Enter" || event.key === " ") this.choose(this.selected, true);
    else if (event.key === "Escape") this.open = false;
    else if (/^(Arrow|Home$|End$)/.test(event.key)) this.walk(neighbour(this.selected, event.key, layout.pins.length));
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private walk(pin: number): void {
    this.choose(pin, false);
    void this.updateComplete.then(() => this.renderRoot.querySelector<SVGElement>(`#pin-${pin}`)?.focus());
  }

  private restart(): void {
    const { hass, config } = this;
    this.levels?.end();
    this.levels = null;
    if (!hass || !config || !this.isConnected) return;
    this.levels = new Levels(hass.connection, config.node, () => { this.requestUpdate(); }, () => this.seen.now);
  }

  private async send(command: Command): Promise<void> {
    const connection = this.hass?.connection;
    if (!connection || this.preview) return;
    this.said = await refusal(sendCommand(connection, command), this.t);
    this.levels?.soon();
  }
}
