import { afterEach, describe, expect, it, vi } from "vitest";
import { attentions } from "../src/attention/attentions.js";
import { ageOf, ageWords } from "../src/camera/age.js";
import { checkedCamera, stubCamera, suggestCamera } from "../src/camera/config.js";
import { eachOnce, sourceOf } from "../src/camera/sources.js";
import { healthOf } from "../src/fleet-card/health.js";
import { leasesOf } from "../src/fleet-card/node-card.js";
import { readings } from "../src/fleet-card/readings.js";
import { Searching } from "../src/fleet-card/searching.js";
import { heard, NOTHING, type FleetState } from "../src/fleet.js";
import { translator } from "../src/localize.js";
import { checkedStop } from "../src/stop/config.js";
import { allLatched, latchesOf } from "../src/stop/latches.js";
import { isOlder, newest } from "../src/versions.js";
import "../src/index.js";
import type { FleetEvent, Node } from "../src/api.js";
import { answering, DEMO, GREENHOUSE, homeOf, PIS, SHED, there } from "./fleet-home.js";
import { ACCEPTED, FakeConnection } from "./home.js";

const t = translator("en");
const of = (...nodes: Node[]): FleetState => heard(NOTHING, { ...PIS, nodes }, 0);
const house = new FakeConnection();
answering(house);
const hass = homeOf(house);
const known = (node: Node) => ({ ...node, received_ms: 0 });

interface Card extends HTMLElement {
  hass?: unknown;
  preview: boolean;
  updateComplete: Promise<boolean>;
  setConfig(config: Record<string, unknown>): void;
}

async function shown(tag: string, config: Record<string, unknown>, event: FleetEvent = PIS) {
  const connection = new FakeConnection();
  answering(connection, event);
  const card = document.createElement(tag) as Card;
  card.setConfig(config);
  card.hass = homeOf(connection, event);
  document.body.append(card);
  await vi.waitFor(() => { expect(connection.subscriptions.length).toBeGreaterThan(0); });
  await vi.advanceTimersByTimeAsync(5);
  await card.updateComplete;
  return { card, connection, root: there(card.shadowRoot) };
}
const text = (root: ShadowRoot) => (root.querySelector("ha-card")?.textContent ?? "").replace(/\s+/g, " ");

afterEach(() => { document.body.replaceChildren(); });

describe("the emergency stop", () => {
  const stop = (root: ShadowRoot) => root.querySelector<HTMLButtonElement>("button.danger");
  const held = (root: ShadowRoot) => root.querySelector("pimqtt-hold-button");

  it.each([
    [{}, { type: "pimqtt/stop" }],
    [{ node: "demo" }, { type: "pimqtt/stop", node: "demo" }],
    [{ node: "demo", device: "car" }, { type: "pimqtt/stop", node: "demo", device: "car" }],
  ])("stops %j by one press", async (config, message) => {
    const { connection, root } = await shown("pimqtt-stop-card", config);
    stop(root)?.click();
    expect(connection.sent.at(-1)).toEqual(message);
  });

  it("shows plainly what is latched, and resets only after a held confirmation", async () => {
    const { connection, root } = await shown("pimqtt-stop-card", { node: "green" });
    expect(text(root)).toContain("Emergency stop is set");
    expect(stop(root)).toBeNull();
    held(root)?.shadowRoot?.querySelector("button")?.dispatchEvent(new PointerEvent("pointerdown", { button: 0 }));
    held(root)?.shadowRoot?.querySelector("button")?.dispatchEvent(new PointerEvent("pointerup", { button: 0 }));
    expect(connection.sent).toEqual([]);
    held(root)?.dispatchEvent(new CustomEvent("confirmed"));
    expect(connection.sent).toEqual([{ type: "pimqtt/reset", node: "green" }]);
  });

  it("resets a device by its node where the node is what is latched", async () => {
    const { connection, root } = await shown("pimqtt-stop-card", { node: "green", device: "heater" });
    held(root)?.dispatchEvent(new CustomEvent("confirmed"));
    expect(connection.sent).toEqual([{ type: "pimqtt/reset", node: "green" }]);
  });

  it("goes on offering the stop of all while only some is latched", async () => {
    const { root } = await shown("pimqtt-stop-card", {});
    expect(stop(root)).not.toBeNull();
    expect(text(root)).toContain("Greenhouse");
  });

  it("says which Pi did not answer, and what Home Assistant refused", async () => {
    const { connection, root } = await shown("pimqtt-stop-card", {});
    connection.answers = () => [ACCEPTED, { ...ACCEPTED, node: "shed", outcome: "unanswered", reason: null }];
    stop(root)?.click();
    await vi.waitFor(() => { expect(text(root)).toContain("Shed is offline"); });
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the real one rejects with this object
    connection.answers = () => { throw { code: "unauthorized", message: "no" }; };
    stop(root)?.click();
    await vi.waitFor(() => { expect(text(root)).toContain("You have no right to control this."); });
  });

  it("sends nothing from an editor", async () => {
    const { card, connection, root } = await shown("pimqtt-stop-card", {});
    card.preview = true;
    await card.updateComplete;
    expect(stop(root)?.disabled).toBe(true);
    held(root)?.dispatchEvent(new CustomEvent("confirmed"));
    expect(connection.sent).toEqual([]);
  });

  it("knows its configuration", () => {
    expect(() => checkedStop({ device: "car" })).toThrow(/node/);
    expect(() => checkedStop({ node: 7 })).toThrow(/no id/);
    expect(checkedStop({ node: "", name: "All" })).toEqual({ type: "custom:pimqtt-stop-card", name: "All" });
  });

  it("counts an offline Pi as stopped only beside one that is latched", () => {
    expect(allLatched(of(GREENHOUSE, SHED), {})).toBe(true);
    expect(allLatched(of(SHED), {})).toBe(false);
    expect(allLatched(of(DEMO, GREENHOUSE), {})).toBe(false);
    expect(latchesOf(of(GREENHOUSE), { node: "green", device: "heater" })).toHaveLength(1);
  });
});

