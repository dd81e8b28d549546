/** How much room each card asks for in a sections view. */

import { expect, test } from "vitest";
import "../src/index.js";

const COLUMNS = 12;
const GRID = {
  "pimqtt-attention-card": { columns: 6, rows: "auto", min_columns: 6 },
  "pimqtt-camera-card": { columns: 12, rows: "auto", min_columns: 6 },
  "pimqtt-drive-card": { columns: 12, rows: "auto", min_columns: 6 },
  "pimqtt-first-steps-card": { columns: 12, rows: "auto", min_columns: 6 },
  "pimqtt-fleet-card": { columns: 12, rows: "auto", min_columns: 6 },
  "pimqtt-header-card": { columns: 12, rows: "auto", min_columns: 9 },
  "pimqtt-lease-card": { columns: 6, rows: "auto", min_columns: 6 },
  "pimqtt-node-card": { columns: 12, rows: "auto", min_columns: 6 },
  "pimqtt-stop-card": { columns: 6, rows: "auto", min_columns: 6 },
} as const;

test.each(Object.entries(GRID))("%s asks for its place in the grid", (tag, wanted) => {
  const card = document.createElement(tag) as HTMLElement & { getGridOptions: () => object };
  expect(card.getGridOptions()).toEqual(wanted);
  expect(wanted.columns).toBeLessThanOrEqual(COLUMNS);
  expect(wanted.min_columns).toBeLessThanOrEqual(wanted.columns);
});

test("no card of the picker is left out above", () => {
  const offered = (window.customCards ?? []).map(({ type }) => type).filter((type) => type.startsWith("pimqtt-"));
  expect(offered.filter((type) => !(type in GRID))).toEqual([]);
});
