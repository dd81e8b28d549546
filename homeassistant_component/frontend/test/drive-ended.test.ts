/** A session that the component ends, and commands that Home Assistant does not understand: said in words, and nothing goes on. */

import { describe, expect, test } from "vitest";
import { drive, eachOnAnEmptyPage, FORWARD, values } from "./driver.js";
import { FLEET } from "./home.js";
import type { Stage } from "./stage.js";

eachOnAnEmptyPage();

const UNLOADED = { ended: "pimqtt was unloaded or reloaded in Home Assistant.", reason_key: "unloaded", reason_placeholders: {} };
const SENTENCE = "pimqtt wurde in Home Assistant entladen oder neu geladen.";

/** Speak German, with the component's own sentences as Home Assistant hands them out. */
const german = async (car: Stage): Promise<void> => {
  const localize = (key: string): string => (key === "component.pimqtt.exceptions.unloaded.message" ? SENTENCE : "");
  car.card.hass = { ...car.hass, language: "de", localize };
  await car.wait();
};

const driving = async (): Promise<Stage> => {
  const car = await drive();
  car.pointer("pointerdown", ...FORWARD);
  await car.wait(150);
  return car;
};

describe("a drive that the component ends", () => {
  test.each([
    ["English", "This drive was ended: pimqtt was unloaded or reloaded in Home Assistant."],
    ["German", `Diese Fahrt wurde beendet: ${SENTENCE}`],
  ])("says why, in %s", async (language, words) => {
    const car = await driving();
    if (language === "German") await german(car);
    car.connection.tell("pimqtt/drive", UNLOADED);
    await car.wait();
    expect(car.text(".say")).toBe(words);
    expect(car.find(".say")?.className).toBe("say bad");
    expect(car.find(".pad")?.getAttribute("aria-disabled")).toBe("true");
  });

  test("an older component tells no key: its sentence stands as it came", async () => {
    const car = await driving();
    car.connection.tell("pimqtt/drive", { ended: "Home Assistant is stopping." });
    await car.wait();
    expect(car.text(".say")).toBe("This drive was ended: Home Assistant is stopping.");
  });

  test.each([["stays until the next press", true], ["goes with the next session, where nobody drove", false]])("the reason %s", async (_, drove) => {
    const car = drove ? await driving() : await drive();
    car.connection.tell("pimqtt/drive", UNLOADED);
    await car.wait(100);
    car.connection.lose();
    await car.wait(1000);
    expect(car.text(".say")).toContain("This drive was ended");
    car.connection.restore();
    await car.wait(100);
    expect([car.text(".chip"), car.text(".say").includes("This drive was ended")]).toEqual(["Free", drove]);
    car.pointer("pointerup");
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(200);
    expect(car.text(".chip")).toBe("You drive");
    expect(car.text(".say")).not.toContain("ended");
  });

  test("the reason is there again when the car was gone for a moment, as at a reload", async () => {
    const car = await driving();
    car.connection.tell("pimqtt/drive", UNLOADED);
    car.connection.tell("pimqtt/fleet", { connected: false, nodes: [] });
    await car.wait(100);
    expect(car.find(".say")).toBeNull();
    car.connection.tell("pimqtt/fleet", FLEET);
    await car.wait(100);
    expect([car.text(".chip"), car.text(".say")]).toEqual(["Free", "This drive was ended: pimqtt was unloaded or reloaded in Home Assistant."]);
  });

  test("a take-over under way ends with it", async () => {
    const car = await drive();
    car.connection.tell("pimqtt/drive", { holder: "Ben", mine: false });
    await car.wait();
    car.find("pimqtt-hold-button")?.dispatchEvent(new CustomEvent("confirmed"));
    await car.wait(500);
    expect(car.text(".say")).toContain("stands still until you drive");
    car.connection.tell("pimqtt/drive", UNLOADED);
    await car.wait();
    expect(car.text(".say")).toContain("This drive was ended");
  });
});

describe("a command that Home Assistant does not understand", () => {
  const WORDS = "Home Assistant did not understand this card: reload the page, the card may be of another version.";

  /** Answer driving commands by an error result, as the websocket does before the component sees them. */
  const misunderstand = (car: Stage, code: string, ours = false): void => {
    const ask = car.connection.sendMessagePromise.bind(car.connection);
    car.connection.sendMessagePromise = async (message) => {
      await ask(message);
      if (message["type"] !== "pimqtt/drive/send" || typeof message["value"] !== "object") return null;
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- the real one rejects with this object
      throw { code, message: "expected a number from -1 to 1", ...(ours ? { translation_domain: "pimqtt", translation_key: "unauthorized" } : {}) };
    };
  };

  test("says so, stops, and does not go on, however long the stick is held", async () => {
    const car = await driving();
    misunderstand(car, "invalid_format");
    const before = values(car).length;
    await car.wait(1000);
    car.pointer("pointermove", 100, 10);
    await car.wait(1000);
    expect(car.text(".say")).toBe(WORDS);
    expect(car.find(".say")?.className).toBe("say bad");
    expect(values(car).slice(before)).toEqual([{ x: 0, y: 1 }, "release"]);
  });

  test("says it in German", async () => {
    const car = await driving();
    await german(car);
    misunderstand(car, "invalid_format");
    await car.wait(300);
    expect(car.text(".say")).toContain("Home Assistant hat diese Karte nicht verstanden");
  });

  test("an error of another kind stops it, too", async () => {
    const car = await driving();
    misunderstand(car, "unknown_error");
    await car.wait(300);
    expect(car.text(".say")).toBe("Home Assistant refused: expected a number from -1 to 1");
    expect(values(car).at(-1)).toBe("release");
  });

  test("the next press tries again", async () => {
    const car = await drive();
    const ask = car.connection.sendMessagePromise.bind(car.connection);
    misunderstand(car, "invalid_format");
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(300);
    car.pointer("pointerup");
    car.connection.sendMessagePromise = ask;
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(300);
    expect(car.text(".chip")).toBe("You drive");
    expect(car.text(".say")).not.toContain("understand");
  });

  test("what the component itself refuses is told by its event, once", async () => {
    const car = await driving();
    misunderstand(car, "unauthorized", true);
    const before = values(car).length;
    await car.wait(250);
    expect(values(car).length).toBeGreaterThan(before);
    expect(car.text(".say")).not.toContain("refused");
  });
});
