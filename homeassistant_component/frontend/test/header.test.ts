import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { heard, NOTHING } from "../src/fleet.js";
import { functionsOf, layoutOf, neighbour } from "../src/header/layout.js";
import { EVERY_MS, Levels } from "../src/header/levels.js";
import { HEADER } from "../src/header/table.js";
import { byLine, inConflict, lineNumber, usesOf } from "../src/header/uses.js";
import { kindWords, levelSign, pinWords, useWords } from "../src/header/words.js";
import { translator } from "../src/localize.js";
import "../src/index.js";
import { answering, DEMO, GREENHOUSE, homeOf, PINS, PIS, there } from "./fleet-home.js";
import { ACCEPTED, FakeConnection } from "./home.js";

const t = translator("en");

interface Card extends HTMLElement {
  hass?: unknown;
  updateComplete: Promise<boolean>;
  setConfig(config: Record<string, unknown>): void;
}
const known = (node = DEMO) => ({ ...node, received_ms: 0 });

describe("the table", () => {
  it("has forty pins in order, each of the 28 lines once", () => {
    expect(HEADER.map(({ pin }) => pin)).toEqual(Array.from({ length: 40 }, (_, index) => index + 1));
    const lines = HEADER.flatMap(({ line }) => line ?? []);
    expect([...lines].sort((a, b) => a - b)).toEqual(Array.from({ length: 28 }, (_, index) => index));
  });

  it("knows the places that people know by heart", () => {
    const line = (pin: number) => HEADER[pin - 1]?.line;
    expect([line(3), line(8), line(11), line(12), line(40)]).toEqual([2, 14, 17, 18, 21]);
    expect(HEADER.filter(({ kind }) => kind === "ground").map(({ pin }) => pin)).toEqual([6, 9, 14, 20, 25, 30, 34, 39]);
  });
});

describe("the layout of a model", () => {
  const pin18 = HEADER[11];
  it.each([
    ["Raspberry Pi 5 Model B Rev 1.0", 40, true, "SPI1"],
    ["Raspberry Pi 500 Rev 1.0", 40, true, "SPI1"],
    ["Raspberry Pi 4 Model B Rev 1.4", 40, false, "SPI6 CE0"],
    ["Raspberry Pi Zero 2 W Rev 1.0", 40, false, "SPI1 CE0"],
    ["Raspberry Pi Model B Plus Rev 1.2", 40, false, "SPI1 CE0"],
    ["Raspberry Pi Model B Rev 2", 26, false, "SPI1 CE0"],
    [null, 40, false, "SPI6 CE0"],
  ])("%s", (model, count, rp1, word) => {
    const layout = layoutOf(model);
    expect([layout.pins.length, layout.rp1]).toEqual([count, rp1]);
    const pin = layout.pins.find(({ line }) => line === 18) ?? pin18;
    expect(pin && functionsOf(pin, layout)).toContain(word);
  });

  it("leaves out what only the Pi 4 can do", () => {
    const pin = layoutOf("Raspberry Pi 3 Model B Rev 1.2").pins[11];
    expect(pin?.bcm).not.toContain("SPI6 CE0");
  });

  it("knows the other lines of the first board", () => {
    expect(layoutOf("Raspberry Pi Model B Rev 1").pins.filter(({ pin }) => pin === 3 || pin === 13).map(({ line }) => line)).toEqual([0, 21]);
  });

  it("walks by arrow keys and stays on the board", () => {
    expect(neighbour(11, "ArrowUp", 40)).toBe(9);
    expect(neighbour(11, "ArrowRight", 40)).toBe(12);
    expect(neighbour(12, "ArrowRight", 40)).toBe(12);
    expect(neighbour(1, "ArrowUp", 40)).toBe(1);
    expect(neighbour(39, "ArrowDown", 40)).toBe(39);
    expect(neighbour(7, "End", 26)).toBe(26);
  });
});

