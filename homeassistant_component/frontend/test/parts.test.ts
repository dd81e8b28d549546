import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { asHassError } from "../src/hass.js";
import { outputSelector } from "../src/forms.js";
import "../src/index.js";
import { HoldButton } from "../src/hold-button.js";

beforeEach(() => { vi.useFakeTimers(); });
afterEach(() => {
  document.body.replaceChildren();
  vi.useRealTimers();
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

  test("a press that was too short is forgotten when the button goes: it takes two again", async () => {
    const { button, inner, confirmed, wait } = await make();
    const press = (): void => {
      inner.dispatchEvent(new PointerEvent("pointerdown", { button: 0 }));
      inner.dispatchEvent(new PointerEvent("pointerup"));
    };
    press();
    await wait(10);
    button.remove();
    await wait(10);
    document.body.append(button);
    press();
    await wait(10);
    expect(confirmed).not.toHaveBeenCalled();
    press();
    expect(confirmed).toHaveBeenCalledOnce();
  });

  test("it tells while somebody is at it, and when that is over", async () => {
    const { button, inner, wait } = await make();
    const told: boolean[] = [];
    button.addEventListener("used", (event) => { told.push((event as CustomEvent<boolean>).detail); });
    inner.dispatchEvent(new PointerEvent("pointerdown", { button: 0 }));
    await wait(10);
    inner.dispatchEvent(new PointerEvent("pointerup"));
    await wait(10);
    expect(told).toEqual([true]); // a second press may come
    await wait(5000);
    expect(told).toEqual([true, false]);
    inner.dispatchEvent(new PointerEvent("pointerdown", { button: 0 }));
    await wait(10);
    button.remove();
    await wait(10);
    expect(told).toEqual([true, false, true, false]);
  });

  const short: Record<string, (inner: HTMLElement) => void> = {
    mouse: (inner) => {
      inner.dispatchEvent(new PointerEvent("pointerdown", { button: 0 }));
      inner.dispatchEvent(new PointerEvent("pointerup", { button: 0 }));
      inner.dispatchEvent(new MouseEvent("click", { detail: 1 }));
    },
    touch: (inner) => {
      inner.dispatchEvent(new PointerEvent("pointerdown", { button: 0, pointerType: "touch" }));
      inner.dispatchEvent(new PointerEvent("pointerup", { button: 0, pointerType: "touch" }));
      inner.dispatchEvent(new PointerEvent("pointerleave", { pointerType: "touch" }));
    },
    // Firefox makes a click of a released space bar, unless that is prevented.
    "a key": (inner) => {
      for (const type of ["keydown", "keyup"]) {
        const event = new KeyboardEvent(type, { key: " ", cancelable: true });
        inner.dispatchEvent(event);
        if (type === "keyup" && !event.defaultPrevented) inner.dispatchEvent(new MouseEvent("click", { detail: 0 }));
      }
    },
    "a screen reader": (inner) => { inner.dispatchEvent(new MouseEvent("click", { detail: 0 })); },
  };
  test.each(Object.entries(short))("a second short press by %s confirms, once; the first alone does nothing", async (_, press) => {
    const { button, inner, confirmed, wait } = await make();
    press(inner);
    await wait(600);
    expect(confirmed).not.toHaveBeenCalled();
    expect(inner.textContent).toContain("Again");
    expect(button.shadowRoot?.querySelector("[role=status]")?.textContent).toBe("Again");
    press(inner);
    await wait(10);
    expect(confirmed).toHaveBeenCalledOnce();
    expect(inner.textContent).not.toContain("Again");
    press(inner);
    await wait(4500);
    press(inner);
    await wait(10);
    expect(confirmed).toHaveBeenCalledOnce();
  });

  test("after a press too short it can be held as well", async () => {
    const { inner, confirmed, wait } = await make();
    short["mouse"]?.(inner);
    await wait(500);
    inner.dispatchEvent(new PointerEvent("pointerdown", { button: 0 }));
    await wait(1000);
    inner.dispatchEvent(new PointerEvent("pointerup", { button: 0 }));
    await wait(5000);
    expect(confirmed).toHaveBeenCalledOnce();
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
