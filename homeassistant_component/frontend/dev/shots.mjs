// Pictures of the dev page, and what axe finds wrong on it: node dev/shots.mjs FOLDER [scene...]; the browser is CHROMIUM, else /usr/bin/chromium.
import { mkdirSync } from "node:fs";
import { chromium } from "playwright-core";
import { createServer } from "vite";

const [folder = "shots", ...wanted] = process.argv.slice(2);
const scenes = wanted.length > 0 ? wanted : ["free", "driving", "held", "latched", "offline", "bare"];
const sizes = { wide: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } };

const axe = new URL("../node_modules/axe-core/axe.min.js", import.meta.url).pathname;
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
      await page.goto(`${server.resolvedUrls.local[0]}?scene=${scene === "driving" ? "free" : scene}&theme=${theme}&language=${language}`);
      const pad = page.locator("pimqtt-drive-card .pad").first();
      await pad.waitFor();
      if (scene === "driving") {
        const box = await pad.boundingBox();
        await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
        await page.mouse.down();
        await page.mouse.move(box.x + box.width * 0.7, box.y + box.height * 0.12, { steps: 5 });
      }
      await page.waitForTimeout(600);
      await page.addScriptTag({ path: axe });
      const { violations } = await page.evaluate(() => window.axe.run("main"));
      for (const { id, nodes } of violations) console.error(`axe: ${scene} ${theme} ${name}: ${id}`, nodes.map(({ target, failureSummary }) => [target.flat().join(" "), failureSummary]));
      await page.screenshot({ path: `${folder}/${scene}-${theme}-${name}.png`, fullPage: true });
      await page.mouse.up();
    }

await browser.close();
await server.close();
