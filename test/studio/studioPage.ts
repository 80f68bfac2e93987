// The published studio, served as by `twingrad studio`, in its own headless Chrome.
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import axe from "axe-core";
import type { Browser, ElementHandle, Page } from "puppeteer";
import { launchChrome } from "../../scripts/chrome/chrome.ts";
import { buildStudio } from "../../scripts/packages/studio.mjs";
import { type ServedStudio, serveStudio } from "../../src/cli/studio/serve.ts";

const root = new URL("../..", import.meta.url).pathname;
/** Screenshots, kept by CI. */
export const pictures = join(root, "build/studio");

export interface Told {
  state: string;
  step: number;
  auc: number | null;
  line: string;
  alert: string | null;
}

export interface Studio {
  readonly browser: Browser;
  readonly page: Page;
  readonly url: string;
  /** The address of every request, including those of workers. */
  readonly requests: string[];
  /** Uncaught errors of the page. */
  readonly errors: string[];
  /** Goes to the page and waits until it is ready. */
  enter(): Promise<void>;
  told(): Promise<Told>;
  /** Waits until the page's state fulfills the condition; fails with the state on an error, or after the time limit. */
  until(what: (told: Told) => boolean, seconds: number): Promise<Told>;
  press(name: string, role?: string): Promise<void>;
  /** Waits for text that matches the pattern; returns what does. @param within a selector. @default main */
  text(pattern: RegExp, seconds?: number, within?: string): Promise<string>;
  /** A file in the test's temporary folder. */
  path: Path;
  /** Closes the browser and the server, and removes the temporary folder. */
  close(): Promise<void>;
}

type Path = (name: string) => string;

export interface StudioOptions {
  /** More arguments of the browser. */
  readonly args?: (path: Path) => readonly string[];
  /** Writes files into the test's temporary folder before the browser starts. */
  readonly prepare?: (path: Path) => Promise<unknown>;
}

