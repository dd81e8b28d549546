/** Where the pickers lead to is where Home Assistant's list of integrations does. */

import { expect, test } from "vitest";
import manifest from "../../custom_components/pimqtt/manifest.json";
import "../src/index.js";

test("cards and dashboard lead to the documentation that the manifest names", () => {
  const offered = [...(window.customCards ?? []), ...(window.customStrategies ?? [])] as { documentationURL?: string }[];
  expect(offered.length).toBeGreaterThan(5);
  expect(new Set(offered.map(({ documentationURL }) => documentationURL))).toEqual(new Set([manifest.documentation]));
});