describe("attention", () => {
  const titles = (fleet: FleetState, now = Date.now()) => attentions(fleet, hass, t, now).map(({ title }) => title);

  it("is wanted for what is wrong, the worst first", () => {
    const weights = attentions(of(DEMO, GREENHOUSE, SHED), hass, t, Date.now()).map(({ weight }) => weight);
    expect(weights).toEqual(["bad", "bad", "warn", "info", "info"]);
    expect(titles(of(DEMO, GREENHOUSE, SHED))).toEqual(expect.arrayContaining([
      "Emergency stop: Greenhouse", expect.stringMatching(/^Shed is offline since/), "Door is offline", expect.stringMatching(/^Pump: a command was refused/), "Greenhouse runs an old version (0.0.9)",
    ]));
  });

  it("forgets refusals after a while, and is silent where all is well", () => {
    expect(titles(of(DEMO), Date.now() + 11 * 60_000)).toEqual(["Door is offline"]);
    expect(titles(of({ ...DEMO, devices: [] }))).toEqual([]);
  });

  it("is wanted for a problem and for a protocol that is not known", () => {
    expect(titles(of({ ...DEMO, devices: [], problem: "the pin keeper restarts", supported: false }))).toHaveLength(2);
  });

  it("says so on its card", async () => {
    const { root } = await shown("pimqtt-attention-card", {}, { ...PIS, nodes: [{ ...DEMO, devices: [] }] });
    expect(text(root)).toContain("Nothing needs attention");
  });
});

describe("versions", () => {
  it("are compared as numbers, a candidate before its release", () => {
    expect(isOlder("0.9.0", "0.10.0")).toBe(true);
    expect(isOlder("1.0.0rc1", "1.0.0")).toBe(true);
    expect(isOlder("1.0.0rc2", "1.0.0rc10")).toBe(true);
    expect(isOlder("1.0.0+local", "1.0.0")).toBe(false);
    expect(isOlder(null, "1.0.0")).toBe(false);
    expect(newest([null, "0.1.0", "0.0.9"])).toBe("0.1.0");
  });
});

