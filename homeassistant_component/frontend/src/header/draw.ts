/** The header drawn: forty pins in their physical order, with what they are and who uses them. */

import { html, nothing, svg, type SVGTemplateResult, type TemplateResult } from "lit";
import type { Translate } from "../localize.js";
import type { HeaderPin } from "./table.js";
import { inConflict, type Use } from "./uses.js";
import { levelSign, pinName, pinWords, useWords } from "./words.js";

const ROW = 27;
const TOP = 10;
const WIDTH = 440;
const MIDDLE = WIDTH / 2;
/** From the middle to a pin, and to where its name starts. */
const TO_PIN = 13;
const TO_NAME = 30;
/** The tag of who uses a pin. */
const TAG = { start: 82, width: WIDTH / 2 - 84, padding: 9 };

export interface Drawing {
  readonly pins: readonly HeaderPin[];
  readonly uses: (pin: HeaderPin) => readonly Use[];
  /** The pin that the keyboard stands on. */
  readonly selected: number;
  /** Whether its details are open. */
  readonly open: boolean;
  readonly choose: (pin: number, open: boolean) => void;
  readonly key: (event: KeyboardEvent) => void;
}

/** How wide a letter of the tag is, about. */
const LETTER = 5.9;
/** A text a little too long is drawn narrower; one far too long is cut. */
const SQUEEZE = 1.25;

function fitted(text: string, width: number): { text: string; length: number | null } {
  const most = Math.floor((width / LETTER) * SQUEEZE);
  const cut = text.length > most ? `${text.slice(0, most - 1)}…` : text;
  return { text: cut, length: cut.length * LETTER > width ? width : null };
}

export function drawn({ pins, uses, selected, open, choose, key }: Drawing, name: string, t: Translate): TemplateResult {
  const rows = pins.length / 2;
  const height = TOP * 2 + rows * ROW;
  return html`<svg class="header" viewBox="0 0 ${WIDTH} ${height}" role="listbox" aria-orientation="vertical" aria-label=${t("header.of", { name })} @keydown=${key}>
    ${svg`<rect class="board" x=${MIDDLE - 27} y="2" width="54" height=${height - 4} rx="6"></rect>`}
    ${pins.map((pin) => drawnPin(pin, uses(pin), pin.pin === selected, open, choose, t))}
  </svg>`;
}

function drawnPin(pin: HeaderPin, uses: readonly Use[], selected: boolean, open: boolean, choose: Drawing["choose"], t: Translate): SVGTemplateResult {
  const side = pin.pin % 2 === 1 ? -1 : 1;
  const y = TOP + (Math.ceil(pin.pin / 2) - 0.5) * ROW;
  const x = MIDDLE + side * TO_PIN;
  const words = pinWords(pin, uses, t);
  const classes = `pin ${pin.kind} ${uses.length > 0 ? "used" : "free"} ${inConflict(uses) ? "conflict" : ""} ${selected && open ? "selected" : ""}`;
  return svg`<g
    class=${classes}
    id=${`pin-${pin.pin}`}
    role="option"
    tabindex=${selected ? 0 : -1}
    aria-selected=${selected ? "true" : "false"}
    aria-label=${words}
    @click=${() => { choose(pin.pin, true); }}
  >
    <title>${words}</title>
    <rect class="row" x=${side < 0 ? 2 : MIDDLE + 1} y=${y - ROW / 2 + 1} width=${MIDDLE - 3} height=${ROW - 2} rx="6"></rect>
    ${shape(pin.pin, x, y)}
    <text class="number" x=${x} y=${y}>${pin.pin}</text>
    <text class="name" x=${MIDDLE + side * TO_NAME} y=${pin.line !== null && pin.usual ? y - 5 : y} text-anchor=${side < 0 ? "end" : "start"}>${pinName(pin)}</text>
    ${pin.line !== null && pin.usual ? svg`<text class="usual" x=${MIDDLE + side * TO_NAME} y=${y + 7} text-anchor=${side < 0 ? "end" : "start"}>${pin.usual}</text>` : nothing}
    ${uses.length > 0 ? tag(uses, side, y, t) : nothing}
  </g>`;
}

/** The first pin is square, as on the board. */
const shape = (pin: number, x: number, y: number): SVGTemplateResult =>
  pin === 1
    ? svg`<rect class="dot" x=${x - 10} y=${y - 10} width="20" height="20" rx="2"></rect>`
    : svg`<circle class="dot" cx=${x} cy=${y} r="10"></circle>`;

/** Who uses the pin, with its level; two that claim it are told as that. */
function tag(uses: readonly Use[], side: number, y: number, t: Translate): SVGTemplateResult {
  const [use] = uses;
  const conflict = inConflict(uses);
  const sign = use && !conflict ? levelSign(use) : "";
  const x = side < 0 ? MIDDLE - TAG.start - TAG.width : MIDDLE + TAG.start;
  const text = conflict ? `! ${t("header.conflict")}` : use ? useWords(use, t) : "";
  const high = use?.level ? "high" : "";
  const fit = fitted(text, TAG.width - 2 * TAG.padding - (sign ? 8 + 8 * sign.length : 0));
  return svg`<rect class="tag ${high}" x=${x} y=${y - 10} width=${TAG.width} height="20" rx="10"></rect>
    <text class="user" x=${x + TAG.padding} y=${y} textLength=${fit.length ?? nothing} lengthAdjust="spacingAndGlyphs">${fit.text}</text>
    ${sign ? svg`<text class="level" x=${x + TAG.width - TAG.padding} y=${y} text-anchor="end">${sign}</text>` : nothing}`;
}
