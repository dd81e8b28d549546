/** The few icons we need, drawn here (24 x 24), so that a card shows them whatever the frontend has loaded. */

import { html, svg, type TemplateResult } from "lit";

const SHAPES = {
  alert: "M12 2 1 21h22L12 2Zm1 16h-2v-2h2v2Zm0-4h-2v-5h2v5Z",
  offline: "M3 5 4.4 3.6 20.4 19.6 19 21l-5.6-5.6A3 3 0 0 0 9 16l3 3-1 1-6-6 2-1.8L4 9l1.6-1.4L3 5Zm9 1c3.7 0 7 1.4 9.5 3.8L20 11.4A11.300 11.300 0 0 0 11.500 8.200L9.400 6.200Q10.700 6 12 6Z",
  wait: "M6 2h12v5l-4.500 5 4.500 5v5H6v-5l4.500-5L6 7V2Zm2 2v2.200l4 4.500 4-4.500V4H8Z",
  stop: "M8 2h8l6 6v8l-6 6H8l-6-6V8l6-6Zm-1 8v4h10v-4H7Z",
  reset: "M12 4a8 8 0 1 1-7.700 5.800l2 .5A6 6 0 1 0 12 6v3.500L7 5l5-4.500V4Z",
  hand: "M7 11V6a1.500 1.500 0 0 1 3 0v5h.7V4a1.500 1.500 0 0 1 3 0v7h.7V5.500a1.500 1.500 0 0 1 3 0V12h.6V9a1.500 1.500 0 0 1 3 0v6.500A6.500 6.500 0 0 1 14.500 22h-1.700c-2 0-3.500-.8-4.700-2.400L3 13.200l.8-.8c.8-.7 1.800-.7 2.600-.1L7 13v-2Z",
  person: "M12 3a4.500 4.500 0 1 1 0 9 4.500 4.500 0 0 1 0-9Zm0 11c5 0 9 2.200 9 5v2H3v-2c0-2.800 4-5 9-5Z",
  key: "M2 6h20v12H2V6Zm2 2v2h2V8H4Zm4 0v2h2V8H8Zm4 0v2h2V8h-2Zm4 0v2h4V8h-4ZM4 12v4h3v-4H4Zm5 2v2h6v-2H9Zm8-2v4h3v-4h-3Z",
  plus: "M11 5h2v6h6v2h-6v6h-2v-6H5v-2h6V5Z",
  end: "M6 6h12v12H6V6Z",
  timer: "M9 1h6v2H9V1Zm10 6.400 1.400-1.400L18.900 4.600l-1.500 1.500A9 9 0 1 0 19 7.400ZM12 20a7 7 0 1 1 0-14 7 7 0 0 1 0 14Zm-1-11h2v5h-2V9Z",
  car: "M5 11 6.500 6.500A2 2 0 0 1 8.400 5h7.200a2 2 0 0 1 1.900 1.500L19 11l2 1v7h-3v-2H6v2H3v-7l2-1Zm2.200-.5h9.600L15.600 7H8.400l-1.200 3.500ZM6.500 15a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3Zm11 0a1.500 1.500 0 1 0 0-3 1.500 1.500 0 0 0 0 3Z",
  ok: "M9 16.200 4.800 12l-1.400 1.400L9 19 21 7l-1.400-1.400L9 16.200Z",
  update: "M12 4a8 8 0 0 1 7.400 5H17v2h6V5h-2v2.700A10 10 0 0 0 2 12h2a8 8 0 0 1 8-8Zm0 16a8 8 0 0 1-7.400-5H7v-2H1v6h2v-2.700A10 10 0 0 0 22 12h-2a8 8 0 0 1-8 8Z",
  search: "M10 3a7 7 0 0 1 5.600 11.200l5.100 5.100-1.400 1.400-5.100-5.100A7 7 0 1 1 10 3Zm0 2a5 5 0 1 0 0 10 5 5 0 0 0 0-10Z",
  refresh: "M17.700 6.300A8 8 0 1 0 19.700 14h-2.100A6 6 0 1 1 16.200 7.800L13 11h7V4l-2.300 2.300Z",
  camera: "M9 3 7.200 5H4a2 2 0 0 0-2 2v11a2 2 0 0 0 2 2h16a2 2 0 0 0 2-2V7a2 2 0 0 0-2-2h-3.200L15 3H9Zm3 5a4.500 4.500 0 1 1 0 9 4.500 4.500 0 0 1 0-9Z",
} as const;

export type Icon = keyof typeof SHAPES;

export const icon = (name: Icon): TemplateResult =>
  html`<svg class="icon" viewBox="0 0 24 24" aria-hidden="true">${svg`<path d=${SHAPES[name]}></path>`}</svg>`;