describe("cameras", () => {
  it("say how old their picture is", () => {
    const now = Date.parse("2026-11-21T12:00:00Z");
    expect([5, 90, 600, 3 * 3600, 72 * 3600].map((age) => ageWords(age, t))).toEqual(["5 s old", "90 s old", "10 min old", "3 h old", "3 days old"]);
    expect(ageOf("2026-11-21T11:59:53Z", now)).toBe(7);
    expect(ageOf("2026-11-21T12:00:09Z", now)).toBe(0);
  });

  it("know what can be done with them", () => {
    const fleet = of(DEMO, SHED);
    expect(sourceOf("camera.demo_eye", fleet, hass)).toMatchObject({ name: "Eye (Demo Pi)", away: null, snapshot: "camera.demo_eye", live: false });
    expect(sourceOf("camera.shed_porch", fleet, hass)).toMatchObject({ away: "unavailable", snapshot: null });
    expect(sourceOf("camera.foreign", fleet, hass)).toMatchObject({ away: "missing", snapshot: null });
  });

  it("are shown live where there is live video, and once", () => {
    const live = "camera.demo_eye_live";
    const both = {
      ...hass,
      entities: { ...hass.entities, [live]: { entity_id: live, device_id: "dev-eye", platform: "pimqtt" } },
      states: { ...hass.states, [live]: { entity_id: live, state: "idle", attributes: { supported_features: 2 } } },
    };
    expect(eachOnce(["camera.demo_eye", live], both)).toEqual(["camera.demo_eye"]);
    expect(sourceOf("camera.demo_eye", of(DEMO), both)).toMatchObject({ entity: live, live: true, snapshot: "camera.demo_eye" });
  });

  it("take a picture on request, and say why not", async () => {
    const { connection, root } = await shown("pimqtt-camera-card", { entities: ["camera.demo_eye", "camera.shed_porch"] });
    const [first] = root.querySelectorAll<HTMLButtonElement>("figcaption button:last-child");
    const answers = connection.answers;
    connection.answers = (message) => (message["type"] === "pimqtt/snapshot" ? { ...ACCEPTED, outcome: "rejected", code: "unavailable", reason: "no camera" } : answers(message));
    first?.click();
    expect(connection.sent.at(-1)).toEqual({ type: "pimqtt/snapshot", entity_id: "camera.demo_eye" });
    await vi.waitFor(() => { expect(text(root)).toContain("no camera"); });
    expect(text(root)).toContain("Porch (Shed) is not available");
  });

  it("show a newer picture soon", async () => {
    const { card, connection, root } = await shown("pimqtt-camera-card", { entity: "camera.demo_eye" });
    await vi.waitFor(() => { expect(root.querySelector("pimqtt-picture")?.shadowRoot?.querySelector("img")).not.toBeNull(); });
    const source = () => root.querySelector("pimqtt-picture")?.shadowRoot?.querySelector("img")?.getAttribute("src");
    const before = source();
    const home = homeOf(connection);
    card.hass = { ...home, states: { ...home.states, "sensor.demo_eye_taken": { entity_id: "sensor.demo_eye_taken", state: new Date().toISOString(), attributes: { device_class: "timestamp" } } } };
    await vi.waitFor(() => { expect(source()).not.toBe(before); });
  });

  it("have a configuration that is checked", async () => {
    expect(checkedCamera({ entity: "camera.a" })).toMatchObject({ entities: ["camera.a"], refresh_s: 10 });
    expect(() => checkedCamera({})).toThrow(/entities/);
    expect(() => checkedCamera({ entities: ["sensor.a"] })).toThrow(/no camera/);
    expect(() => checkedCamera({ entity: "camera.a", refresh_s: 0 })).toThrow(/1 to 3600/);
    expect(checkedCamera({ entities: [] }).entities).toEqual([]);
    expect(suggestCamera(hass, "camera.demo_eye")).toMatchObject({ config: { entities: ["camera.demo_eye"] } });
    expect(suggestCamera(hass, "switch.demo_pump")).toBeNull();
    expect((await stubCamera(hass, [])).entities).toContain("camera.demo_eye");
  });
});

