/** The cards of the README's examples, as they stand there. */

import { expect, test } from "vitest";
import readme from "../../README.md?raw";
import "../src/index.js";

interface Card extends HTMLElement {
  setConfig(config: Record<string, unknown>): void;
}

/** Read a block of YAML that has but plain lines: `key: word`, a number, or a list in brackets. */
const read = (block: string): Record<string, unknown> =>
  Object.fromEntries(block.trim().split("\n").map((line) => {
    const [, key = "", value = ""] = /^(\w+): (.+)$/.exec(line) ?? [];
    return [key, /^[\d[]/.test(value) ? (JSON.parse(value) as unknown) : value];
  }));

const EXAMPLES = [...readme.matchAll(/^```yaml\n(type: custom:.*?)^```/gms)].map(([, block = ""]) => read(block));

const made = (config: Record<string, unknown>): Card =>
  document.createElement(String(config["type"]).replace("custom:", "")) as Card;

test("every card of the README takes its configuration", () => {
  expect(EXAMPLES.length).toBeGreaterThanOrEqual(3);
  for (const config of EXAMPLES) expect(() => { made(config).setConfig(config); }).not.toThrow();
});

test("a mistake in one of them would be found", () => {
  for (const { type } of EXAMPLES) expect(() => { made({ type }).setConfig({ type, device: "car", entity: 5 }); }).toThrow();
});

test("the README names each option of a card's form, and no other", () => {
  const [, cards = ""] = /\n## Cards\n(.*?)\n## /s.exec(readme) ?? [];
  const rows = [...cards.matchAll(/^\| `(pimqtt-[a-z-]+)`[^|]*\| (.*) \|$/gm)];
  expect(rows.length).toBeGreaterThanOrEqual(7);
  for (const [, tag = "", options = ""] of rows) {
    const form = (window.customElements.get(tag) as unknown as { getConfigForm?: () => { schema: Field[] } }).getConfigForm?.();
    const fields = (form?.schema ?? []).flatMap((field) => field.schema ?? [field]).map(({ name }) => name);
    const told = [...options.matchAll(/`([a-z_]+)`/g)].map(([, name]) => name);
    expect(told.filter((name) => name !== "entity").sort(), tag).toEqual(fields.filter((name) => name !== "name" && name !== "entity").sort());
  }
});

interface Field {
  name: string;
  schema?: Field[];
}
