// A page that is reloaded during training or a save continues with the same losses, bit for bit.
import { join } from "node:path";
import type { Page } from "puppeteer";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Random, streams } from "../../src/data/random.ts";
import { pageScript } from "../bundle.ts";
import { localPage } from "./localPage.ts";
import type { Began } from "./reloadsPage.ts";

const seed = process.env.TEST_SEED ? Number(process.env.TEST_SEED) : 1;
const steps = 40;
const reloads = 8;

let page: Page;
let script: string;
const losses: Record<string, Map<number, Set<number>>> = { whole: new Map(), reloaded: new Map() };
let onStep: (step: number) => void = () => undefined;
let onSave: () => void = () => undefined;

beforeAll(async () => {
  script = await pageScript(join(import.meta.dirname, "reloadsPage.ts"));
  page = await localPage();
  await page.exposeFunction("heard", (run: string, step: number, loss: number) => {
    losses[run].set(step, (losses[run].get(step) ?? new Set()).add(loss));
    onStep(step);
  });
  await page.exposeFunction("saving", () => onSave());
  await page.goto("http://localhost/");
});
afterAll(() => page?.browser().close());

/** Starts or resumes a run in a page that was just loaded. */
async function begin(run: string): Promise<Began> {
  await page.addScriptTag({ content: script });
  return page.evaluate((run, steps) => trains(run, steps), run, steps);
}

const finished = () =>
  new Promise<void>((done) => {
    onStep = (step) => {
      if (step < 0) done();
    };
  });

it("the origin-private file system takes a run across reloads", async () => {
  let end = finished();
  await begin("whole");
  await end;

  const random = new Random(seed, streams.trials);
  let resumedLater = 0;
  for (let reload = 0; reload < reloads; reload++) {
    const [count, delay] = [1 + random.integer(4), random.integer(20)];
    const inSave = reload % 2 === 0;
    const moment = new Promise<void>((done) => {
      let left = count;
      const tick = () => {
        if (--left === 0) done();
      };
      onSave = inSave ? tick : () => undefined;
      onStep = inSave ? () => undefined : tick;
    });
    const { from, refused } = await begin("reloaded");
    expect(refused).toEqual([]);
    if (from > 0) resumedLater++;
    await moment;
    if (!inSave) await new Promise((done) => setTimeout(done, delay));
    await page.reload();
  }
  expect(resumedLater).toBeGreaterThan(reloads / 2);
  end = finished();
  onSave = () => undefined;
  await begin("reloaded");
  await end;

  expect(losses.whole.size).toBe(steps + 1);
  expect(losses.reloaded).toEqual(losses.whole); // sets of one loss for each step
  const left = await page.evaluate(async () => {
    const names: string[] = [];
    let folder = await navigator.storage.getDirectory();
    for (const name of ["runs", "reloaded"]) folder = await folder.getDirectoryHandle(name);
    for await (const name of folder.keys()) names.push(name);
    return names.sort();
  });
  expect(left).toEqual([38, 40].map((step) => `step-000000${step}.safetensors`));
}, 300_000); // a page recompiles its network after each reload
