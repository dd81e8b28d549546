/** The card picker of Home Assistant: what it shows must not command, and what it is given must not be empty. */

import { expect, test, vi } from "vitest";
import "../src/index.js";
import { DriveCard } from "../src/drive/drive-card.js";
import { lastHeard } from "../src/fleet.js";
import { FakeConnection, home, obliging } from "./home.js";
import type { Card } from "./stage.js";

/** A connection on which nobody has heard of the fleet yet. */
function fresh(): FakeConnection {
  const connection = new FakeConnection();
  obliging(connection);
  return connection;
}

const asked = (connection: FakeConnection): unknown[] => connection.subscriptions.map(({ message }) => message["type"]);

test.each(["hui-card-picker", "hui-card"])("in a %s a car is driven, or not", async (place) => {
  const connection = fresh();
  const frame = document.createElement(place);
  document.body.append(frame);
  const card = new DriveCard() as unknown as Card;
  card.setConfig({ entity: "sensor.car1_car" });
  card.hass = home(connection);
  frame.attachShadow({ mode: "open" }).append(card);
  await vi.waitFor(() => { expect(card.shadowRoot?.querySelector(".pad")).not.toBeNull(); });
  await card.updateComplete;

  const picking = place === "hui-card-picker";
  expect(card.preview).toBe(picking);
  expect(asked(connection)).toEqual(picking ? ["pimqtt/fleet"] : ["pimqtt/fleet", "pimqtt/drive"]);
  expect(card.shadowRoot?.querySelector<HTMLButtonElement>("button.danger")?.disabled).toBe(picking);
  frame.remove();
});

test.each(["pimqtt-node-card", "pimqtt-header-card"])("a new %s is about the first Pi, though no card has heard of it", async (tag) => {
  const type = customElements.get(tag) as unknown as { getStubConfig: (hass: unknown, entities: string[]) => Promise<object> };
  expect(await type.getStubConfig(home(fresh()), [])).toEqual({ node: "car1" });
});

test("the fleet is heard of when the picker opens, in time for what it suggests", async () => {
  const connection = fresh();
  const page = Object.assign(document.createElement("home-assistant"), { hass: home(connection) });
  document.body.append(page);
  const open = (dialogTag: string): void => {
    page.dispatchEvent(new CustomEvent("show-dialog", { detail: { dialogTag }, bubbles: true, composed: true }));
  };
  open("ha-more-info-dialog");
  expect(asked(connection)).toEqual([]);
  open("hui-dialog-create-card");
  await vi.waitFor(() => { expect(lastHeard().live).toBe(true); });
  expect(asked(connection)).toEqual(["pimqtt/fleet"]);
  const stop = window.customCards?.find(({ type }) => type === "pimqtt-stop-card");
  expect(stop?.getEntitySuggestion?.(home(connection), "sensor.car1_car")).toMatchObject({ config: { node: "car1", device: "car" } });
  page.remove();
});
