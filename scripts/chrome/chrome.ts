// The headless Chrome of the tests and benchmarks: the one that the set-up chose, with the adapter that it found there.
import { existsSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import type { Browser } from "puppeteer";
import { readChoice } from "./choice.mjs";
import { startChrome } from "./startChrome.mjs";

/** The repository's folder, from wherever in it this file was bundled to. */
function repository(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!existsSync(path.join(folder, "package-lock.json"))) {
    const parent = path.dirname(folder);
    if (parent === folder) throw new Error(`${fileURLToPath(import.meta.url)} is in no clone of twingrad.`);
    folder = parent;
  }
  return folder;
}

/**
 * Starts Chrome headless with WebGPU; close it with `browser.close()`. Its start takes up to a second, so share one.
 * `adapter` overrides the choice of the set-up (`npm run setup`), without which this throws; `args` are added to
 * Chrome's.
 */
export async function launchChrome({
  adapter,
  args,
}: {
  adapter?: "gpu" | "software";
  args?: readonly string[];
} = {}): Promise<Browser> {
  const browser = readChoice(repository())?.browser;
  if (!browser) throw new Error("No Chrome has been set up for tests and benchmarks: run `npm run setup` first.");
  return startChrome(browser.path, adapter ?? browser.adapter, args);
}
