// Pictures of the cards about Pis: node dev/page-shots.mjs FOLDER [scene...]; the browser is CHROMIUM, else /usr/bin/chromium.
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";
import { createServer } from "vite";

const [folder = "shots", ...wanted] = process.argv.slice(2);
const scenes = wanted.length > 0 ? wanted : ["overview", "header", "header-wide", "cameras", "fleet", "empty"];
const sizes = { wide: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

mkdirSync(folder, { recursive: true });
const server = await createServer({ configFile: new URL("vite.config.js", import.meta.url).pathname });
await server.listen();
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: ["--no-sandbox"] });
const page = await browser.newPage();
page.on("console", (message) => { if (message.type() === "error") console.error("console:", message.text()); });
page.on("pageerror", (error) => { console.error("page:", error.message); });

for (const scene of scenes)
  for (const theme of ["light", "dark"])
    for (const [name, viewport] of Object.entries(sizes)) {
      const language = theme === "dark" && name === "phone" ? "de" : "en";
      await page.setViewportSize(viewport);
      await page.goto(`${server.resolvedUrls.local[0]}pages.html?scene=${scene}&theme=${theme}&language=${language}`);
      await page.locator("ha-card, .trouble").first().waitFor();
      await page.waitForTimeout(400);
      if (scene.startsWith("header")) {
        await page.locator("pimqtt-header-card #pin-11").first().click();
        await page.keyboard.press("ArrowUp");
        await page.keyboard.press("ArrowDown");
      }
      if (scene === "fleet") {
        await page.locator("pimqtt-fleet-card .search button").click();
        await page.evaluate(() => {
          connection.tell("pimqtt/search", { progress: 0.4 });
          connection.tell("pimqtt/search", { found: { node: "attic", name: "Attic", address: "192.0.2.9", by: "zeroconf", new: true } });
        });
      }
      await page.waitForTimeout(300);
      await page.screenshot({ path: `${folder}/${scene}-${theme}-${name}.png`, fullPage: true });
    }

await browser.close();
await server.close();
