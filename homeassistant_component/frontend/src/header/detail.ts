/** All about the chosen pin: what it can be, who uses it, and its output to set for a while. */

import { html, nothing, type TemplateResult } from "lit";
import type { Command } from "../api.js";
import type { Hass } from "../hass.js";
import { icon } from "../icons.js";
import type { Translate } from "../localize.js";
import { moreInfo } from "../navigate.js";
import { functionsOf, type Layout } from "./layout.js";
import type { HeaderPin } from "./table.js";
import { inConflict, outputOf, type Use } from "./uses.js";
import { kindWords, levelWords, pinName, useWords } from "./words.js";

/** Where neither the configuration nor the user says how long (s). */
const TTL_S = 5;

export interface Setting {
  /** How long, as the user typed it (s); null: the output's own default. */
  readonly ttl_s: number | null;
  readonly typed: (ttl_s: number | null) => void;
  readonly send: (command: Command) => void;
  readonly said: string;
  /** Nothing is commanded: in an editor, or while the node is away. */
  readonly disabled: boolean;
}

export function detail(pin: HeaderPin, uses: readonly Use[], layout: Layout, setting: Setting, hass: Hass, t: Translate): TemplateResult {
  const functions = functionsOf(pin, layout);
  return html`<section class="detail" aria-label=${t("header.pin", { pin: pin.pin })}>
    <h3>${t("header.pin", { pin: pin.pin })}: ${pinName(pin)}${pin.line !== null && pin.usual ? html` <span class="quiet">${pin.usual}</span>` : nothing}</h3>
    ${inConflict(uses) ? html`<p class="bad">${t("header.conflict_help", { count: uses.length })}</p>` : nothing}
    ${uses.map((use) => used(use, setting, hass, t))}
    ${uses.length === 0 ? html`<p>${about(pin, t)}</p>` : nothing}
    ${pin.line === 3 ? html`<p class="quiet">${t("header.wakes")}</p>` : nothing}
    ${functions.length > 0 ? html`<p class="quiet">${t("header.functions", { functions: functions.join(", ") })}</p>` : nothing}
    <p role="status" aria-live="polite" class="bad">${setting.said}</p>
  </section>`;
}

const about = (pin: HeaderPin, t: Translate): string => {
  if (pin.kind === "ground") return t("header.ground");
  if (pin.line === null) return t("header.supply", { volts: pin.usual });
  return t(pin.kind === "id" ? "header.keep_free_help" : "header.free_help");
};

function used(use: Use, setting: Setting, hass: Hass, t: Translate): TemplateResult {
  const output = use.device ? outputOf(use.device) : null;
  const id = output?.entity_id ?? use.device?.entities.find(({ entity_id: each }) => each !== null)?.entity_id ?? null;
  const mode = use.mode ? `${t(`header.mode.${use.mode}`)}, ` : "";
  return html`<div>
    <p><strong>${useWords(use, t)}</strong> <span class="quiet">${use.device ? kindWords(use.device.kind, t) : ""}</span></p>
    <p>${mode}${levelWords(use, t)}</p>
    <div class="set">
      ${output?.entity_id ? set(output.entity_id, use, setting, hass, t) : nothing}
      ${id ? html`<button @click=${(event: Event) => { moreInfo(event.target ?? window, id); }}>${t("header.more")}</button>` : nothing}
    </div>
  </div>`;
}

/** A level can be on for a while; what moves is only stopped here. */
function set(entityId: string, { device }: Use, setting: Setting, hass: Hass, t: Translate): TemplateResult {
  const output = device ? outputOf(device) : null;
  const level = output?.motion === "level";
  const max = output?.ttl?.max ?? undefined;
  const ttl = setting.ttl_s ?? Math.min(output?.ttl?.default ?? TTL_S, max ?? Infinity);
  const off = setting.disabled || hass.states[entityId]?.state === "unavailable";
  const stop = { entity_id: entityId, value: level ? "OFF" : "stop" };
  return html`${level
      ? html`<label>
            ${t("header.seconds")}
            <input type="number" inputmode="decimal" min="0.05" step="any" max=${max ?? nothing} .value=${String(ttl)} ?disabled=${off}
              @input=${(event: Event) => { setting.typed((event.target as HTMLInputElement).valueAsNumber); }} />
          </label>
          <button class="strong" ?disabled=${off || !(ttl > 0)} @click=${() => { setting.send({ entity_id: entityId, value: "ON", ttl }); }}>
            ${icon("timer")}${t("header.on")}
          </button>`
      : html`<p class="quiet">${t("lease.motion")}</p>`}
    <button ?disabled=${off} @click=${() => { setting.send(stop); }}>${icon("end")}${level ? t("header.off") : t("drive.stop")}</button>`;
}