describe("a Pi at a glance", () => {
  it("says how it is", () => {
    expect(healthOf(known(SHED), hass, t)).toMatchObject({ kind: "bad", words: expect.stringMatching(/^Lost since/) as string });
    expect(healthOf(known(GREENHOUSE), hass, t).words).toBe("Emergency stop is set");
    expect(healthOf(known(DEMO), hass, t).kind).toBe("warn");
    expect(healthOf(known({ ...DEMO, devices: [], since: null }), hass, t)).toMatchObject({ kind: "ok", words: "Online" });
    expect(healthOf(known({ ...DEMO, devices: [], supported: false }), hass, t).kind).toBe("bad");
  });

  it("shows its readings, and a problem while there is one", () => {
    expect(readings(known(DEMO), hass).map(({ key, text: words }) => [key, words])).toEqual([
      ["temperature", "48.7 °C"], ["load", "0.31"], ["memory", "37 %"], ["under_voltage", ""],
    ]);
  });

  it("counts its leases down", async () => {
    expect(leasesOf(known(DEMO), 0)).toHaveLength(1);
    expect(leasesOf(known(DEMO), 43_000)).toHaveLength(0);
    const { root } = await shown("pimqtt-node-card", { node: "demo", page: "pi-demo" });
    expect(text(root)).toMatch(/Pump: on, Ben\s*4[12] s/);
    expect(root.querySelector("a")?.getAttribute("href")).toMatch(/\/pi-demo$/);
  });
});

describe("the fleet", () => {
  it("is listed, with what to update", async () => {
    const { root } = await shown("pimqtt-fleet-card", { pages: true });
    expect(text(root)).toContain("2 of 3 online");
    expect(text(root)).toContain("Update: 0.1.0");
    expect(text(root)).toContain("Lost since");
  });

  it("is searched, with progress, and what is found is told once", async () => {
    const { connection, root } = await shown("pimqtt-fleet-card", {});
    root.querySelector<HTMLButtonElement>(".search button")?.click();
    await vi.waitFor(() => { expect(connection.subscriptions.at(-1)?.message).toEqual({ type: "pimqtt/search", seconds: 5 }); });
    const tell = connection.tell.bind(connection) as (type: string, event: unknown) => void;
    tell("pimqtt/search", { progress: 0.5 });
    const attic = { node: "attic", name: "Attic", address: null, by: "mqtt", new: true };
    tell("pimqtt/search", { found: attic });
    tell("pimqtt/search", { found: { ...attic, address: "192.0.2.9", by: "zeroconf" } });
    await vi.waitFor(() => { expect(root.querySelectorAll(".found li")).toHaveLength(1); });
    expect(root.querySelector("progress")?.value).toBe(0.5);
    tell("pimqtt/search", { done: true });
    await vi.waitFor(() => { expect(text(root)).toContain("1 found, 1 new"); });
    expect(connection.subscriptions.at(-1)?.open).toBe(false);
  });

  it("says why a search was refused", async () => {
    const connection = new FakeConnection();
    connection.refusals["pimqtt/search"] = { code: "not_found", message: "not set up" };
    const searching = new Searching(vi.fn());
    await searching.start(connection);
    expect([searching.done, searching.error]).toEqual([true, { code: "not_found", message: "not set up" }]);
  });

  it("gives first steps where there is none", async () => {
    const { root } = await shown("pimqtt-first-steps-card", {}, { ...PIS, nodes: [] });
    expect(text(root)).toContain("No Pi has been heard yet");
    expect(root.querySelectorAll("pre")).toHaveLength(3);
  });
});

describe("the pickers", () => {
  it("offer every card, and suggest those that fit an entity", async () => {
    await shown("pimqtt-fleet-card", {});
    const cards = new Map(window.customCards?.map((card) => [card.type, card]));
    for (const type of ["header", "camera", "fleet", "stop", "attention", "node"]) expect(cards.get(`pimqtt-${type}-card`)?.description).toBeTruthy();
    expect(cards.get("pimqtt-header-card")?.getEntitySuggestion?.(hass, "switch.demo_pump")).toMatchObject({ config: { node: "demo" } });
    expect(cards.get("pimqtt-stop-card")?.getEntitySuggestion?.(hass, "sensor.demo_car")).toMatchObject({ config: { node: "demo", device: "car" } });
    expect(cards.get("pimqtt-stop-card")?.getEntitySuggestion?.(hass, "light.lamp")).toBeNull();
    for (const [tag] of cards) {
      const element = customElements.get(tag) as unknown as { getStubConfig: (home: unknown, entities: string[]) => unknown; getConfigForm: () => { schema: object[]; computeLabel: (field: object) => unknown } };
      expect(await element.getStubConfig(hass, []), tag).toBeTypeOf("object");
      const form = element.getConfigForm();
      for (const field of form.schema as { name: string }[]) if (field.name) expect(form.computeLabel(field)).toBeTruthy();
    }
  });
});
