/** A button that must be held a moment, or pressed twice: by pointer, keys, or a screen reader's click. */

import { css, html, LitElement, type TemplateResult } from "lit";
import { property, state } from "lit/decorators.js";
import { theme } from "./theme.js";

/** A second press within this time confirms (ms). */
const TWICE_MS = 4000;

export class HoldButton extends LitElement {
  static override styles = [
    theme,
    css`
      :host { display: inline-block; height: auto; }
      button { position: relative; overflow: hidden; width: 100%; touch-action: none; }
      i {
        position: absolute; inset: 0; transform: scaleX(0); transform-origin: 0 50%;
        background: color-mix(in srgb, currentColor 28%, transparent);
      }
      :host(:dir(rtl)) i { transform-origin: 100% 50%; }
      .holding i { transform: scaleX(1); transition: transform var(--hold) linear; }
      span { position: relative; display: inline-flex; gap: 6px; align-items: center; }
    `,
  ];

  @property({ attribute: false }) hold_ms = 800;
  @property() kind: "" | "strong" | "danger" = "";
  /** What the button says after a press that was too short. */
  @property() again = "";
  @state() private holding = false;
  @state() private asked = false;
  private used = false;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private forget: ReturnType<typeof setTimeout> | undefined;

  override disconnectedCallback(): void {
    super.disconnectedCallback();
    this.cancel();
    clearTimeout(this.forget);
    this.asked = false; // or one press would confirm when it comes back
  }

  protected override render(): TemplateResult {
    return html`<button
      class="${this.kind} ${this.holding ? "holding" : ""}"
      style="--hold: ${this.hold_ms}ms"
      @pointerdown=${this.down}
      @pointerup=${this.up}
      @pointerleave=${this.cancel}
      @pointercancel=${this.cancel}
      @contextmenu=${(event: Event) => { event.preventDefault(); }}
      @keydown=${this.key}
      @keyup=${this.keyUp}
      @blur=${this.cancel}
      @click=${this.clicked}
    ><i></i><span>${this.asked ? this.again : html`<slot></slot>`}</span></button><div class="hidden" role="status">${this.asked ? this.again : ""}</div>`;
  }

  private start(): void {
    if (this.holding) return;
    this.holding = true;
    this.timer = setTimeout(() => {
      this.confirm();
    }, this.hold_ms);
  }

  private readonly down = (event: PointerEvent): void => {
    if (event.button === 0) this.start();
  };

  private readonly key = (event: KeyboardEvent): void => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault();
    if (!event.repeat) this.start();
  };

  private readonly keyUp = (event: KeyboardEvent): void => {
    if (event.key !== " " && event.key !== "Enter") return;
    event.preventDefault(); // or Firefox makes a click of it
    this.up();
  };

  private readonly up = (): void => {
    const { holding } = this;
    this.cancel();
    if (holding) this.pressed();
  };

  private readonly cancel = (): void => {
    clearTimeout(this.timer);
    this.holding = false;
  };

  /** Who draws us is told that somebody is at it, lest it take us away meanwhile. */
  protected override updated(): void {
    const used = this.holding || this.asked;
    if (used === this.used) return;
    this.used = used;
    this.dispatchEvent(new CustomEvent<boolean>("used", { detail: used }));
  }

  /** A click without a pointer comes from a screen reader: it can't hold. */
  private readonly clicked = (event: MouseEvent): void => {
    if (event.detail === 0) this.pressed();
  };

  /** A press too short to be a hold: the second of them confirms. */
  private pressed(): void {
    if (this.asked) {
      this.confirm();
      return;
    }
    this.asked = true;
    clearTimeout(this.forget);
    this.forget = setTimeout(() => {
      this.asked = false;
    }, TWICE_MS);
  }

  private confirm(): void {
    this.cancel();
    clearTimeout(this.forget);
    this.asked = false;
    this.dispatchEvent(new CustomEvent("confirmed"));
  }
}
