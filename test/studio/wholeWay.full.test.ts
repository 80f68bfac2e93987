// The whole workflow in a real browser: from nothing to a trained network, with the page's own buttons; network
// requests, main-thread tasks, accessibility; a reload and a lost GPU during training.
import { afterAll, beforeAll, expect, it } from "vitest";
import { inEveryLook, keptRuns, openStudio, type Studio, seriousIn, set, textOf } from "./studioPage.ts";

/** The steps of an interrupted run: enough that it is still in progress when a button is pressed. */
const steps = 40;

let studio: Studio;
beforeAll(async () => {
  studio = await openStudio();
  await studio.enter();
}, 120_000);
afterAll(() => studio?.close());

/**
 * The longest tasks of the page's main thread while `work` runs, in milliseconds of its CPU time: waiting for cores
 * that are busy elsewhere does not count.
 */
async function longestTasks(work: () => Promise<unknown>): Promise<number[]> {
  await studio.page.tracing.start({ categories: ["toplevel", "disabled-by-default-devtools.timeline"] });
  await work();
  const { traceEvents } = JSON.parse(new TextDecoder().decode(await studio.page.tracing.stop())) as {
    traceEvents: {
      name: string;
      pid: number;
      tid: number;
      tdur?: number;
      args?: { name?: string; src_file?: string };
    }[];
  };
  const threads = traceEvents.filter(({ name, args }) => name === "thread_name" && args?.name === "CrRendererMain");
  const main = new Set(threads.map(({ pid, tid }) => `${pid} ${tid}`));
  // Without V8's marking of its heap, which takes 45 ms and more on slow cores, and which a page does not schedule.
  const tasks = traceEvents.filter(
    ({ name, pid, tid, args }) =>
      name === "ThreadControllerImpl::RunTask" &&
      main.has(`${pid} ${tid}`) &&
      !/^v8\/src\/heap\//.test(args?.src_file ?? ""),
  );
  expect(tasks.length).toBeGreaterThan(50); // they are found
  return tasks
    .map(({ tdur = 0 }) => tdur / 1000)
    .sort((a, b) => b - a)
    .slice(0, 5);
}

/** Waits until the focus is on the control with this text. */
const focusOn = (text: string) =>
  studio.page.waitForFunction((wanted) => document.activeElement!.textContent === wanted, { timeout: 10_000 }, text);

/** Short runs, evaluated every 5 steps. */
async function shortRun(): Promise<void> {
  await set(studio.page, "Steps", steps);
  await set(studio.page, "Evaluate every", 5);
  await studio.press("Start training");
  await studio.until(({ state }) => state === "training", 60);
}

it("drawn faces become people, some of them held out", { timeout: 180_000 }, async () => {
  await inEveryLook(studio.page, "data-empty", async (look) => expect(await seriousIn(studio.page, look)).toEqual([]));
  await studio.press("Use drawn faces");
  await studio.until(({ state }) => state === "loading", 10);
  const { line } = await studio.until(({ state }) => state === "idle", 120);
  expect(line).toBe("Ready: 480 pictures of 60 people");
  await studio.page.waitForFunction(() => document.querySelectorAll("img.thumb").length >= 90, { timeout: 30_000 });
  await inEveryLook(studio.page, "data", async (look) => expect(await seriousIn(studio.page, look)).toEqual([]));
});

