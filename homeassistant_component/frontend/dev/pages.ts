/** A page to look at the cards about Pis without Home Assistant: `pages.html?scene=fleet&theme=dark&language=de`. */

import "../src/index.js";
import { answering, homeOf, PIS } from "../test/fleet-home.js";
import { FakeConnection } from "../test/home.js";

interface Card extends HTMLElement {
  hass?: unknown;
  setConfig(config: Record<string, unknown>): void;
}

const asked = new URLSearchParams(location.search);
document.documentElement.classList.toggle("dark", asked.get("theme") === "dark");
document.documentElement.lang = asked.get("language") ?? "en";
document.documentElement.dir = asked.get("dir") ?? "ltr";

const picture = `data:image/svg+xml,${encodeURIComponent(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 480"><rect width="640" height="480" fill="#7fb2dd"/><path fill="#5a7f4b" d="M0 240h640v240H0z"/><circle cx="520" cy="90" r="40" fill="#fff3b0"/></svg>`)}`;

const scenes: Record<string, Record<string, unknown>[]> = {
  overview: [
    { type: "pimqtt-stop-card" }, { type: "pimqtt-attention-card" }, { type: "pimqtt-node-card", node: "demo", page: "pi-demo" },
    { type: "pimqtt-node-card", node: "green" }, { type: "pimqtt-node-card", node: "shed" }, { type: "pimqtt-stop-card", node: "green" },
    { type: "pimqtt-stop-card", node: "demo", device: "car" }, { type: "pimqtt-node-card", node: "nobody" },
  ],
  header: [{ type: "pimqtt-header-card", node: "demo" }, { type: "pimqtt-header-card", node: "green" }],
  "header-wide": [{ type: "pimqtt-header-card", node: "demo" }],
  cameras: [{ type: "pimqtt-camera-card", entities: ["camera.demo_eye", "camera.shed_porch", "camera.none"] }, { type: "pimqtt-camera-card", entity: "camera.demo_eye", name: "Eye" }],
  fleet: [{ type: "pimqtt-fleet-card", pages: true }, { type: "pimqtt-first-steps-card", more: true }],
  empty: [{ type: "pimqtt-first-steps-card" }, { type: "pimqtt-fleet-card" }, { type: "pimqtt-attention-card" }, { type: "pimqtt-stop-card" }],
};

const scene = asked.get("scene") ?? "overview";
const connection = new FakeConnection();
answering(connection, scene === "empty" ? { ...PIS, nodes: [] } : PIS);
const hass = homeOf(connection, PIS, { language: asked.get("language") ?? "en", hassUrl: (path) => (path.startsWith("/api/camera") ? picture : path) });
const main = document.querySelector("main");
if (scene === "header-wide" && main) main.style.gridTemplateColumns = "1fr";
for (const { type, ...config } of scenes[scene] ?? []) {
  const card = document.createElement(String(type)) as Card;
  card.setConfig(config);
  card.hass = hass;
  main?.append(card);
}
Object.assign(window, { connection });
