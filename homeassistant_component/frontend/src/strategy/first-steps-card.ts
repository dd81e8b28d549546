/** `pimqtt-first-steps-card`: what to do while no Pi is there yet, or to add one. */

import { css, html, nothing, type TemplateResult } from "lit";
import { state } from "lit/decorators.js";
import { BaseCard, type CardConfig, type GridOptions } from "../base-card.js";
import { DOCUMENTATION } from "../documentation.js";
import type { Hass } from "../hass.js";
import { icon } from "../icons.js";
import type { Key, Translate } from "../localize.js";
import { theme } from "../theme.js";
import { fleetTrouble } from "../trouble.js";

export const TYPE = "pimqtt-first-steps-card";

export interface FirstStepsConfig extends CardConfig {
  /** There are Pis already: this is about another. */
  readonly more?: boolean;
}

/** The broker is most often where Home Assistant is; what this browser calls its own machine the Pi does not know. */
const HERE = /^(localhost|127\..*|\[::1\]|)$/;

const CONFIGURATION = `node: car1
mqtt: {host: ${HERE.test(location.hostname) ? "homeassistant.local" : location.hostname}}
hardware: {backend: pi}
devices:
  - {id: lamp, kind: switch, pin: 17, ttl: {default: 5}}`;

const install = (t: Translate): string => `sudo apt install git python3-venv python3-lgpio
# ${t("steps.beside")}
python3 -m venv --system-site-packages ~/venv
~/venv/bin/pip install './pimqtt[pi]'`;

const steps = (t: Translate): readonly (readonly [Key, string])[] => [
  ["steps.install", install(t)],
  ["steps.configure", CONFIGURATION],
  ["steps.run", "~/venv/bin/pimqtt doctor -c car1.yaml\n~/venv/bin/pimqtt run -c car1.yaml"],
];

export class FirstStepsCard extends BaseCard<FirstStepsConfig> {
  static override styles = [
    theme,
    css`
      .body { padding: 0 16px 16px; display: grid; gap: 12px; grid-template-columns: minmax(0, 1fr); }
      ol { margin: 0; padding-inline-start: 20px; display: grid; gap: 12px; grid-template-columns: minmax(0, 1fr); }
      .step { display: flex; align-items: center; justify-content: space-between; gap: 8px; min-height: 40px; }
      pre { margin: 0; padding: 12px; border-radius: 8px; background: var(--pq-fill); overflow-x: auto; font-size: 13px; direction: ltr; text-align: left; }
      .step button { min-height: 36px; padding: 0 14px; flex: none; }
    `,
  ];

  @state() private copied = -1;

  getGridOptions(): GridOptions {
    return { columns: 12, rows: "auto", min_columns: 6 };
  }

  override getCardSize(): number {
    return 8;
  }

  protected override checked(raw: Readonly<Record<string, unknown>>): FirstStepsConfig {
    return { ...raw, type: `custom:${TYPE}` };
  }

  protected override body(_hass: Hass, { more }: FirstStepsConfig): TemplateResult {
    const { t } = this;
    const trouble = more === true ? null : fleetTrouble(this.fleet, t);
    return html`<header>${more ? nothing : icon("wait")}<h2>${t(more ? "steps.another" : "steps.none")}</h2></header>
      ${trouble ? this.troubled(trouble) : nothing}
      <div class="body">
        <p>${t(more ? "steps.another_help" : "steps.none_help")}</p>
        <ol>${steps(t).map(([key, code], step) => html`<li><div class="step"><span>${t(key)}</span>${this.copy(code, step)}</div><pre tabindex="0">${code}</pre></li>`)}</ol>
        <p class="quiet">${t("steps.appears")}</p>
        ${more ? nothing : html`<p><a href=${DOCUMENTATION} target="_blank" rel="noreferrer">${t("steps.documentation")}</a></p>`}
        <span class="hidden" role="status">${this.copied < 0 ? "" : t("steps.copied")}</span>
      </div>`;
  }

  /** Browsers have a clipboard on https only. */
  private copy(code: string, step: number): TemplateResult | typeof nothing {
    if (!("clipboard" in navigator)) return nothing;
    const copy = async (): Promise<void> => {
      await navigator.clipboard.writeText(code);
      this.copied = step;
    };
    return html`<button @click=${() => void copy()}>${this.t(this.copied === step ? "steps.copied" : "steps.copy")}</button>`;
  }
}
