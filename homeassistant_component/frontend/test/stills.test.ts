import { beforeEach, describe, expect, test, vi } from "vitest";
import { Stills, type Look } from "../src/drive/stills.js";
import { drive, eachOnAnEmptyPage, FORWARD, hideTab } from "./driver.js";
import { ACCEPTED, CAMERA, FakeConnection, node } from "./home.js";
import type { Stage } from "./stage.js";

const START_MS = Date.parse("2026-11-21T14:00:00Z");
const at = (seconds: number): string => new Date(START_MS + seconds * 1000).toISOString();

describe("fresh stills", () => {
  let connection: FakeConnection;
  let stills: Stills;
  let answer: (message: unknown) => unknown;

  beforeEach(() => {
    connection = new FakeConnection();
    stills = new Stills();
    answer = () => ACCEPTED;
    connection.answers = (message) => answer(message);
  });

  /** Look once a second; tells at which seconds it asked. */
  const asked = async (from: number, to: number, over: Partial<Look> = {}): Promise<number[]> => {
    const seconds = [];
    for (let second = from; second <= to; second += 1) {
      const before = connection.sent.length;
      stills.look({ connection, camera: "camera.eye", taken: null, seen: true, driving: false, ...over }, START_MS + second * 1000);
      if (connection.sent.length > before) seconds.push(second);
      await new Promise<void>((resolve) => { queueMicrotask(resolve); }).then(() => undefined).then(() => undefined).then(() => undefined);
    }
    return seconds;
  };

  test("are asked for at once, then every 5 s, every second while driving", async () => {
    expect(await asked(0, 12)).toEqual([0, 5, 10]);
    expect(await asked(13, 16, { driving: true })).toEqual([13, 14, 15, 16]);
    expect(connection.sent[0]).toEqual({ type: "pimqtt/snapshot", entity_id: "camera.eye" });
  });

  test("wait while the picture is young, by whatever clock it was taken", async () => {
    expect(await asked(0, 6, { taken: at(-2) })).toEqual([3]);
    stills = new Stills();
    expect(await asked(0, 6, { taken: at(-60) })).toEqual([0, 5]);
    stills = new Stills();
    expect(await asked(0, 6, { taken: at(3600) })).toEqual([0, 5]);
  });

  test("are nobody's wish while nobody looks; whoever looks again gets one at once, if the last is old", async () => {
    expect(await asked(0, 20, { seen: false })).toEqual([]);
    expect(await asked(21, 22)).toEqual([21]);
    expect(await asked(23, 23, { seen: false })).toEqual([]);
    expect(await asked(24, 30)).toEqual([26]);
    expect(await asked(31, 60, { seen: false })).toEqual([]);
    expect(await asked(61, 62)).toEqual([61]);
  });

  test("are never asked for twice at a time", async () => {
    let settle: (value: unknown) => void = () => undefined;
    answer = () => new Promise((resolve) => { settle = resolve; });
    expect(await asked(0, 20, { driving: true })).toEqual([0]);
    settle(ACCEPTED);
    await asked(21, 21, { seen: false });
    expect(await asked(22, 22, { driving: true })).toEqual([22]);
  });

  test.each([
    ["a rejection", () => ({ ...ACCEPTED, outcome: "rejected", code: "unavailable" })],
    // eslint-disable-next-line @typescript-eslint/only-throw-error -- the real one rejects with this object
    ["missing rights", () => { throw { code: "unauthorized", message: "no" }; }],
  ])("end with %s, until the camera or the connection is another, or was away", async (_, refuses) => {
    answer = refuses;
    expect(await asked(0, 60, { driving: true })).toEqual([0]);
    answer = () => ACCEPTED;
    expect(await asked(61, 62)).toEqual([]);
    expect(await asked(63, 64, { camera: "camera.other" })).toEqual([63]);
    answer = refuses;
    expect(await asked(70, 90, { camera: "camera.other" })).toEqual([70]);
    answer = () => ACCEPTED;
    await asked(91, 91, { camera: null });
    expect(await asked(92, 92, { camera: "camera.other" })).toEqual([92]);
    const other = new FakeConnection();
    stills.look({ connection: other, camera: "camera.other", taken: null, seen: true, driving: false }, START_MS);
    expect(other.sent).toHaveLength(1);
  });

  test("go on when one is not answered, and when the clock was set back", async () => {
    answer = () => ({ ...ACCEPTED, outcome: "unanswered" });
    expect(await asked(0, 6)).toEqual([0, 5]);
    expect(await asked(-3600, -3596)).toEqual([-3600]);
  });
});

