import { afterEach, describe, expect, it, vi } from "vitest";
import type { Entity, FleetEvent, Node } from "../src/api.js";
import { fleetOf, heard, NOTHING, type FleetState } from "../src/fleet.js";
import { translator } from "../src/localize.js";
import * as pages from "../src/strategy/pages.js";
import { deviceCards, groupOf, type Card } from "../src/strategy/cards.js";
import { presentFleet } from "../src/present-fleet.js";
import { isOutdated, pageKey, shapeOf, wasBuilt } from "../src/strategy/shape.js";
import { STRATEGIES } from "../src/strategy/strategies.js";
import "../src/index.js";
import { answering, DEMO, GREENHOUSE, homeOf, PIS, SHED } from "./fleet-home.js";
import { device, entity, FakeConnection } from "./home.js";

const t = translator("en");
const of = (...nodes: Node[]): FleetState => heard(NOTHING, { ...PIS, nodes }, 0);
const hass = homeOf(new FakeConnection());
const go = (page: string): Card => ({ action: "navigate", navigation_path: `/pimqtt/${page}` });
const types = (view: unknown): string[] => [...JSON.stringify(view).matchAll(/"type":"([^"]+)"/g)].map((match) => match[1] ?? "");

interface Strategy {
  generate(config: Record<string, unknown>, hass: unknown): Promise<Record<string, unknown>>;
  shouldRegenerate(config: Record<string, unknown>, old: unknown, hass: unknown): boolean;
  getCreateSuggestions(): { title: string };
}
const strategy = (tag: string): Strategy => STRATEGIES[tag] as unknown as Strategy;

describe("the dashboard", () => {
  const paths = (fleet: FleetState) => pages.dashboard(fleet, hass, t).views.map(({ path }) => path);

  it("has a page for each thing that is there", () => {
    expect(paths(of(DEMO, SHED))).toEqual(["overview", "pi-demo", "pi-shed", "drive-demo-car", "cameras", "fleet"]);
  });

  it("has no page for what is not there", () => {
    expect(paths(of(GREENHOUSE))).toEqual(["overview", "pi-green", "fleet"]);
    expect(paths(of())).toEqual(["overview", "fleet"]);
  });

  it("hands out view strategies only, so that a page that stays the same is not drawn anew", () => {
    for (const view of pages.dashboard(of(DEMO), hass, t).views) expect(view["strategy"]).toBeDefined();
  });

  it("keeps the tabs few: many Pis are reached from the overview", () => {
    const many = Array.from({ length: 9 }, (_, index) => ({ ...GREENHOUSE, id: `g${index}` }));
    const views = pages.dashboard(of(...many), hass, t).views;
    expect(views.filter(({ subview }) => subview === true)).toHaveLength(9);
  });

  it("never moves a page that is there: the open one would turn into another under the driver's hands", () => {
    const first = pages.arranged(pages.dashboard(of(DEMO), hass, t).views, []);
    const attic = { ...DEMO, id: "attic", name: "Attic" };
    const second = pages.arranged(pages.dashboard(of(attic, DEMO), hass, t).views, first);
    const paths = (views: readonly Card[]) => views.map(({ path }) => path);
    expect(paths(second)).toEqual([...paths(first), "pi-attic", "drive-attic-car"]);
    const third = pages.arranged(pages.dashboard(of(attic), hass, t).views, second);
    expect(paths(third)).toEqual(paths(second));
    expect(third.filter(({ subview }) => subview === true).map(({ path }) => path)).toEqual(["pi-demo", "drive-demo-car"]);
  });

  it("names a car with its Pi where two bear one name", () => {
    const twin = { ...DEMO, id: "twin", name: "Twin" };
    expect(pages.dashboard(of(DEMO, twin), hass, t).views.filter(({ path }) => String(path).startsWith("drive-")).map(({ title }) => title)).toEqual(["Car (Demo Pi)", "Car (Twin)"]);
  });
});

