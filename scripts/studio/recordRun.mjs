// @ts-check
// Records the run that the studio shows without WebGPU, and takes the README's screenshot: trains on drawn faces in
// headless Chrome, with the page's own buttons.
//
//   node esbuild.config.mjs --quiet && node scripts/studio/recordRun.mjs
import { spawn } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { readChoice } from "../chrome/choice.mjs";
import { startChrome } from "../chrome/startChrome.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const chrome = readChoice(root)?.browser;
if (!chrome) throw new Error("No Chrome has been set up: run `npm run setup` first.");

const server = spawn(process.execPath, ["dist/cli/cli.js", "studio", "--port", "0", "--json"], {
  cwd: root,
  stdio: ["ignore", "pipe", "inherit"],
});
const browser = await startChrome(chrome.path, chrome.adapter);
try {
  /** @type {string} */
  const url = await new Promise((resolve) =>
    server.stdout.once("data", (line) => resolve(JSON.parse(String(line)).url)),
  );
  const page = await browser.newPage();
  /** @param {string} role @param {string} name */
  const press = (role, name) => page.locator(`::-p-aria([name='${name}'][role='${role}'])`).click();
  /** @param {string} state @param {number} minutes */
  const reach = (state, minutes) => page.waitForSelector(`html[data-state='${state}']`, { timeout: minutes * 60_000 });
  await page.setViewport({ width: 1200, height: 1375, deviceScaleFactor: 1.25 });
  await page.goto(url);
  await reach("idle", 1);
  await press("button", "Use drawn faces");
  await page.waitForSelector("::-p-aria([name='Continue to training'][role='button'])", { timeout: 120_000 });
  await reach("idle", 1);
  await press("tab", "Train");
  await press("button", "Start training");
  await page.waitForFunction(() => Number(document.documentElement.dataset.step) >= 290, { timeout: 20 * 60_000 });
  await page.screenshot({ path: `${root}docs/images/studio.png` });
  await reach("trained", 20);
  const run = await page.evaluate(async () => {
    const studio = await (await navigator.storage.getDirectory()).getDirectoryHandle("studio");
    const runs = await studio.getDirectoryHandle("runs");
    for await (const [name] of runs) {
      const file = await (await runs.getDirectoryHandle(name)).getFileHandle("run.json");
      return JSON.parse(await (await file.getFile()).text());
    }
  });
  const { adapter, people, heldOut, pictures, settings, evaluations } = run;
  const losses = run.losses.map((/** @type {number} */ loss) => Number(loss.toPrecision(5)));
  const recorded = new Date().toISOString().slice(0, 10);
  const text = JSON.stringify({ recorded, adapter, people, heldOut, pictures, settings, losses, evaluations });
  await writeFile(`${root}src/studio/recorded-run.json`, `${text}\n`);
} finally {
  await browser.close();
  server.kill();
}
