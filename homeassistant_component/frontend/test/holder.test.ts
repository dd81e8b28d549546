import { expect, test } from "vitest";
import type { Lease } from "../src/api.js";
import { holding, mayDrive, type Standing } from "../src/drive/holder.js";
import type { Found } from "../src/fleet.js";
import { device, entity, node } from "./home.js";

const STANDING: Standing = {
  owner: "Anna", holder: undefined, mine: false, moving: false, connected: true, forbidden: false, refusal: null, refused_ms: 0,
};
const LEASE: Lease = { owner: "Ben", value: { x: 0, y: 1 }, resting: { x: 0, y: 0 }, remaining_s: 0.4, end: null };

const found = (over: { node?: Parameters<typeof node>[0]; device?: Parameters<typeof device>[0]; entity?: Parameters<typeof entity>[0] } = {}): Found => ({
  node: { ...node(over.node), received_ms: 0 },
  device: device(over.device),
  entity: entity(over.entity),
});

test("nobody holds it: free, and one may drive", () => {
  const state = holding(found(), STANDING, 0);
  expect(state).toEqual({ kind: "free" });
  expect(mayDrive(state)).toBe(true);
});

test("another holds it by name, until the lease is over", () => {
  const held = found({ entity: { lease: LEASE } });
  const state = holding(held, STANDING, 100);
  expect(state).toEqual({ kind: "held", by: "Ben", shared: false });
  expect(mayDrive(state)).toBe(false);
  expect(holding(held, STANDING, 401)).toEqual({ kind: "free" });
});

test("where control is shared another's driving hinders nobody", () => {
  const state = holding(found({ entity: { lease: LEASE, control: "shared" } }), STANDING, 0);
  expect(state).toEqual({ kind: "held", by: "Ben", shared: true });
  expect(mayDrive(state)).toBe(true);
});

test("what the session was told stands above the published lease", () => {
  const held = found({ entity: { lease: LEASE } });
  expect(holding(held, { ...STANDING, holder: null }, 0)).toEqual({ kind: "free" });
  expect(holding(found(), { ...STANDING, holder: "Kim" }, 0)).toEqual({ kind: "held", by: "Kim", shared: false });
  expect(holding(held, { ...STANDING, holder: "Anna", mine: true }, 0)).toEqual({ kind: "mine" });
});

test("an accepted command makes it ours before the lease is told", () => {
  expect(holding(found(), { ...STANDING, moving: true }, 0)).toEqual({ kind: "mine" });
});

test.each([
  ["no connection", {}, { connected: false }, { kind: "disconnected" }],
  ["no rights", {}, { connected: false, forbidden: true }, { kind: "forbidden" }],
  ["the node is offline", { node: { online: false, since: "2026-11-21T13:03:00Z" } }, {}, { kind: "offline", since: "2026-11-21T13:03:00Z", name: "car1" }],
  ["the device is offline", { device: { online: false } }, {}, { kind: "offline", since: null, name: "Car" }],
  ["the device is latched", { device: { latched: true, latched_by: "device" as const } }, {}, { kind: "latched", by: "device" }],
  ["the node is latched", { node: { latched: true } }, {}, { kind: "latched", by: "node" }],
  ["it is not armed", {}, { refusal: "not_armed" as const }, { kind: "not_armed" }],
])("%s", (_, place, standing, expected) => {
  expect(holding(found(place), { ...STANDING, ...standing }, 0)).toEqual(expected);
});

test("let go first ends after one dead-man of silence", () => {
  const standing = { ...STANDING, refusal: "let_go" as const, refused_ms: 1000 };
  expect(holding(found(), standing, 1400)).toEqual({ kind: "let_go" });
  expect(mayDrive(holding(found(), standing, 1400))).toBe(false);
  expect(holding(found(), standing, 1501)).toEqual({ kind: "free" });
});

test("arming is asked for by trying", () => {
  expect(mayDrive({ kind: "not_armed" })).toBe(true);
});
