/** One Pi at a glance: what comes and goes while it is looked at. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Node } from "../src/api.js";
import { device, entity, node } from "./home.js";
import { stage, type Stage } from "./stage.js";

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
});

const show = (): Promise<Stage> => stage("pimqtt-node-card", { type: "custom:pimqtt-node-card", node: "car1" });
const leased = (remaining_s: number): Node =>
  node({ devices: [device({ entities: [entity({ lease: { owner: "Ben", value: { x: 0, y: 1 }, resting: { x: 0, y: 0 }, remaining_s, end: null } })] })] });

describe("a lease that is renewed and told once a second, with half a second left", () => {
  test("is a row that stays, until it is told to be gone", async () => {
    const card = await show();
    const seen = new Set<string>();
    for (let second = 0; second < 4; second += 1) {
      card.connection.tell("pimqtt/fleet", { node: leased(0.5) });
      for (let step = 0; step < 10; step += 1) {
        await card.wait(100);
        seen.add(card.text(".leases li"));
      }
    }
    expect([...seen]).toEqual(["Car: forward, Ben1 s"]);
    card.connection.tell("pimqtt/fleet", { node: node() });
    await card.wait(10);
    expect(card.all(".leases li")).toEqual([]);
  });

  test("is gone soon, where nothing more is told", async () => {
    const card = await show();
    card.connection.tell("pimqtt/fleet", { node: leased(0.5) });
    await card.wait(1300);
    expect(card.all(".leases li")).toHaveLength(1);
    await card.wait(1700);
    expect(card.all(".leases li")).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
  });
});
