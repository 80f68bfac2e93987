// The bench page in headless Chrome: builds it, serves it on the loopback address, and calls the functions it offers.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import type { Browser, Page as Tab } from "puppeteer";
import { launchChrome } from "../scripts/chrome/chrome.ts";
import { esbuildPlugin } from "../shaders/reflect.mjs";
import type { Page } from "./page/main.ts";

type Calls = { [K in keyof Page]: (...rest: Parameters<Page[K]>) => Promise<Awaited<ReturnType<Page[K]>>> };

async function bundle(root: string): Promise<string> {
  const result = await build({
    entryPoints: [`${root}/bench/page/main.ts`],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    minify: false,
    logLevel: "error",
    plugins: [esbuildPlugin()],
  });
  return result.outputFiles[0].text;
}

function serve(script: string): Promise<Server> {
  const server = createServer((request, response) => {
    const isScript = request.url === "/bench.js";
    response.writeHead(200, {
      "content-type": isScript ? "text/javascript" : "text/html",
      "cache-control": "no-store",
      // Isolated pages have a clock of 5 microseconds; others' is rounded to 100, which is more than we take to encode.
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    response.end(
      isScript ? script : '<!doctype html><title>bench</title><script type="module" src="/bench.js"></script>',
    );
  });
  return new Promise((resolve) => server.listen(0, "localhost", () => resolve(server)));
}

export class BenchBrowser {
  private readonly browser: Browser;
  private readonly server: Server;
  private readonly tab: Tab;
  private readonly waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  private calls = 0;
  /** The functions of page/main.ts. */
  readonly page = new Proxy({} as Calls, {
    get:
      (_, method) =>
      (...rest: unknown[]) =>
        this.call(String(method), rest),
  });

  private readonly tuned: boolean;

  private constructor(browser: Browser, server: Server, tab: Tab, tuned: boolean) {
    this.tuned = tuned;
    this.browser = browser;
    this.server = server;
    this.tab = tab;
  }

  /** `tuned`: whether our kernels are timed and the fastest taken. */
  static async open(root: string, { tuned = true } = {}): Promise<BenchBrowser> {
    const server = await serve(await bundle(root));
    const browser = await launchChrome().catch((error) => {
      server.close(); // or the process would wait for it for ever
      throw error;
    });
    const [tab] = await browser.pages();
    const opened = new BenchBrowser(browser, server, tab, tuned);
    const lost = (what: string) => {
      for (const { reject } of opened.waiting.values()) reject(new Error(`The bench page is gone: ${what}`));
    };
    tab.on("error", (error) => lost(error.message));
    browser.on("disconnected", () => lost("Chrome ended."));
    tab.on("pageerror", (error) => console.error(`page: ${error instanceof Error ? error.message : error}`));
    await tab.exposeFunction("settle", (id: number, error: string | null, value: string) => {
      const { resolve, reject } = opened.waiting.get(id)!;
      opened.waiting.delete(id);
      if (error === null) resolve(JSON.parse(value));
      else reject(new Error(error));
    });
    return opened;
  }

  version(): Promise<string> {
    return this.browser.version();
  }

  /** Starts over on a fresh page: nothing that an engine cached or kept is there any more. */
  async reload(): Promise<void> {
    await this.tab.goto(`http://localhost:${(this.server.address() as AddressInfo).port}/`, { waitUntil: "load" });
    await this.page.tuned(this.tuned);
  }

  async close(): Promise<void> {
    await this.browser.close();
    this.server.close();
  }

  private call(method: string, rest: unknown[]): Promise<unknown> {
    const id = this.calls++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, { resolve, reject });
      this.tab
        .evaluate(
          (id, method, rest) => (globalThis as unknown as { start: (...a: unknown[]) => void }).start(id, method, rest),
          id,
          method,
          rest,
        )
        .catch(reject);
    });
  }
}

/** The repository's root, from a bundle in build/bench/. */
export const repositoryRoot = fileURLToPath(new URL("../..", import.meta.url)).replace(/[/\\]$/, "");