describe("uses", () => {
  const hass = homeOf(new FakeConnection());

  it("reads lines however they are written", () => {
    expect([17, "17", "GPIO17", "expander:3"].map(lineNumber)).toEqual([17, 17, 17, null]);
  });

  it("takes the levels that were listed, and finds what two devices claim", () => {
    const lines = byLine(usesOf(known(), PINS, hass));
    expect(lines.get(17)).toMatchObject([{ name: "Pump", level: 1, mode: "output" }]);
    expect(inConflict(lines.get(22) ?? [])).toBe(true);
    expect(lines.get(null)).toMatchObject([{ line: "expander:3" }]);
  });

  it("takes a switch's state where no level is listed, and guesses nothing else", () => {
    const lines = byLine(usesOf(known(), null, hass));
    expect(lines.get(17)?.[0]?.level).toBe(1);
    expect(lines.get(18)?.[0]?.level).toBeNull();
  });

  it("shows what an agent lists that tells no pins in its info", () => {
    expect(byLine(usesOf(known(GREENHOUSE), PINS, hass)).get(17)).toMatchObject([{ name: "pump", level: 1 }]);
    expect(usesOf(known(GREENHOUSE), null, hass)).toEqual([]);
  });

  it("says it in words", () => {
    const lines = byLine(usesOf(known(), PINS, hass));
    const words = (pin: number) => pinWords(there(HEADER[pin - 1]), lines.get(HEADER[pin - 1]?.line ?? -1) ?? [], t);
    expect(words(11)).toBe("Pin 11, GPIO17, Pump, output, high");
    expect(words(29)).toBe("Pin 29, GPIO5, Car left forward, PWM, 40 %");
    expect(words(15)).toContain("conflict");
    expect(words(27)).toBe("Pin 27, GPIO0 (ID_SD), free, for a HAT");
    expect(words(1)).toBe("Pin 1, 3V3");
    expect(useWords({ name: "Pump", role: "pin", line: 17, device: null, mode: null, level: null }, t)).toBe("Pump");
    expect([levelSign({ level: 0.4, mode: "pwm" }), levelSign({ level: 0, mode: "output" }), levelSign({ level: null, mode: null })]).toEqual(["40%", "0", ""]);
  });
});

describe("what the Pi names, in the user's language", () => {
  const role = (words: string, language: string) =>
    useWords({ name: "Auto", role: words, line: 5, device: null, mode: null, level: null }, translator(language));

  it.each([
    ["left.forward", "Auto left forward", "Auto links vorwärts"], ["right.backward", "Auto right backward", "Auto rechts rückwärts"],
    ["left.enable", "Auto left enable", "Auto links Freigabe"], ["steering.pin", "Auto steering", "Auto Lenkung"],
    ["rgb.green", "Auto green", "Auto grün"], ["pin", "Auto", "Auto"], ["left.odd_one", "Auto left odd_one", "Auto links odd_one"],
  ])("role %s", (words, english, german) => {
    expect([role(words, "en"), role(words, "de")]).toEqual([english, german]);
  });

  it.each([["switch", "Schalter"], ["binary_sensor", "Kontakt"], ["their_kind", "their kind"]])("kind %s", (kind, german) => {
    expect(kindWords(kind, translator("de"))).toBe(german);
  });
});

describe("levels", () => {
  beforeEach(() => { vi.useFakeTimers(); });
  afterEach(() => { vi.useRealTimers(); });

  const asked = (connection: FakeConnection) => connection.sent.filter(({ type }) => type === "pimqtt/pins").length;

  it("are asked for at a gentle rate, and soon after a change, once for a burst", async () => {
    const connection = new FakeConnection();
    answering(connection);
    const levels = new Levels(connection, "demo", vi.fn(), () => true);
    levels.start();
    await vi.advanceTimersByTimeAsync(10);
    expect(asked(connection)).toBe(1);
    await vi.advanceTimersByTimeAsync(EVERY_MS);
    expect(asked(connection)).toBe(2);
    for (let burst = 0; burst < 5; burst += 1) levels.soon();
    await vi.advanceTimersByTimeAsync(300);
    expect(asked(connection)).toBe(3);
    levels.end();
    await vi.advanceTimersByTimeAsync(10 * EVERY_MS);
    expect(asked(connection)).toBe(3);
  });

  it("are not asked for while nobody can see them", async () => {
    const connection = new FakeConnection();
    answering(connection);
    let visible = false;
    const levels = new Levels(connection, "demo", vi.fn(), () => visible);
    levels.start();
    await vi.advanceTimersByTimeAsync(5 * EVERY_MS);
    expect(asked(connection)).toBe(0);
    visible = true;
    await vi.advanceTimersByTimeAsync(EVERY_MS);
    expect(asked(connection)).toBe(1);
    levels.end();
  });

  it("keep why there are none", async () => {
    const connection = new FakeConnection();
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the real one rejects with this object
    connection.answers = () => { throw { code: "not_found", message: "no pins" }; };
    const levels = new Levels(connection, "demo", vi.fn(), () => true);
    levels.start();
    await vi.advanceTimersByTimeAsync(10);
    expect([levels.pins, levels.error]).toEqual([null, { code: "not_found", message: "no pins" }]);
    levels.end();
  });
});

