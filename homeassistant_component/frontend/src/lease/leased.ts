/** What the lease card and the tile's feature share: one output, its countdown, and what is sent to it. */

import { html, type TemplateResult } from "lit";
import { state } from "lit/decorators.js";
import { sendCommand, type Command } from "../api.js";
import { refusal } from "../asking.js";
import { BaseCard } from "../base-card.js";
import { find, shownLeft, type Found } from "../fleet.js";
import { icon, type Icon } from "../icons.js";
import { choices, end, extend, Fullness, isLevel, onFor } from "./commands.js";
import type { FeatureConfig } from "./config.js";

/** While a lease runs it is drawn so often (ms). */
const DRAW_MS = 500;

export abstract class Leased<C extends FeatureConfig> extends BaseCard<C> {
  @state() protected busy = false;
  /** Why the last command was refused, until the next. */
  @state() protected said = "";
  /** Whether there is little room for words. */
  protected readonly brief: boolean = false;
  protected readonly fullness = new Fullness();
  private drawing: ReturnType<typeof setTimeout> | undefined;

  protected abstract get entityId(): string | undefined;

  override disconnectedCallback(): void {
    clearTimeout(this.drawing);
    super.disconnectedCallback();
  }

  protected override watched(): readonly string[] {
    return this.entityId === undefined ? [] : [this.entityId];
  }

  protected override updated(): void {
    clearTimeout(this.drawing);
    const { found } = this;
    if (this.isConnected && found && shownLeft(found, performance.now()) > 0)
      this.drawing = setTimeout(() => { this.requestUpdate(); }, DRAW_MS);
  }

  protected get found(): Found | null {
    return this.entityId === undefined ? null : find(this.fleet, this.entityId);
  }

  /** The buttons that make sense now. */
  protected buttons(found: Found, config: C, left_s: number, reachable: boolean): TemplateResult {
    const { t } = this;
    const disabled = !reachable || this.busy || this.preview;
    const button = (name: Icon, label: string, text: string, command: () => Command, strong = false): TemplateResult =>
      html`<button class=${strong ? "strong" : ""} ?disabled=${disabled} aria-label=${label} title=${label} @click=${() => { void this.send(command()); }}>
        ${icon(name)}<span>${text}</span></button>`;
    const stop = isLevel(found) ? t("lease.end") : t("lease.stop");
    const over = (strong: boolean): TemplateResult => button("end", stop, stop, () => end(found), strong);
    if (left_s > 0) {
      const [longer] = isLevel(found) ? choices(found, config.minutes) : [];
      if (longer === undefined) return over(true);
      const label = t("lease.extend", { minutes: longer });
      const text = this.brief ? t("lease.plus", { minutes: longer }) : label;
      return html`${button("plus", label, text, () => extend(found, longer, performance.now()))}${over(true)}`;
    }
    if (!isLevel(found)) return over(false);
    return html`${choices(found, config.minutes).map((minutes) =>
      button("timer", t("lease.on_for", { minutes }), t("lease.minutes", { minutes }), () => onFor(found, minutes)),
    )}`;
  }

  private async send(command: Command): Promise<void> {
    const connection = this.hass?.connection;
    if (!connection || this.preview || this.busy) return;
    this.busy = true;
    this.said = "";
    try {
      this.said = await refusal(sendCommand(connection, command), this.t);
    } finally {
      this.busy = false;
    }
  }
}
