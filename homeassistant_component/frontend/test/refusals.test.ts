/** What Home Assistant and the component refuse, in the user's words: with the shapes that they really send. */

import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { refusal } from "../src/asking.js";
import { refusalWords } from "../src/answer-words.js";
import { asHassError } from "../src/hass.js";
import { translator } from "../src/localize.js";
import { drive, FORWARD } from "./driver.js";
import { ACCEPTED } from "./home.js";
import { stage, type Stage } from "./stage.js";

/** home-assistant-js-websocket rejects what is asked without a connection with this, a command's own error is bare. */
const LOST = { type: "result", success: false, error: { code: 3, message: "Connection lost" } };
const DENIED = {
  code: "unauthorized", message: "You have no right to control Pump.", translation_domain: "pimqtt", translation_key: "unauthorized",
  translation_placeholders: { what: "Pump" },
};
const GONE = "No connection to Home Assistant: it may not have heard this.";
const SENTENCES: Record<string, string> = {
  "component.pimqtt.exceptions.unauthorized.message": "Sie dürfen {what} nicht steuern.",
  "component.pimqtt.exceptions.node_offline.message": "{name} ist offline.",
};

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
});

const rejecting = async (error: unknown): Promise<never> => {
  await Promise.resolve();
  throw error;
};
const fail = (card: Stage, error: unknown): void => {
  card.connection.sendMessagePromise = () => rejecting(error);
};

/** Make it German, with the component's own sentences loaded. */
const german = async (card: Stage): Promise<string[]> => {
  const loaded: string[] = [];
  card.card.hass = {
    ...card.hass,
    language: "de",
    localize: (key, values = {}) => SENTENCES[key]?.replace(/\{(\w+)\}/g, (_, name: string) => String(values[name])) ?? "",
    loadBackendTranslation: async (category, integration) => { loaded.push(`${category} ${String(integration)}`); await Promise.resolve(); return undefined; },
  };
  await card.wait();
  return loaded;
};

describe("Home Assistant is gone", () => {
  test.each([["a rejected question", LOST], ["a thrown number", 3], ["an error", { code: 3, message: "Connection lost" }]])("%s", async (_, error) => {
    expect(asHassError(error).code).toBe(3);
    expect(await refusal(rejecting(error), translator("en"))).toBe(GONE);
  });

  test("each card says so", async () => {
    const cards: [Stage, string, string][] = [
      [await drive(), "Emergency stop", ".say"],
      [await stage("pimqtt-stop-card", { type: "custom:pimqtt-stop-card" }), "Emergency stop", ".bad"],
      [await stage("pimqtt-lease-card", { type: "custom:pimqtt-lease-card", entity: "switch.car1_pump" }), "1 min", ".bad"],
    ];
    for (const [card, button, words] of cards) {
      fail(card, LOST);
      await card.press(button);
      await card.wait();
      expect(card.text(words)).toBe(GONE);
    }
  });

  test("while the fleet is asked for: that is no refusal", async () => {
    const card = await stage("pimqtt-attention-card", { type: "custom:pimqtt-attention-card" }, ({ connection }) => {
      connection.refusals["pimqtt/fleet"] = LOST as never;
    });
    expect(card.text()).toContain("Waiting for Home Assistant");
  });
});

describe("what the component refuses", () => {
  test("an error's sentence is the user's", async () => {
    const card = await stage("pimqtt-lease-card", { type: "custom:pimqtt-lease-card", entity: "switch.car1_pump" });
    expect(await german(card)).toEqual(["exceptions pimqtt", "issues pimqtt"]);
    fail(card, DENIED);
    await card.press("1 min");
    await card.wait();
    expect(card.text(".bad")).toBe("Sie dürfen Pump nicht steuern.");
  });

  test("a key that is not known falls back to the sentence that came", async () => {
    const card = await stage("pimqtt-lease-card", { type: "custom:pimqtt-lease-card", entity: "switch.car1_pump" });
    await german(card);
    fail(card, { ...DENIED, code: "odd", translation_key: "odd", message: "Something odd." });
    await card.press("1 min");
    await card.wait();
    expect(card.text(".bad")).toBe("Home Assistant hat abgelehnt: Something odd.");
  });

  test("without translations the codes have words of ours", async () => {
    const t = translator("de");
    const words = (error: unknown) => refusal(rejecting(error), t);
    expect(await words(DENIED)).toBe("Sie dürfen das nicht steuern. Bitte fragen Sie die Verwaltung.");
    expect(await words({ code: "not_connected", message: "no" })).toBe("Home Assistant hat seinen MQTT-Broker verloren");
    expect(await words({ code: "unknown_command", message: "Unknown command." })).toBe("pimqtt ist nicht eingerichtet");
  });

  test("an answer's reason of the component is the user's, an agent's stands as it is", async () => {
    const card = await stage("pimqtt-lease-card", { type: "custom:pimqtt-lease-card", entity: "switch.car1_pump" });
    await german(card);
    const offline = { ...ACCEPTED, outcome: "rejected", code: "unavailable" as const, reason: "car1 is offline.", reason_key: "node_offline", reason_placeholders: { name: "car1" } };
    card.connection.answers = () => offline;
    await card.press("1 min");
    await card.wait();
    expect(card.text(".bad")).toBe("car1 ist offline.");
    expect(refusalWords({ ...offline, reason_key: null }, translator("de"))).toBe("Der Pi erreicht es gerade nicht. car1 is offline.");
  });

  test("a right that is taken away in the middle of a drive is said, and the car is let go", async () => {
    const car = await drive();
    car.connection.answers = (message) => {
      if (message["type"] !== "pimqtt/drive/send") return null;
      car.connection.tell("pimqtt/drive", { answer: { ...ACCEPTED, seq: Number(message["seq"]), outcome: "rejected", code: "forbidden", reason: null } });
      return null;
    };
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(1000);
    expect(car.text(".say")).toBe("That is not allowed to you.");
    expect(car.connection.frames.length).toBeLessThan(3);
  });
});
