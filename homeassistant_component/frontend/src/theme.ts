/** What every card looks like: Home Assistant's own variables, so light, dark and custom themes hold. */

import { css } from "lit";

export const theme = css`
  :host {
    display: block;
    height: 100%;
    --pq-gap: 12px;
    --pq-radius: var(--ha-border-radius-lg, 12px);
    --pq-line: var(--divider-color, #0000001f);
    --pq-quiet: var(--secondary-text-color, #5f6368);
    --pq-accent: var(--primary-color, #03a9f4);
    --pq-ok: var(--success-color, #2e7d32);
    --pq-warn: var(--warning-color, #b26a00);
    --pq-bad: var(--error-color, #c62828);
    /* Home Assistant's own colours are too pale under white text. */
    --pq-strong: color-mix(in srgb, var(--pq-accent) 68%, #000);
    --pq-danger: color-mix(in srgb, var(--pq-bad) 86%, #000);
    --pq-fill: color-mix(in srgb, var(--primary-text-color, #212121) 7%, transparent);
    color: var(--primary-text-color, #212121);
    font-size: var(--ha-font-size-m, 14px);
    line-height: 1.4;
  }
  ha-card {
    display: flex;
    flex-direction: column;
    height: 100%;
    box-sizing: border-box;
    overflow: hidden auto; /* in fewer rows than it wants its stop can be scrolled to */
    background: var(--ha-card-background, var(--card-background-color, #fff));
    border: var(--ha-card-border-width, 1px) solid var(--ha-card-border-color, var(--pq-line));
    border-radius: var(--ha-card-border-radius, var(--pq-radius));
  }
  header {
    display: flex;
    align-items: center;
    gap: 8px;
    padding: 12px 16px;
    min-width: 0;
  }
  h2 {
    flex: 1;
    margin: 0;
    font-size: 16px;
    font-weight: 500;
    overflow: hidden;
    text-overflow: ellipsis;
    white-space: nowrap;
  }
  p {
    margin: 0;
  }
  .quiet {
    color: var(--pq-quiet);
  }
  button {
    font: inherit;
    color: inherit;
    display: inline-flex;
    align-items: center;
    justify-content: center;
    gap: 6px;
    min-height: 44px;
    padding: 0 16px;
    border: 0;
    border-radius: 22px;
    background: var(--pq-fill);
    cursor: pointer;
    touch-action: manipulation;
    -webkit-tap-highlight-color: transparent;
    user-select: none;
  }
  button:not(.strong, .danger):hover:not(:disabled) {
    background: color-mix(in srgb, var(--primary-text-color, #212121) 13%, transparent);
  }
  button:disabled {
    color: var(--disabled-text-color, #9e9e9e);
    cursor: default;
  }
  button.strong {
    background: var(--pq-strong);
    color: #fff;
  }
  button.danger {
    background: var(--pq-danger);
    color: #fff;
    font-weight: 500;
  }
  button.strong:hover:not(:disabled),
  button.danger:hover:not(:disabled) {
    filter: brightness(0.92);
  }
  :focus-visible {
    outline: 3px solid var(--pq-accent);
    outline-offset: 2px;
  }
  svg {
    display: block;
    flex: none;
  }
  svg.icon {
    width: 22px;
    height: 22px;
    fill: currentColor;
  }
  .hidden {
    position: absolute;
    width: 1px;
    height: 1px;
    overflow: hidden;
    clip-path: inset(50%);
    white-space: nowrap;
  }
  .trouble {
    display: grid;
    grid-template-columns: auto 1fr;
    gap: 4px 12px;
    align-items: center;
    padding: 16px;
  }
  .trouble svg {
    color: var(--pq-warn);
    width: 28px;
    height: 28px;
  }
  .trouble strong {
    font-weight: 500;
  }
  .trouble p {
    grid-column: 2;
    color: var(--pq-quiet);
  }
  /* Where the page is read from the right our words may still be English: their marks and numbers follow them. */
  :host(:dir(rtl)) {
    text-align: right;
  }
  :host(:dir(rtl)) *:not(svg *) {
    unicode-bidi: plaintext;
  }
  @media (prefers-reduced-motion: reduce) {
    *,
    *::before,
    *::after {
      transition: none !important;
      animation: none !important;
    }
  }
`;