describe("the card", () => {
  async function shown(node = "demo") {
    const connection = new FakeConnection();
    answering(connection);
    const card = document.createElement("pimqtt-header-card") as Card;
    card.setConfig({ type: "custom:pimqtt-header-card", node });
    card.hass = homeOf(connection);
    document.body.append(card);
    await vi.waitFor(() => { expect(card.shadowRoot?.querySelectorAll("[role=option]")).toHaveLength(40); });
    await vi.waitFor(() => { expect(card.shadowRoot?.querySelector("#pin-11")?.getAttribute("aria-label")).toContain("high"); });
    return { card, connection, root: there(card.shadowRoot) };
  }
  const press = async (card: Card, key: string) => {
    card.shadowRoot?.querySelector("svg.header")?.dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true }));
    await card.updateComplete;
  };
  afterEach(() => { document.body.replaceChildren(); });

  it("names what is drawn after its Pi, whatever the card is called", async () => {
    const { card, root } = await shown();
    card.setConfig({ type: "custom:pimqtt-header-card", node: "demo", name: "Header" });
    await vi.waitFor(() => { expect(root.querySelector("h2")?.textContent).toBe("Header"); });
    expect(root.querySelector("svg.header")?.getAttribute("aria-label")).toBe(`Header of ${DEMO.name}`);
  });

  it("switches a pin's output on for a while, by keyboard alone", async () => {
    const { card, connection, root } = await shown();
    for (let step = 0; step < 5; step += 1) await press(card, "ArrowDown");
    expect(root.querySelector("[tabindex='0'][role=option]")?.id).toBe("pin-11");
    await press(card, "Enter");
    const input = there(root.querySelector("input"));
    expect([input.value, input.max]).toEqual(["5", "60"]);
    root.querySelector<HTMLButtonElement>("button.strong")?.click();
    expect(connection.sent.at(-1)).toMatchObject({ type: "pimqtt/command", entity_id: "switch.demo_pump", value: "ON", ttl: 5 });
  });

  it("only stops what moves", async () => {
    const { card, connection, root } = await shown();
    root.querySelector("#pin-29")?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    await card.updateComplete;
    expect(root.querySelector("input")).toBeNull();
    root.querySelector<HTMLButtonElement>(".set button")?.click();
    expect(connection.sent.at(-1)).toMatchObject({ entity_id: "sensor.demo_car", value: "stop" });
  });

  it("says why a command was refused, and which lines are claimed twice", async () => {
    const { card, connection, root } = await shown();
    const answers = connection.answers;
    connection.answers = (message) => (message["type"] === "pimqtt/command" ? { ...ACCEPTED, outcome: "rejected", code: "held", holder: "Ben" } : answers(message));
    root.querySelector("#pin-11")?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    await card.updateComplete;
    root.querySelector<HTMLButtonElement>("button.strong")?.click();
    await vi.waitFor(() => { expect(root.querySelector(".detail [role=status]")?.textContent).toContain("Ben"); });
    expect(root.textContent).toContain("Claimed twice: GPIO22");
  });

  it("says that an old agent tells no pins, and a Pi that is not there", async () => {
    const connection = new FakeConnection();
    answering(connection);
    const answers = connection.answers;
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the real one rejects with this object
    connection.answers = (message) => { if (message["type"] === "pimqtt/pins") throw { code: "not_found", message: "?" }; return answers(message); };
    const card = document.createElement("pimqtt-header-card") as Card;
    card.setConfig({ node: "green" });
    card.hass = homeOf(connection);
    document.body.append(card);
    await vi.waitFor(() => { expect(card.shadowRoot?.textContent).toContain("does not tell which pins"); });
    card.setConfig({ node: "nobody" });
    await vi.waitFor(() => { expect(card.shadowRoot?.textContent).toContain("Nothing was heard of a Pi nobody"); });
  });

  it("wants a node", () => {
    const card = document.createElement("pimqtt-header-card") as Card;
    expect(() => { card.setConfig({}); }).toThrow(/node/);
    expect(() => { card.setConfig({ node: "no node" }); }).toThrow(/no id/);
    expect(heard(NOTHING, PIS, 0).nodes.size).toBe(3);
  });
});
