import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { isLive, preferLive, stillUrl, takenAt } from "../src/camera-entity.js";
import { cameraOf } from "../src/drive/camera.js";
import { age } from "../src/drive/view.js";
import { heard, find, NOTHING } from "../src/fleet.js";
import type { Hass, HassEntity } from "../src/hass.js";
import { translator } from "../src/localize.js";
import { Picture } from "../src/picture.js";
import { CAMERA, device, FakeConnection, FLEET, home, node } from "./home.js";
import "../src/index.js";

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
  delete window.loadCardHelpers;
});

const plain = home(new FakeConnection());
/** The same home with the component's live camera beside MQTT's picture. */
const withLive = (state = "idle"): Hass => ({
  ...plain,
  states: { ...plain.states, "camera.live": { entity_id: "camera.live", state, attributes: { supported_features: 2 } } },
  entities: { ...plain.entities, "camera.live": { entity_id: "camera.live", device_id: "dev-camera", platform: "pimqtt" } },
});

describe("which camera", () => {
  const found = find(heard(NOTHING, FLEET, 0), "sensor.car1_car");
  if (!found) throw new Error("no car");

  test("the configured one, else the Pi's own, live where there is one", () => {
    expect(cameraOf(plain, found, "camera.porch")).toBe("camera.porch");
    expect(cameraOf(plain, found, undefined)).toBe("camera.car1_camera");
    expect(cameraOf(plain, found, "")).toBe("camera.car1_camera");
    expect(cameraOf(withLive(), found, undefined)).toBe("camera.live");
    expect(preferLive(withLive("unavailable"), "camera.car1_camera")).toBe("camera.car1_camera");
  });

  test("one that the fleet does not list is found by its device; without a camera there is none", () => {
    const bare = { ...found, node: { ...found.node, devices: [device({ ...CAMERA, entities: [] })] } };
    expect(cameraOf(plain, bare, undefined)).toBe("camera.car1_camera");
    expect(cameraOf(plain, { ...found, node: { ...node({ devices: [] }), received_ms: 0 } }, undefined)).toBeNull();
  });

  test("its still has the newest token, its age is its device's", () => {
    expect(stillUrl(plain, "camera.car1_camera", 7)).toBe("/api/camera_proxy/camera.car1_camera?token=abc&t=7");
    expect(stillUrl({ ...plain, hassUrl: (path) => `https://ha${path}` }, "camera.car1_camera", 7)).toMatch(/^https:\/\/ha\/api/);
    expect(stillUrl(plain, "camera.none", 0)).toBeNull();
    expect(takenAt(plain, "camera.car1_camera")).toBe(plain.states["sensor.car1_camera_taken"]?.state);
    expect(takenAt(plain, "camera.none")).toBeNull();
    expect(isLive(withLive(), "camera.live")).toBe(true);
    expect(isLive(plain, "camera.car1_camera")).toBe(false);
  });

  test("an old picture is said to be old", () => {
    const t = translator("en");
    const taken = "2026-11-21T14:00:00Z";
    const words = (seconds: number) => {
      const shown = age(taken, t, Date.parse(taken) + seconds * 1000);
      return typeof shown === "symbol" ? "" : shown.values.join(" ");
    };
    expect(words(0)).toBe("");
    expect(words(12)).toContain("12 s old");
    expect(words(300)).toContain("5 min old");
    expect(age(null, t)).toBeTypeOf("symbol");
  });
});

