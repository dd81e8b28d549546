import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { cameraOf } from "../src/drive/camera.js";
import { age } from "../src/drive/view.js";
import { asHassError, type Hass } from "../src/hass.js";
import { heard, find, NOTHING } from "../src/fleet.js";
import { outputSelector } from "../src/forms.js";
import { translator } from "../src/localize.js";
import { isLive, Picture, preferLive, stillUrl, takenAt } from "../src/picture.js";
import { CAMERA, device, FakeConnection, FLEET, home, node } from "./home.js";
import "../src/index.js";
import { HoldButton } from "../src/hold-button.js";

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
    expect(image(picture)?.getAttribute("alt")).toBe("Picture of Camera");
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

  test("a picture that can't be had is said to be missing, and tried again", async () => {
    const picture = await show(plain, "camera.car1_camera");
    image(picture)?.dispatchEvent(new Event("error"));
    await picture.updateComplete;
    expect(picture.shadowRoot?.textContent).toContain("No picture yet");
    await vi.advanceTimersByTimeAsync(1000);
    await picture.updateComplete;
    expect(image(picture)).not.toBeNull();
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

describe("a button to hold", () => {
  const make = async () => {
    const button = new HoldButton();
    button.again = "Again";
    const confirmed = vi.fn();
    button.addEventListener("confirmed", confirmed);
    document.body.append(button);
    await button.updateComplete;
    const inner = button.shadowRoot?.querySelector("button");
    if (!inner) throw new Error("no button");
    const wait = async (ms: number) => {
      await vi.advanceTimersByTimeAsync(ms);
      await button.updateComplete;
    };
    return { button, inner, confirmed, wait };
  };

  test("held long enough it confirms once", async () => {
    const { inner, confirmed, wait } = await make();
    inner.dispatchEvent(new PointerEvent("pointerdown", { button: 0 }));
    await wait(790);
    expect(confirmed).not.toHaveBeenCalled();
    await wait(20);
    inner.dispatchEvent(new PointerEvent("pointerup"));
    await wait(1000);
    expect(confirmed).toHaveBeenCalledOnce();
  });

  test.each(["pointerleave", "pointercancel", "blur"])("%s lets go", async (type) => {
    const { inner, confirmed, wait } = await make();
    inner.dispatchEvent(new PointerEvent("pointerdown", { button: 0 }));
    inner.dispatchEvent(new Event(type));
    await wait(2000);
    expect(confirmed).not.toHaveBeenCalled();
  });

  test("a press too short says what to do", async () => {
    const { inner, confirmed, wait } = await make();
    inner.dispatchEvent(new PointerEvent("pointerdown", { button: 0 }));
    inner.dispatchEvent(new PointerEvent("pointerup"));
    await wait(10);
    expect(inner.textContent).toContain("Again");
    await wait(5000);
    expect(inner.textContent).not.toContain("Again");
    expect(confirmed).not.toHaveBeenCalled();
  });

  test("keys hold it too, their repeats do not start it anew", async () => {
    const { inner, confirmed, wait } = await make();
    inner.dispatchEvent(new KeyboardEvent("keydown", { key: "x" }));
    inner.dispatchEvent(new KeyboardEvent("keydown", { key: " ", cancelable: true }));
    inner.dispatchEvent(new KeyboardEvent("keydown", { key: " ", repeat: true }));
    await wait(900);
    expect(confirmed).toHaveBeenCalledOnce();
  });

  test("a screen reader presses twice", async () => {
    const { inner, confirmed, wait } = await make();
    inner.dispatchEvent(new MouseEvent("click", { detail: 1 }));
    inner.dispatchEvent(new MouseEvent("click", { detail: 0 }));
    await wait(10);
    expect(confirmed).not.toHaveBeenCalled();
    inner.dispatchEvent(new MouseEvent("click", { detail: 0 }));
    expect(confirmed).toHaveBeenCalledOnce();
  });
});

test("errors of any origin are read", () => {
  expect(asHassError({ code: "x", message: "y" })).toEqual({ code: "x", message: "y" });
  expect(asHassError({ code: 3 })).toEqual({ code: 3, message: "" });
  expect(asHassError(new Error("z"))).toEqual({ code: "unknown", message: "z" });
  expect(asHassError("z")).toEqual({ code: "unknown", message: "z" });
});

test("a selector for outputs that nobody has heard of asks Home Assistant's registry", () => {
  expect(outputSelector(() => false, ["sensor"])).toEqual({ entity: { filter: { integration: "mqtt", domain: ["sensor"] } } });
});
