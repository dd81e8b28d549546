/** How a car is drawn; no state of its own. */

import { html, nothing, svg, type TemplateResult } from "lit";
import { classMap } from "lit/directives/class-map.js";
import type { Point, Told } from "../api.js";
import { toldWords } from "../answer-words.js";
import { ageLabel, ageOf, ageWords } from "../camera/age.js";
import type { Hass } from "../hass.js";
import { icon, type Icon } from "../icons.js";
import { moment, type Translate } from "../localize.js";
import { ring } from "../ring.js";
import type { Driving } from "./driving.js";
import { mayDrive, type Holding } from "./holder.js";
import { HOLD_MS } from "./take-over.js";
import { chipWords } from "./words.js";

const CHIP_ICONS: Readonly<Record<Holding["kind"], Icon>> = {
  disconnected: "offline", forbidden: "alert", offline: "offline", latched: "stop", held: "person",
  let_go: "hand", not_armed: "wait", mine: "hand", free: "car",
};

/** Nobody holds the car, whatever else stands in the way. */
const UNHELD: ReadonlySet<Holding["kind"]> = new Set(["free", "let_go", "not_armed"]);

/** The picture is told to be old from here on (s). */
const OLD_S = 5;

export function header(title: string, state: Holding, trip: number | null, t: Translate): TemplateResult {
  return html`<header>
    <h2 title=${title}>${title}</h2>
    ${trip === null ? nothing : html`<span class="trip quiet" title=${t("drive.round_trip")} aria-label="${t("drive.round_trip")} ${Math.round(trip)} ms">${Math.round(trip)} ms</span>`}
    <span class="chip ${state.kind}">${icon(CHIP_ICONS[state.kind])}<span>${chipWords(state, t)}</span></span>
  </header>`;
}

/** How old the picture is, where that is known and worth a word. */
export function age(taken: string | null, t: Translate, now = Date.now()): TemplateResult | typeof nothing {
  const seconds = taken === null ? 0 : ageOf(taken, now);
  return seconds < 1 ? nothing : ageLabel(ageWords(seconds, t), seconds > OLD_S);
}

const ARROWS = [0, 90, 180, 270].map((angle) => svg`<path d="M50 2 58 14H42Z" transform="rotate(${angle} 50 50)"></path>`);

/** The joystick, with the dead-man as a ring around it. */
export function pad(driving: Driving | null, knob: Point, allowed: boolean, keyboard: boolean, name: string, t: Translate): TemplateResult {
  const inputs = driving?.inputs;
  const held = knob.x !== 0 || knob.y !== 0;
  return html`<div
    class=${classMap({ pad: true, "in-use": (inputs?.inUse ?? false) && allowed, "held-down": held })}
    role="application"
    tabindex="0"
    aria-label=${t("drive.pad", { name })}
    aria-describedby="hint"
    aria-disabled=${allowed ? "false" : "true"}
    @pointerdown=${inputs?.pointerdown}
    @pointermove=${inputs?.pointermove}
    @pointerup=${inputs?.pointerend}
    @pointercancel=${inputs?.pointerend}
    @lostpointercapture=${inputs?.pointerend}
    @focus=${inputs?.focus}
    @blur=${inputs?.blur}
    @contextmenu=${(event: Event) => { event.preventDefault(); }}
  >
    <svg class="arrows" viewBox="0 0 100 100" aria-hidden="true">${ARROWS}</svg>
    ${ring(driving?.sender.deadmanLeft(performance.now()) ?? 0)}
    <div class="knob" style="transform: translate(${knob.x * 62}px, ${-knob.y * 62}px)">${held ? (driving?.speedPct ?? 0) : ""}</div>
    <span id="hint" class="hidden">${keyboard ? t("drive.hint_keys") : t("drive.hint")}</span>
  </div>`;
}

export interface Actions {
  readonly letGo: () => void;
  readonly take: () => void;
  readonly taking: (used: boolean) => void;
  readonly emergency: () => void;
  readonly reset: () => void;
  readonly limit: (pct: number) => void;
}

/**
 * Speed limit, stop, take-over, emergency stop and its reset.
 *
 * While somebody is at the take-over (`taking`) it stays, though nobody hold the car for a moment: the link of whoever
 * drives may be a bad one, and that is when one wants to take over.
 */
export function controls(state: Holding, limitPct: number, preview: boolean, taking: boolean, actions: Actions, t: Translate): TemplateResult {
  const latched = state.kind === "latched";
  const takeable = (state.kind === "held" && !mayDrive(state)) || (taking && UNHELD.has(state.kind));
  return html`<div class="controls">
    <label>
      ${t("drive.speed_limit")}
      <input type="range" min="1" max="100" style="--share: ${limitPct}%" .value=${String(limitPct)} ?disabled=${preview}
        @input=${(event: Event) => { actions.limit(Number((event.target as HTMLInputElement).value)); }} />
      <output>${limitPct} %</output>
    </label>
    <div class="buttons">
      ${takeable
        ? html`<pimqtt-hold-button kind="strong" .hold_ms=${HOLD_MS} again=${t("hold.again")}
            @used=${(event: CustomEvent<boolean>) => { actions.taking(event.detail); }} @confirmed=${actions.take}>${icon("hand")}${t("drive.take")}</pimqtt-hold-button>`
        : nothing}
      <button ?disabled=${preview} @click=${actions.letGo}>${icon("end")}${state.kind === "mine" ? t("drive.let_go_button") : t("drive.stop")}</button>
      ${latched
        ? html`<pimqtt-hold-button kind="strong" again=${t("hold.again")} @confirmed=${actions.reset}>${icon("reset")}${t("drive.reset")}</pimqtt-hold-button>`
        : html`<button class="danger" ?disabled=${preview} @click=${actions.emergency}>${icon("stop")}${t("drive.emergency")}</button>`}
    </div>
  </div>`;
}

/** The last commands of others. */
export function toldList(told: readonly Told[], hass: Hass, t: Translate): TemplateResult | typeof nothing {
  if (told.length === 0) return nothing;
  const lines = told.map((each) => html`<li><time datetime=${each.at}>${moment(each.at, hass)}</time><span>${toldWords(each, t)}</span></li>`);
  return html`<ol aria-label=${t("drive.told")}>${lines}</ol>`;
}

/** The newest of others' commands: renewals of one, and what two ways told us twice, count as one. */
export function othersOf(told: readonly Told[], owner: string | null, count = 3): Told[] {
  const others = told.filter((each) => each.owner !== owner).sort((a, b) => Date.parse(b.at) - Date.parse(a.at));
  const words = others.map((each) => JSON.stringify([each.owner, each.outcome, each.code, each.value]));
  return others.filter((_, index) => words[index] !== words[index - 1]).slice(0, count);
}