describe("the picture", () => {
  const show = async (hass: Hass, entity: string): Promise<Picture> => {
    const picture = Object.assign(new Picture(), { hass, entity, refresh_ms: 1000 });
    document.body.append(picture);
    await picture.updateComplete;
    return picture;
  };
  const image = (picture: Picture) => picture.shadowRoot?.querySelector("img") ?? null;

  test("a still is fetched again and again, while the tab is seen", async () => {
    const picture = await show(plain, "camera.car1_camera");
    expect(image(picture)?.getAttribute("alt")).toBe("Picture from Camera");
    const first = image(picture)?.src;
    await vi.advanceTimersByTimeAsync(1000);
    await picture.updateComplete;
    const second = image(picture)?.src;
    expect(second).not.toBe(first);
    const hidden = vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    await vi.advanceTimersByTimeAsync(5000);
    expect(image(picture)?.src).toBe(second);
    hidden.mockRestore();
  });

  test("it is named after its device, once: the entity's own name says that it is a picture, too", async () => {
    const named = { ...plain.states["camera.car1_camera"], attributes: { access_token: "abc", friendly_name: "Auge Picture" } } as HassEntity;
    const states = { ...plain.states, "camera.car1_camera": named };
    const alt = async (over: Partial<Hass>) => image(await show({ ...plain, states, ...over }, "camera.car1_camera"))?.getAttribute("alt");
    const called = { id: "dev-camera", name: "Eye", name_by_user: "Auge" };
    expect(await alt({ language: "de", devices: { "dev-camera": called } })).toBe("Bild von Auge");
    expect(await alt({ devices: { "dev-camera": { ...called, name_by_user: null } } })).toBe("Picture from Eye");
    expect(await alt({ devices: {} })).toBe("Picture from Auge Picture");
  });

  test("a picture that can't be had is said to be missing, and tried again", async () => {
    const picture = await show(plain, "camera.car1_camera");
    image(picture)?.dispatchEvent(new Event("error"));
    await picture.updateComplete;
    expect(picture.shadowRoot?.textContent).toContain("No picture yet");
    await vi.advanceTimersByTimeAsync(1000);
    await picture.updateComplete;
    expect(image(picture)).not.toBeNull();
  });

  /** The home where the camera's sensor says this, and its camera came so long ago. */
  const saying = (state: string, camera_s = 60): Hass => ({
    ...plain,
    states: {
      ...plain.states,
      "sensor.car1_camera_taken": { entity_id: "sensor.car1_camera_taken", state, attributes: { device_class: "timestamp" } },
      "camera.car1_camera": { ...plain.states["camera.car1_camera"], last_changed: new Date(Date.now() - camera_s * 1000).toISOString() } as HassEntity,
    },
  });

  test.each(["unknown", "unavailable"])("nothing is fetched before there is a picture: its time is %s", async (state) => {
    const picture = await show(saying(state), "camera.car1_camera");
    await vi.advanceTimersByTimeAsync(10_000);
    await picture.updateComplete;
    expect(image(picture)).toBeNull();
    expect(picture.shadowRoot?.textContent).toContain("No picture yet");
    picture.hass = saying("2026-11-21T14:00:00+00:00");
    await picture.updateComplete;
    await vi.advanceTimersByTimeAsync(290);
    await picture.updateComplete;
    expect(image(picture)).toBeNull();
    await vi.advanceTimersByTimeAsync(20);
    await picture.updateComplete;
    expect(image(picture)).not.toBeNull();
  });

  test("a camera that has just come is given time", async () => {
    const picture = await show(saying("2026-11-21T14:00:00+00:00", 1), "camera.car1_camera");
    expect(image(picture)).toBeNull();
    await vi.advanceTimersByTimeAsync(5000);
    await picture.updateComplete;
    expect(image(picture)).not.toBeNull();
  });

  test("a newer one is fetched when it is there, though not while the tab is hidden", async () => {
    const picture = await show(saying("2026-11-21T14:00:00+00:00"), "camera.car1_camera");
    picture.refresh_ms = 60_000;
    const source = async (taken: string): Promise<string | undefined> => {
      picture.hass = saying(taken);
      await picture.updateComplete;
      await vi.advanceTimersByTimeAsync(310);
      await picture.updateComplete;
      return image(picture)?.src;
    };
    const first = await source("2026-11-21T14:00:00+00:00");
    const second = await source("2026-11-21T14:00:01+00:00");
    expect(second).not.toBe(first);
    expect(await source("2026-11-21T14:00:01+00:00")).toBe(second);
    const hidden = vi.spyOn(document, "visibilityState", "get").mockReturnValue("hidden");
    expect(await source("2026-11-21T14:00:02+00:00")).toBe(second);
    hidden.mockRestore();
  });

  test("live video comes from Home Assistant's own card, and hears of every state", async () => {
    const made: Record<string, unknown>[] = [];
    const live = Object.assign(document.createElement("div"), { hass: undefined as Hass | undefined });
    window.loadCardHelpers = async () => {
      await Promise.resolve();
      return { createCardElement: (config) => { made.push(config); return live; } };
    };
    const hass = withLive();
    const picture = await show(hass, "camera.live");
    await vi.advanceTimersByTimeAsync(10);
    await picture.updateComplete;
    expect(made).toMatchObject([{ type: "picture-entity", entity: "camera.live", camera_view: "live" }]);
    expect(live.isConnected).toBe(true);
    const next = { ...hass };
    picture.hass = next;
    await picture.updateComplete;
    expect(live.hass).toBe(next);
    expect(made).toHaveLength(1);
  });
});