describe("the pages", () => {
  it("show first steps while nothing is there", () => {
    expect(types(pages.overview(of()))).toContain("custom:pimqtt-first-steps-card");
  });

  it("show every Pi, the emergency stop and what needs attention", () => {
    const shown = types(pages.overview(of(DEMO, SHED)));
    expect(shown.filter((type) => type === "custom:pimqtt-node-card")).toHaveLength(2);
    expect(shown).toEqual(expect.arrayContaining(["custom:pimqtt-stop-card", "custom:pimqtt-attention-card"]));
  });

  it("show a Pi's devices by what they do, its camera and its header", () => {
    const view = pages.node(of(DEMO), hass, "demo", t, go);
    expect(types(view)).toEqual(expect.arrayContaining(["custom:pimqtt-lease-card", "custom:pimqtt-camera-card", "custom:pimqtt-header-card", "tile", "entities"]));
    expect(JSON.stringify(view)).toContain('"navigation_path":"/pimqtt/drive-demo-car"');
    expect(JSON.stringify(view)).not.toContain("button.demo_car_forward");
  });

  it("show a Pi's header beside what it does, not below all of it", () => {
    const { sections = [] } = pages.node(of(DEMO), hass, "demo", t, go);
    const heads = sections.map((section) => (section["cards"] as Card[]).filter(({ type }) => type === "heading").map((card) => card["heading"]));
    expect(heads).toEqual([[], [], ["Outputs", "Inputs"], [], ["Motion"], ["The Pi itself"]]);
    expect(types(sections[3])).toContain("custom:pimqtt-header-card");
  });

  it("give each device that moves lines of its own, with tiles of one height", () => {
    const sizes = (entities: Entity[]) => {
      const car = device({ kind: "servo", entities });
      const known = Object.fromEntries(entities.map(({ entity_id: id }) => [String(id), { entity_id: String(id) }]));
      return deviceCards({ ...hass, entities: known }, DEMO, car, go).map(({ grid_options: size }) => Object.values(size as Record<string, number>));
    };
    const [sensor, stop, limit] = ["sensor.car", "button.car_stop", "number.car_limit"].map((id, index) => entity({ key: ["", "halt", "limit"][index] ?? "", entity_id: id }));
    const arm = entity({ key: "", entity_id: "number.arm" });
    if (!sensor || !stop || !limit) throw new Error("no entities");
    expect(sizes([sensor, stop, limit])).toEqual([[6, 1], [6, 1], [12, 1]]);
    expect(sizes([arm, stop])).toEqual([[6, 2], [6, 2]]);
    expect(sizes([arm])).toEqual([[12, 2]]);
  });

  it("survive a Pi that is gone, a car that is gone, and entities that Home Assistant has not", () => {
    expect(types(pages.node(of(), hass, "demo", t, go))).toContain("custom:pimqtt-node-card");
    expect(types(pages.drive(of(DEMO), "demo", "boat", t))).toContain("markdown");
    const bare = homeOf(new FakeConnection(), PIS, { entities: {}, states: {}, devices: {} });
    const view = pages.node(of(DEMO), bare, "demo", t, go);
    expect(types(view).filter((type) => type === "tile" || type === "custom:pimqtt-lease-card")).toEqual([]);
  });

  it("leave out what is hidden, and a device without entities", () => {
    const id = "switch.demo_pump";
    const hidden = { ...hass, entities: { ...hass.entities, [id]: { entity_id: id, hidden: true } } };
    const pump = DEMO.devices.find((each) => each.id === "pump");
    expect(pump && deviceCards(hidden, DEMO, pump, go)).toEqual([]);
    expect(deviceCards(hass, DEMO, device({ entities: [entity({ entity_id: null })] }), go)).toEqual([]);
  });

  it("put a kind that nobody knows where its motion says", () => {
    const kind = (motion: "level" | "bounded" | null) => groupOf(device({ kind: "pump9", entities: [entity({ motion })] }));
    expect([kind("level"), kind("bounded"), kind(null)]).toEqual(["outputs", "motion", "inputs"]);
  });

  it("show no camera twice, and the live one where there is one", () => {
    const live = "camera.demo_eye_live";
    const both = {
      ...hass,
      entities: { ...hass.entities, [live]: { entity_id: live, device_id: "dev-eye", platform: "pimqtt" } },
      states: { ...hass.states, [live]: { entity_id: live, state: "idle", attributes: { supported_features: 2 } } },
    };
    expect(pages.cameras(of(DEMO, SHED), both).cards).toMatchObject([{ entities: ["camera.demo_eye", "camera.shed_porch"] }]);
  });

  it("keep a car's page the same whatever comes elsewhere", () => {
    const more = { ...DEMO, devices: [...DEMO.devices, device({ id: "new" })] };
    expect(pages.drive(of(more, SHED), "demo", "car", t)).toEqual(pages.drive(of(DEMO), "demo", "car", t));
  });
});

describe("building again", () => {
  afterEach(() => { vi.useRealTimers(); });

  it("waits for the component's first word, but not for ever", async () => {
    const connection = new FakeConnection();
    answering(connection);
    expect((await presentFleet(connection)).nodes.size).toBe(3);
    vi.useFakeTimers();
    const silent = presentFleet(new FakeConnection());
    await vi.advanceTimersByTimeAsync(3000);
    expect((await silent).nodes.size).toBe(0);
  });

  it("happens when there is something else, not when states change", async () => {
    const connection = new FakeConnection();
    answering(connection);
    const fleet = await presentFleet(connection);
    const home = homeOf(connection);
    const page = pageKey({ type: "custom:pimqtt-node", node: "demo" });
    wasBuilt(page, fleet);
    expect(isOutdated(page, home, { ...home, states: {} })).toBe(false);
    expect(isOutdated(page, home, { ...home, entities: {} })).toBe(true);
    const tell = (event: FleetEvent) => { connection.tell("pimqtt/fleet", event); };
    tell({ node: { ...DEMO, online: false, problem: "hot" } });
    expect(isOutdated(page, home, home)).toBe(false);
    tell({ node: { ...DEMO, devices: [] } });
    expect(isOutdated(page, home, home)).toBe(true);
    wasBuilt(page, fleetOf(connection).state);
    expect(isOutdated(page, home, home)).toBe(false);
    expect(shapeOf(of(DEMO))).not.toBe(shapeOf(of(SHED)));
  });

  it("is what Home Assistant asks of each strategy", async () => {
    const connection = new FakeConnection();
    answering(connection);
    const home = homeOf(connection);
    const built = await strategy("ll-strategy-dashboard-pimqtt").generate({ type: "custom:pimqtt" }, home);
    for (const view of built["views"] as { strategy: { type: string } }[]) {
      const made = await strategy(`ll-strategy-view-${view.strategy.type.replace("custom:", "")}`).generate(view.strategy, home);
      expect(made["type"]).toMatch(/sections|panel/);
    }
    expect(strategy("ll-strategy-dashboard-pimqtt").shouldRegenerate({ type: "custom:pimqtt" }, home, home)).toBe(false);
    expect(strategy("ll-strategy-dashboard-pimqtt").getCreateSuggestions().title).toBe("pimqtt");
    expect(window.customStrategies).toMatchObject([{ type: "pimqtt", strategyType: "dashboard" }]);
    expect(customElements.get("ll-strategy-view-pimqtt-cameras")).toBeDefined();
  });
});
