import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { find, fleetOf, heard, lastHeard, NOTHING, remaining, RETRY_MS, type FleetState } from "../src/fleet.js";
import { FakeConnection, FLEET, node, obliging } from "./home.js";

describe("what was heard", () => {
  const first = heard(NOTHING, FLEET, 1000);

  test("the first event brings all nodes, each with its time", () => {
    expect(first).toMatchObject({ live: true, connected: true, base: "pimqtt" });
    expect(first.nodes.get("car1")).toMatchObject({ name: "car1", received_ms: 1000 });
  });

  test("a node replaces itself, another is added, a third goes", () => {
    const renamed = heard(first, { node: node({ name: "Racer" }) }, 2000);
    const two = heard(renamed, { node: node({ id: "porch", devices: [] }) }, 3000);
    expect([...two.nodes.values()].map(({ name, received_ms }) => [name, received_ms])).toEqual([["Racer", 2000], ["car1", 3000]]);
    expect([...heard(two, { gone: "car1" }, 0).nodes.keys()]).toEqual(["porch"]);
    expect(first.nodes.get("car1")?.name).toBe("car1");
  });

  test("a lost broker leaves the nodes", () => {
    const lost = heard(first, { connected: false }, 0);
    expect(lost.connected).toBe(false);
    expect(lost.nodes.size).toBe(1);
  });

  test("an output is found by its entity id; a lease counts from its receipt", () => {
    const found = find(first, "switch.car1_pump");
    expect(found?.device.id).toBe("pump");
    expect(find(first, "light.lamp")).toBeNull();
    if (!found) return;
    const leased = { ...found, entity: { ...found.entity, lease: { owner: "A", value: "ON", resting: "OFF", remaining_s: 10, end: null } } };
    expect(remaining(leased, 5000)).toBe(6);
    expect(remaining(leased, 99_000)).toBe(0);
    expect(remaining(found, 0)).toBe(0);
  });
});

describe("the shared subscription", () => {
  let connection: FakeConnection;
  const states: FleetState[] = [];
  const listen = () => fleetOf(connection).listen((state) => states.push(state));
  beforeEach(() => {
    vi.useFakeTimers();
    connection = new FakeConnection();
    obliging(connection);
    states.length = 0;
  });
  afterEach(() => vi.useRealTimers());
  const open = () => connection.subscriptions.filter((each) => each.open).length;

  test("one for all listeners, closed with the last", async () => {
    const ends = [listen(), listen()];
    await vi.runAllTimersAsync();
    expect(connection.subscriptions).toHaveLength(1);
    expect(states.at(-1)?.nodes.size).toBe(1);
    ends[0]?.();
    expect(open()).toBe(1);
    ends[1]?.();
    ends[1]?.();
    expect(open()).toBe(0);
    expect(connection.listening("ready")).toBe(0);
  });

  test("a late listener hears the present state at once", async () => {
    const end = listen();
    await vi.runAllTimersAsync();
    states.length = 0;
    listen()();
    expect(states[0]?.nodes.size).toBe(1);
    expect(lastHeard().nodes.size).toBe(1);
    end();
  });

  test("after a lost connection it asks again by itself; meanwhile it is not live", async () => {
    const end = listen();
    await vi.runAllTimersAsync();
    connection.lose();
    expect(states.at(-1)).toMatchObject({ live: false });
    expect(states.at(-1)?.nodes.size).toBe(1);
    connection.restore();
    await vi.runAllTimersAsync();
    expect(states.at(-1)?.live).toBe(true);
    expect(connection.subscriptions).toHaveLength(2);
    expect(open()).toBe(1);
    end();
  });

  test("a refusal is told, and asked again until the component is there", async () => {
    connection.refusals["pimqtt/fleet"] = { code: "unknown_command", message: "Unknown command." };
    const end = listen();
    await vi.advanceTimersByTimeAsync(10);
    expect(states.at(-1)?.error).toEqual({ code: "unknown_command", message: "Unknown command." });
    connection.refusals = {};
    await vi.advanceTimersByTimeAsync(RETRY_MS);
    expect(states.at(-1)).toMatchObject({ live: true, error: null });
    end();
  });

  test("who left before the answer leaves nothing open", async () => {
    listen()();
    await vi.runAllTimersAsync();
    expect(open()).toBe(0);
  });
});