eachOnAnEmptyPage();

describe("the drive card", () => {
  const asked = ({ connection }: Stage): number => connection.sent.filter(({ type }) => type === "pimqtt/snapshot").length;
  /** The home's picture was just taken. */
  const OLD_MS = 6000;

  test("asks for stills of its camera, more often while driving", async () => {
    const car = await drive();
    expect(asked(car)).toBe(0);
    await car.wait(OLD_MS);
    expect(asked(car)).toBe(1);
    await car.wait(10_000);
    expect(asked(car)).toBe(3);
    car.pointer("pointerdown", ...FORWARD);
    await car.wait(3100);
    expect(asked(car)).toBeGreaterThanOrEqual(6);
    expect(car.connection.sent.find(({ type }) => type === "pimqtt/snapshot")).toEqual({ type: "pimqtt/snapshot", entity_id: "camera.car1_camera" });
  });

  test("shows one as soon as it is there", async () => {
    const car = await drive();
    const picture = car.find("pimqtt-picture");
    const source = () => picture?.shadowRoot?.querySelector("img")?.getAttribute("src");
    const before = source();
    const sensor = car.hass.states["sensor.car1_camera_taken"];
    if (!sensor) throw new Error("no sensor");
    car.card.hass = { ...car.hass, states: { ...car.hass.states, "sensor.car1_camera_taken": { ...sensor, state: new Date().toISOString() } } };
    await car.wait(250);
    expect(source()).toBe(before);
    await car.wait(100);
    expect(source()).not.toBe(before);
  });

  test.each<[string, Parameters<typeof drive>, (car: Stage) => void]>([
    ["its option is off", [{ stills: false }], () => undefined],
    ["the tab is hidden", [], () => { hideTab(); }],
    ["it is a preview", [{}, ({ card }) => { card.preview = true; }], () => undefined],
    ["the user may not drive", [{}, ({ connection }) => { connection.refusals["pimqtt/drive"] = { code: "unauthorized", message: "" }; }], () => undefined],
    ["the camera is not pimqtt's", [{ camera: "camera.porch" }], () => undefined],
    ["the Pi is offline", [], (car) => { car.connection.tell("pimqtt/fleet", { node: node({ online: false }) }); }],
    ["the camera is away", [], (car) => { car.connection.tell("pimqtt/fleet", { node: node({ devices: [...node().devices.slice(0, 2), { ...CAMERA, online: false }] }) }); }],
    ["the broker is lost", [], (car) => { car.connection.tell("pimqtt/fleet", { connected: false }); }],
    ["it is taken off the page", [], (car) => { car.card.remove(); }],
    ["live video is there", [], (car) => {
      const live = { entity_id: "camera.live", state: "idle", attributes: { supported_features: 2 } };
      const entry = { entity_id: "camera.live", device_id: "dev-camera", platform: "pimqtt" };
      car.card.hass = { ...car.hass, states: { ...car.hass.states, "camera.live": live }, entities: { ...car.hass.entities, "camera.live": entry } };
    }],
  ])("asks for none where %s", async (_, [config, prepare], change) => {
    const car = await drive(config, prepare);
    change(car);
    await car.wait(20_000);
    expect(asked(car)).toBe(0);
  });

  test("asks for none while it is not in the window", async () => {
    const tell: ((seen: boolean) => void)[] = [];
    const seeing = vi.spyOn(window.IntersectionObserver.prototype, "observe").mockImplementation(function (this: IntersectionObserver) {
      const { told } = this as unknown as { told: IntersectionObserverCallback };
      tell.push((isIntersecting) => { told([{ isIntersecting } as IntersectionObserverEntry], this); });
    });
    const car = await drive();
    await car.wait(20_000);
    expect(asked(car)).toBe(0);
    tell[0]?.(true);
    await car.wait();
    expect(asked(car)).toBe(1);
    tell[0]?.(false);
    await car.wait(20_000);
    expect(asked(car)).toBe(1);
    seeing.mockRestore();
  });

  test("is content where nobody may take pictures", async () => {
    const errors = vi.spyOn(console, "error");
    const car = await drive();
    const answers = car.connection.answers;
    car.connection.answers = (message) => {
      // eslint-disable-next-line @typescript-eslint/only-throw-error -- the real one rejects with this object
      if (message["type"] === "pimqtt/snapshot") throw { code: "unauthorized", message: "no" };
      return answers(message);
    };
    await car.wait(30_000);
    expect(asked(car)).toBe(1);
    expect(errors).not.toHaveBeenCalled();
    expect(car.find(".say.bad")).toBeNull();
  });
});
