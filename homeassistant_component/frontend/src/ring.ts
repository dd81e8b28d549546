/** A ring that empties: what is left of a lease, or of a dead-man. */

import { html, nothing, svg, type TemplateResult } from "lit";

const RADIUS = 15.9;

/** Draw `share` (0 to 1) of a ring around a text. */
export function ring(share: number, text = "", className = ""): TemplateResult {
  const left = Math.round(Math.min(1, Math.max(0, share)) * 1000) / 10;
  return html`<svg class="ring ${className}" viewBox="0 0 40 40" aria-hidden="true">
    ${svg`<circle cx="20" cy="20" r=${RADIUS} fill="none" stroke="currentColor" stroke-opacity="0.16" stroke-width="4"></circle>
    <circle cx="20" cy="20" r=${RADIUS} fill="none" stroke="currentColor" stroke-width="4" stroke-linecap="round"
      pathLength="100" stroke-dasharray="${left} 100" transform="rotate(-90 20 20)" visibility=${left > 0 ? "visible" : "hidden"}></circle>
    ${text ? svg`<text x="20" y="20" fill="currentColor" font-size="9" text-anchor="middle" dominant-baseline="central">${text}</text>` : nothing}`}
  </svg>`;
}
