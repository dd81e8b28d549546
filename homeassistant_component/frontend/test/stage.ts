/** Puts cards on the page, and moves fingers and time. */

import { vi } from "vitest";
import "../src/index.js";
import type { Hass } from "../src/hass.js";
import { FakeConnection, home, obliging } from "./home.js";

export interface Card extends HTMLElement {
  hass: Hass | undefined;
  preview: boolean;
  context?: { entity_id?: string };
  readonly updateComplete: Promise<boolean>;
  setConfig(config: Record<string, unknown>): void;
}

export interface Stage {
  readonly card: Card;
  readonly connection: FakeConnection;
  hass: Hass;
  /** Let time pass, and draw. */
  wait(ms?: number): Promise<void>;
  find(selector: string): HTMLElement | null;
  all(selector: string): HTMLElement[];
  /** What a reader sees, in one line. */
  text(selector?: string): string;
  press(label: string): Promise<void>;
  /** Send a pointer event to the pad (200 x 200 px at 0, 0). */
  pointer(type: string, x?: number, y?: number, id?: number): void;
}

export async function stage(
  type: string,
  config: Record<string, unknown>,
  prepare: (stage: { card: Card; connection: FakeConnection }) => void = () => undefined,
): Promise<Stage> {
  const connection = new FakeConnection();
  obliging(connection);
  const card = document.createElement(type) as Card;
  prepare({ card, connection });
  const hass = home(connection);
  card.setConfig(config);
  card.hass = hass;
  document.body.append(card);

  const all = (selector: string): HTMLElement[] => [...(card.shadowRoot?.querySelectorAll<HTMLElement>(selector) ?? [])];
  const find = (selector: string): HTMLElement | null => all(selector)[0] ?? null;
  const wait = async (ms = 0): Promise<void> => {
    await vi.advanceTimersByTimeAsync(ms);
    await card.updateComplete;
  };
  const text = (selector = ":host > *, ha-card"): string => all(selector).map((each) => each.textContent.replace(/\s+/g, " ").trim()).join(" | ");
  const press = async (label: string): Promise<void> => {
    const button = all("button").find((each) => each.textContent.includes(label));
    if (!button) throw new Error(`no button ${label} among ${text("button")}`);
    button.click();
    await wait();
  };
  const pointer = (kind: string, x = 100, y = 100, id = 1): void => {
    const pad = find(".pad");
    if (!pad) throw new Error("there is no pad");
    pad.getBoundingClientRect = () => new DOMRect(0, 0, 200, 200);
    pad.dispatchEvent(new PointerEvent(kind, { pointerId: id, clientX: x, clientY: y, button: 0, bubbles: true }));
  };
  await wait(10);
  return { card, connection, hass, wait, find, all, text, press, pointer };
}
