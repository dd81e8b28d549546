import { describe, expect, test } from "vitest";
import type { Told, Value } from "../src/api.js";
import { refusalWords, toldWords, valueWords } from "../src/answer-words.js";
import { heard, NOTHING, type FleetState } from "../src/fleet.js";
import { translator } from "../src/localize.js";
import { fitsDrive } from "../src/drive/config.js";
import { chipWords, stateSentence } from "../src/drive/words.js";
import { othersOf } from "../src/drive/view.js";
import { entityTrouble, fleetTrouble, reachTrouble } from "../src/trouble.js";
import { device, entity, FakeConnection, FLEET, home, node, told } from "./home.js";

const t = translator("en");

describe("answers", () => {
  test("a refusal names the holder", () => {
    expect(refusalWords({ code: "held", reason: "x", holder: "Ben" }, t)).toBe("Ben holds the controls.");
    for (const holder of [null, "anonymous"])
      expect(refusalWords({ code: "held", reason: "x", holder }, t)).toBe("Somebody holds the controls.");
    const hass = home(new FakeConnection());
    const held = { kind: "held", by: "anonymous", shared: false } as const;
    expect([chipWords(held, t), stateSentence(held, hass, t)]).toEqual(["Somebody drives", expect.stringMatching(/^Somebody holds/)]);
  });

  test("where the code says too little the agent's reason stands beside it", () => {
    expect(refusalWords({ code: "ttl_range", reason: "900 is above 600", holder: null }, t)).toBe("That time is not allowed. 900 is above 600");
    expect(refusalWords({ code: "latched", reason: "long", holder: null }, t)).toBe("The emergency stop is set: reset it first.");
    expect(refusalWords({ code: null, reason: "odd", holder: null }, t)).toBe("odd");
  });

  test.each<[Value, string]>([
    ["ON", "on"], ["OFF", "off"], [null, "stopped"], [40, "40"], [{ x: 0, y: 1 }, "forward"], [{ x: 0.2, y: -0.5 }, "backward"],
    [{ x: -0.5, y: 0.1 }, "left"], [{ x: 1, y: 0 }, "right"], [{ x: 0, y: 0 }, "stopped"], [{ state: "ON", brightness: 102 }, "40 %"],
    [{ state: "OFF" }, "off"], [{ odd: 1 }, '{"odd":1}'], ["backward", "backward"], ["stop", "stopped"], ["PRESS", "pressed"], ["odd", "odd"],
  ])("%j is said as %s", (value, words) => {
    expect(valueWords(value, t)).toBe(words);
  });

  test.each<[Value, string]>([["forward", "vorwärts"], ["left", "links"], ["stop", "steht"], ["PRESS", "gedrückt"], [true, "ein"]])(
    "the wire's word %j is %s in German", (value, words) => {
      expect(valueWords(value, translator("de"))).toBe(words);
    });

  test("what became of others' commands is one line each", () => {
    expect(toldWords(told(), t)).toBe("Ben: forward");
    expect(toldWords(told({ outcome: "rejected", code: "held", holder: "Anna" }), t)).toBe("Ben: forward refused. Anna holds the controls.");
    expect(toldWords(told({ outcome: "reverted", cause: "expired" }), t)).toBe("Ben: over, time was up");
    expect(toldWords(told({ owner: "anonymous" }), t)).toBe("Somebody: forward");
  });
});

describe("trouble", () => {
  const hass = home(new FakeConnection());
  const fleet = heard(NOTHING, FLEET, 0);
  const of = (state: FleetState) => fleetTrouble(state, t)?.title ?? null;

  test("on the way to the fleet", () => {
    expect(of(NOTHING)).toBe("Waiting for Home Assistant");
    expect(of(fleet)).toBeNull();
    expect(of({ ...fleet, connected: false })).toBe("Home Assistant has lost its MQTT broker");
    expect(of({ ...NOTHING, error: { code: "unknown_command", message: "" } })).toBe("pimqtt is not set up");
    expect(of({ ...NOTHING, error: { code: "unauthorized", message: "" } })).toBe("You have no right to see this");
    expect(fleetTrouble({ ...NOTHING, error: { code: "x", message: "odd" } }, t)?.help).toBe("odd (x)");
  });

  test.each([
    ["sensor.car1_car", null],
    ["switch.car1_pump", "switch.car1_pump is not a pimqtt drive"],
    ["light.lamp", "light.lamp is not a pimqtt drive"],
    ["sensor.gone", "sensor.gone does not exist"],
    ["button.car1_forward", "Nothing was heard of button.car1_forward"],
  ])("with %s: %s", (id, title) => {
    expect(entityTrouble(hass, fleet, id, fitsDrive, "drive", t)?.title ?? null).toBe(title);
  });

  test("with an output that does nothing now", () => {
    const why = (over: Parameters<typeof node>[0], on = true) =>
      reachTrouble({ node: { ...node(over), received_ms: 0 }, device: device({ online: on }), entity: entity() }, hass, t)?.title ?? null;
    expect(why({})).toBeNull();
    expect(why({ online: false, since: null })).toBe("car1 is offline");
    expect(why({ online: false })).toMatch(/^car1 is offline since .*\d/);
    expect(why({}, false)).toBe("Car is offline");
    expect(why({ supported: false })).toBe("car1 speaks a protocol that this version does not know");
  });
});

describe("the last commands of others", () => {
  const said = (at: number, owner: string, value: Value, outcome: Told["outcome"] = "accepted"): Told => ({
    at: new Date(at * 1000).toISOString(), owner, value, outcome, code: null, reason: null, holder: null, cause: null,
  });

  test("counts renewals, and what came by two ways, as one", () => {
    const heardOf = [said(3, "Bob", 50), said(2, "Bob", 50), said(2, "Bob", 50), said(1, "Eve", 50), said(0, "Bob", 50)];
    expect(othersOf(heardOf, null).map((each) => [each.owner, each.at.slice(17, 19)])).toEqual([["Bob", "03"], ["Eve", "01"], ["Bob", "00"]]);
  });

  test("leaves out our own, and keeps what ended otherwise", () => {
    const heardOf = [said(3, "Bob", 50, "rejected"), said(2, "Anna", 0), said(1, "Bob", 50)];
    expect(othersOf(heardOf, "Anna").map((each) => each.outcome)).toEqual(["rejected", "accepted"]);
  });
});