export async function openStudio({ args, prepare }: StudioOptions = {}): Promise<Studio> {
  const files = await mkdtemp(join(tmpdir(), "twingrad-studio-"));
  const path = (name: string) => join(files, name);
  await prepare?.(path);
  const folder = join(root, `build/studio-site-${process.pid}`);
  await buildStudio(folder);
  await mkdir(pictures, { recursive: true });
  const served: ServedStudio = await serveStudio(folder, { port: 0, host: "127.0.0.1" });
  const browser = await launchChrome({ args: args?.(path) });
  const page = await browser.newPage();
  const [requests, errors]: string[][] = [[], []];
  // Observes the whole browser, since a page's events do not include its workers' requests.
  const listen = async (target: { createCDPSession(): ReturnType<Page["createCDPSession"]> }) => {
    const session = await target.createCDPSession();
    session.on("Network.requestWillBeSent", ({ request }) => requests.push(request.url));
    await session.send("Network.enable");
  };
  await listen(page);
  page.on("workercreated", (worker) => {
    worker.client.on("Network.requestWillBeSent", ({ request }) => requests.push(request.url));
    worker.client.send("Network.enable").catch(() => undefined); // it is gone already
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  await page.setViewport({ width: 1280, height: 900 });

  const told = () =>
    page.evaluate(() => {
      const { state, step, auc } = document.documentElement.dataset;
      const text = (role: string) => document.querySelector(`[role=${role}]`)?.textContent ?? null;
      const figure = auc === undefined ? null : Number(auc);
      return { state: state!, step: Number(step), auc: figure, line: text("status")!, alert: text("alert") };
    });
  const until = async (what: (told: Told) => boolean, seconds: number) => {
    for (const end = performance.now() + 1000 * seconds; ; ) {
      const now = await told();
      if (what(now)) return now;
      if (now.alert || performance.now() > end) throw new Error(`the studio says: ${JSON.stringify(now)}`);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  return {
    browser,
    page,
    url: served.url,
    requests,
    errors,
    told,
    until,
    async enter() {
      await page.goto(served.url);
      await until(({ state }) => state === "idle", 60);
    },
    path,
    text: (pattern, seconds, within) => textOf(page, pattern, seconds, within),
    press: (name, role = "button") => page.locator(`::-p-aria([name='${name}'][role='${role}'])`).click(),
    async close() {
      const timer = setTimeout(() => browser.process()?.kill("SIGKILL"), 5_000);
      await browser.close().catch(() => undefined);
      clearTimeout(timer);
      served.close();
      await rm(files, { recursive: true, force: true });
    },
  };
}

/** A setting of the next run, by its label. */
export async function set(page: Page, label: string, value: string | number): Promise<void> {
  const shown = (label: string) => [...document.querySelectorAll("label")].some((one) => one.textContent === label);
  await page.waitForFunction(shown, { timeout: 30_000 }, label); // the tab may still be loading
  await page.evaluate(
    (label, value) => {
      const [found] = [...document.querySelectorAll("label")].filter(({ textContent }) => textContent === label);
      const input = document.getElementById(found.htmlFor) as HTMLInputElement;
      input.value = value;
      input.dispatchEvent(new Event("change", { bubbles: true }));
    },
    label,
    String(value),
  );
}

/** Waits for text that matches the pattern; returns what does. @param within a selector */
export async function textOf(page: Page, pattern: RegExp, seconds = 30, within = "main"): Promise<string> {
  for (const end = performance.now() + 1000 * seconds; ; ) {
    const found = await page.evaluate((at) => document.querySelector(at)?.textContent ?? "", within);
    const [match] = pattern.exec(found) ?? [];
    if (match !== undefined) return match;
    if (performance.now() > end) throw new Error(`${pattern} is not in: ${found}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Chooses files in the input with this label. */
export async function choose(page: Page, label: string, ...files: string[]): Promise<void> {
  const input = await page.waitForSelector(`input[type=file][aria-label="${label}"]`);
  await (input as ElementHandle<HTMLInputElement>).uploadFile(...files);
}

/** Waits for the error that the page shows, dismisses it, and returns its text. */
export async function dismissed({ page, press }: Studio, seconds = 60): Promise<string> {
  const found = await page.waitForSelector("main > .notice-bad[role=alert] p", { timeout: 1000 * seconds });
  const told = (await found!.evaluate((one) => one.textContent))!;
  await press("Dismiss");
  return told;
}

export interface KeptRun {
  name: string;
  status: string;
  losses: number[];
  evaluations: { step: number; auc: number; eer: number }[];
}

/** The runs in the origin-private file system, oldest first. */
export function keptRuns(page: Page): Promise<KeptRun[]> {
  return page.evaluate(async () => {
    const studio = await (await navigator.storage.getDirectory()).getDirectoryHandle("studio");
    const runs = await studio.getDirectoryHandle("runs");
    const found: (KeptRun & { created: number })[] = [];
    for await (const [name] of runs) {
      const file = await (await runs.getDirectoryHandle(name)).getFileHandle("run.json");
      found.push(JSON.parse(await (await file.getFile()).text()));
    }
    return found.sort((a, b) => a.created - b.created);
  });
}

const looks = [
  { name: "light", theme: "light", width: 1280, height: 900, deviceScaleFactor: 1 },
  { name: "dark", theme: "dark", width: 1280, height: 900, deviceScaleFactor: 1 },
  { name: "phone", theme: "light", width: 390, height: 844, deviceScaleFactor: 2 },
] as const;

/**
 * Runs `look` in the light theme, the dark theme, and at a phone's width, each with a screenshot. The page must be no
 * wider than its window.
 */
export async function inEveryLook(page: Page, name: string, look: (look: string) => Promise<void>): Promise<void> {
  for (const { name: suffix, theme, ...viewport } of looks) {
    await page.setViewport(viewport);
    const other = theme === "dark" ? "Dark theme" : "Light theme";
    const button = await page.$(`::-p-aria([name='${other}'][role='button'])`);
    await button?.click();
    await new Promise((resolve) => setTimeout(resolve, 400)); // pictures and charts follow
    await look(suffix);
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    if (width > viewport.width) throw new Error(`${name}-${suffix}: the page is ${width} pixels wide`);
    await page.screenshot({ path: join(pictures, `${name}-${suffix}.png`), fullPage: true });
  }
  await page.setViewport({ width: 1280, height: 900 });
}

/** Serious accessibility violations that axe finds. @param look the variant, for the message */
export async function seriousIn(page: Page, look: string): Promise<string[]> {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() =>
    (globalThis as unknown as { axe: typeof axe }).axe.run(document, { resultTypes: ["violations"] }),
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, nodes }) => `${look}: ${id}: ${nodes.map(({ target }) => target.join(" ")).join("; ")}`);
}
