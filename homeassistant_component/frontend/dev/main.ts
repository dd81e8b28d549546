/** A page to look at the cards without Home Assistant: `?scene=held&theme=dark&language=de`. */

import "../src/index.js";
import type { Device, Lease, Node } from "../src/api.js";
import type { Hass } from "../src/hass.js";
import { CAMERA, device, entity, FakeConnection, FLEET, home, node, obliging, PUMP, told } from "../test/home.js";

interface Card extends HTMLElement {
  hass?: Hass;
  setConfig(config: Record<string, unknown>): void;
}

const asked = new URLSearchParams(location.search);
const scene = asked.get("scene") ?? "free";
document.documentElement.classList.toggle("dark", asked.get("theme") === "dark");
document.documentElement.lang = asked.get("language") ?? "en";

const lease = (over: Partial<Lease>): Lease => ({ owner: "Ben", value: "ON", resting: "OFF", remaining_s: 200, end: null, ...over });
const leased = (output: Device, over: Partial<Lease>): Device => ({
  ...output,
  entities: output.entities.map((each) => ({ ...each, lease: lease(over) })),
});

const car = device({ entities: [entity({ last: [told(), told({ outcome: "rejected", code: "held", holder: "Anna", owner: "Kim", at: "2026-11-21T14:04:58+00:00" })] })] });
const scenes: Record<string, Partial<Node>> = {
  free: { devices: [car, PUMP, CAMERA] },
  held: { devices: [leased(car, { value: { x: 0, y: 1 }, remaining_s: 1e6 }), leased(PUMP, {}), CAMERA] },
  latched: { devices: [{ ...car, latched: true, latched_by: "device" }, leased(PUMP, { owner: "Anna", remaining_s: 42 }), CAMERA] },
  offline: { online: false },
  bare: { devices: [device(), PUMP] },
};

/** A road, in place of a camera. */
function picture(): string {
  return `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 360"><rect width="640" height="360" fill="#7fb2dd"/><path fill="#5a7f4b" d="M0 170h640v190H0z"/><path fill="#555" d="M290 170h60l180 190H110z"/><path stroke="#fff" stroke-width="6" stroke-dasharray="26 20" d="M320 180v180"/><circle cx="520" cy="70" r="34" fill="#fff3b0"/></svg>`)}`;
}

const connection = new FakeConnection();
obliging(connection, 12);
const answers = connection.answers;
connection.answers = (message) => {
  if (message["type"] !== "pimqtt/fleet") return answers(message);
  queueMicrotask(() => { connection.tell("pimqtt/fleet", { ...FLEET, nodes: [node(scenes[scene] ?? {})] }); });
  return null;
};

const hass = home(connection, { language: asked.get("language") ?? "en", hassUrl: (path) => (path.startsWith("/api/camera") ? picture() : path) });

const cards: Record<string, unknown>[] = [
  { type: "pimqtt-drive-card", entity: "sensor.car1_car", speed_limit: 60 },
  { type: "pimqtt-lease-card", entity: "switch.car1_pump" },
  { type: "pimqtt-drive-card", entity: "light.lamp" },
];
for (const { type, ...config } of cards) {
  const card = document.createElement(String(type)) as Card;
  if (!("setConfig" in card)) continue;
  card.setConfig(config);
  card.hass = hass;
  document.querySelector("main")?.append(card);
}