it("a network learns to recognize held-out people while the page stays responsive", { timeout: 300_000 }, async () => {
  await studio.press("Train", "tab");
  await set(studio.page, "Steps", 60);
  await set(studio.page, "Steps", -5);
  await textOf(studio.page, /-5 is not possible: enter a whole number from 10 to 1,000,000\. It stays 60\./);
  await studio.press("Start training");
  await studio.until(({ state, step }) => state === "training" && step > 2, 120);
  await focusOn("Pause");
  const tasks = await longestTasks(() => studio.until(({ step }) => step > 30, 120));
  await inEveryLook(studio.page, "train-live", async () => {});
  const { auc, step, line } = await studio.until(({ state }) => state === "trained", 120);
  console.log(`${line}; the page's longest tasks: ${tasks.map((ms) => ms.toFixed(1)).join(", ")} ms`);
  expect(step).toBe(60);
  expect(auc).toBeGreaterThan(0.85);
  expect(tasks[0]).toBeLessThan(50);
  await inEveryLook(studio.page, "train", async (look) => {
    expect(await seriousIn(studio.page, look)).toEqual([]);
    if (look !== "phone") return;
    const hidden = await studio.page.$$eval("table.wide th", (heads) => {
      const head = heads.find(({ textContent }) => textContent === "EER")!;
      return head.getBoundingClientRect().right - head.closest(".scroll")!.getBoundingClientRect().right;
    });
    expect(hidden).toBeLessThanOrEqual(0);
  });
});

it("a run that is paused, resumed, reloaded and loses its GPU has the same losses as an uninterrupted one", {
  timeout: 300_000,
}, async () => {
  await shortRun();
  await studio.press("Evaluate", "tab"); // of the first run, which stays when the second one finishes
  await textOf(studio.page, /Evaluation of Run 1/, 60);
  await studio.until(({ state }) => state === "trained", 120);
  await new Promise((resolve) => setTimeout(resolve, 500));
  await textOf(studio.page, /Evaluation of Run 1/);
  await studio.press("Train", "tab");
  await studio.press("Continue to evaluation");
  await textOf(studio.page, /Evaluation of Run 2/, 60);
  await studio.press("Train", "tab");

  await shortRun();
  await studio.until(({ step }) => step >= 2, 60);
  await studio.press("Pause");
  await studio.until(({ state }) => state === "paused", 60);
  await focusOn("Resume");
  await studio.press("Resume");
  await studio.until(({ state, step }) => state === "training" && step >= 8, 60);
  await studio.page.reload();
  await studio.until(({ state, step }) => state === "training" && step >= 12, 60);
  const cdp = await studio.browser.target().createCDPSession();
  await cdp.send("Browser.crashGpuProcess").catch(() => undefined); // its answer may go down with the process
  await studio.until(({ state }) => state === "trained", 120);

  expect(await studio.page.$eval("#setting-steps", (input) => (input as HTMLInputElement).value)).toBe(String(steps));

  const [, calm, stormy] = await keptRuns(studio.page);
  expect(calm.losses).toHaveLength(steps);
  expect(stormy.losses).toEqual(calm.losses);
  expect(stormy.evaluations.at(-1)).toEqual(calm.evaluations.at(-1));
});

it("requests nothing beyond its own origin, without uncaught errors", () => {
  const origins = new Set(studio.requests.map((address) => new URL(address)).map((url) => url.origin));
  const own = new URL(studio.url).origin;
  console.log(`${studio.requests.length} requests, to ${[...origins].join(", ")}`);
  expect(studio.requests.some((address) => address.endsWith("/decoder.js"))).toBe(true); // a worker's worker is seen, too
  expect([...origins].filter((origin) => origin !== own && origin !== "null")).toEqual([]);
  expect(studio.errors).toEqual([]);
});

it("data stays after a reload, until everything is deleted", { timeout: 120_000 }, async () => {
  await studio.page.goto(`${studio.url}#data`);
  await studio.page.reload();
  const { auc } = await studio.until(({ state }) => state === "trained", 60);
  expect(auc).toBeGreaterThan(0.5);
  await studio.press("Delete everything");
  await studio.press("Yes, delete all");
  await studio.until(({ state }) => state === "idle", 60);
  const left = await studio.page.evaluate(async () => {
    const names: string[] = [];
    for await (const [name] of await navigator.storage.getDirectory()) names.push(name);
    return names;
  });
  expect(left).toEqual([]);
  await studio.page.reload();
  const { line } = await studio.until(({ state }) => state === "idle", 60);
  expect(line).toBe("Ready. Add pictures to begin.");
});
