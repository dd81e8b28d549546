import { expect, test } from "vitest";
import { answered, begin, KEEP_MS } from "../src/drive/take-over.js";
import { ACCEPTED } from "./home.js";

const held = { ...ACCEPTED, outcome: "rejected", code: "held", reason: "Ben holds it" } as const;

test("it begins one step above our own priority", () => {
  expect(begin(0, 4)).toEqual({ step: "asking", priority: 1, after_seq: 4 });
});

test("accepted: the car is held still for us for a while", () => {
  expect(answered(begin(0, 0), { ...ACCEPTED, seq: 1 }, 1, 500)).toEqual({ step: "done", until_ms: 500 + KEEP_MS });
});

test("held still: one step further, up to nine", () => {
  expect(answered(begin(0, 0), { ...held, seq: 1 }, 3, 0)).toEqual({ step: "asking", priority: 2, after_seq: 3 });
  expect(answered(begin(8, 0), { ...held, seq: 1 }, 1, 0)).toEqual({ step: "refused" });
});

test("an answer to what was sent before says nothing", () => {
  const state = begin(1, 3);
  expect(answered(state, { ...held, seq: 3 }, 4, 0)).toBe(state);
  expect(answered(state, { ...held, seq: null }, 4, 0)).toBe(state);
});

test("a stale token is asked for anew", () => {
  const state = begin(0, 0);
  expect(answered(state, { ...held, code: "stale", seq: 1 }, 1, 0)).toBe(state);
});

test.each(["forbidden", null] as const)("code %s ends it", (code) => {
  expect(answered(begin(0, 0), { ...held, code, seq: 1 }, 1, 0)).toEqual({ step: "refused" });
});

test("whoever takes nothing over hears nothing", () => {
  const none = { step: "none" } as const;
  expect(answered(none, { ...ACCEPTED, seq: 1 }, 1, 0)).toBe(none);
});
