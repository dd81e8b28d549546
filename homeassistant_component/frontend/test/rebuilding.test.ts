/** In a quiet house none of Home Assistant's states changes when the fleet does: a card asks for the pages. */

import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { fleetOf } from "../src/fleet.js";
import { PATIENCE_MS } from "../src/strategy/rebuilding.js";
import { STRATEGIES } from "../src/strategy/strategies.js";
import "../src/index.js";
import { answering, DEMO, homeOf } from "./fleet-home.js";
import { FakeConnection } from "./home.js";

interface Card extends HTMLElement {
  hass: unknown;
  setConfig(config: object): void;
}
interface Dashboard {
  generate(config: { type: string }, hass: unknown): Promise<unknown>;
}
const DASHBOARD = STRATEGIES["ll-strategy-dashboard-pimqtt"] as unknown as Dashboard;

let connection = new FakeConnection();
let refreshes = 0;
const count = (): void => {
  refreshes += 1;
};

const built = (): Promise<unknown> => DASHBOARD.generate({ type: "custom:pimqtt" }, homeOf(connection));

beforeEach(async () => {
  history.replaceState(null, "", "/pimqtt/overview");
  connection = new FakeConnection();
  answering(connection);
  await built();
  for (const name of ["pimqtt-fleet-card", "pimqtt-stop-card"]) {
    const card = document.createElement(name) as Card;
    card.setConfig({ type: `custom:${name}` });
    card.hass = homeOf(connection);
    document.body.append(card);
  }
  await vi.waitFor(() => { expect(fleetOf(connection).state.live).toBe(true); });
  refreshes = 0;
  document.addEventListener("config-refresh", count);
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
  document.removeEventListener("config-refresh", count);
  document.body.replaceChildren();
});

test("a Pi that left: once, whatever number of cards is there", async () => {
  connection.tell("pimqtt/fleet", { gone: "demo" });
  await vi.advanceTimersByTimeAsync(PATIENCE_MS - 1);
  expect(refreshes).toBe(0);
  await vi.advanceTimersByTimeAsync(1);
  expect(refreshes).toBe(1);
  connection.tell("pimqtt/fleet", { gone: "nobody" });
  await vi.advanceTimersByTimeAsync(10 * PATIENCE_MS);
  expect(refreshes).toBe(1);

  await built();
  connection.tell("pimqtt/fleet", { node: DEMO });
  await vi.advanceTimersByTimeAsync(PATIENCE_MS);
  expect(refreshes).toBe(2);
});

test("not where Home Assistant asked by itself", async () => {
  connection.tell("pimqtt/fleet", { node: { ...DEMO, name: "Renamed" } });
  await built();
  await vi.advanceTimersByTimeAsync(10 * PATIENCE_MS);
  expect(refreshes).toBe(0);
});

test("not for what the pages do not depend on", async () => {
  connection.tell("pimqtt/fleet", { node: { ...DEMO, online: false, problem: "hot" } });
  await vi.advanceTimersByTimeAsync(10 * PATIENCE_MS);
  expect(refreshes).toBe(0);
});

test("not on a dashboard that its user made by hand", async () => {
  history.replaceState(null, "", "/lovelace/0");
  connection.tell("pimqtt/fleet", { gone: "demo" });
  await vi.advanceTimersByTimeAsync(10 * PATIENCE_MS);
  expect(refreshes).toBe(0);
});
