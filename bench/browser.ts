// The bench page in headless Chrome: builds it, serves it on the loopback address, and calls its functions.
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { build } from "esbuild";
import type { Browser, Page as Tab } from "puppeteer";
import { launchChrome } from "../scripts/chrome/chrome.ts";
import { esbuildPlugin } from "../shaders/reflect.mjs";
import { type BenchHost, Waiting } from "./host.ts";

async function bundle(root: string): Promise<string> {
  const result = await build({
    entryPoints: [`${root}/bench/page/main.ts`],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
    minify: false,
    logLevel: "error",
    conditions: ["onnxruntime-web-use-extern-wasm"], // served beside the page, as its threads require
    plugins: [esbuildPlugin()],
  });
  return result.outputFiles[0].text;
}

/** The folder of onnxruntime's WebAssembly, and the files that the page may request. */
const onnxruntime = "node_modules/onnxruntime-web/dist";
const asked = /^\/onnxruntime\/(ort-wasm[\w.-]+\.(?:mjs|wasm))$/;

function serve(root: string, script: string): Promise<Server> {
  const server = createServer(async (request, response) => {
    const isScript = request.url === "/bench.js";
    const file = asked.exec(request.url ?? "")?.[1];
    const part = file && (await readFile(`${root}/${onnxruntime}/${file}`));
    response.writeHead(200, {
      "content-type": file?.endsWith(".wasm") ? "application/wasm" : isScript || part ? "text/javascript" : "text/html",
      "cache-control": "no-store",
      // Cross-origin isolated pages have a clock of 5 microseconds. Without isolation it is 100, longer than our
      // encoding.
      "cross-origin-opener-policy": "same-origin",
      "cross-origin-embedder-policy": "require-corp",
    });
    response.end(
      part
        ? part
        : isScript
          ? script
          : '<!doctype html><title>bench</title><script type="module" src="/bench.js"></script>',
    );
  });
  return new Promise((resolve) => server.listen(0, "localhost", () => resolve(server)));
}

export class BenchBrowser implements BenchHost {
  private readonly browser: Browser;
  private readonly server: Server;
  private readonly tab: Tab;
  private readonly tuned: boolean;
  private readonly waiting = new Waiting();
  readonly page = this.waiting.through((id, method, rest) =>
    this.tab.evaluate(
      (id, method, rest) => (globalThis as unknown as { start: (...a: unknown[]) => void }).start(id, method, rest),
      id,
      method,
      rest,
    ),
  );

  private constructor(browser: Browser, server: Server, tab: Tab, tuned: boolean) {
    this.tuned = tuned;
    this.browser = browser;
    this.server = server;
    this.tab = tab;
  }

  /** `tuned`: whether our kernels are timed and the fastest used. */
  static async open(root: string, { tuned = true } = {}): Promise<BenchBrowser> {
    const server = await serve(root, await bundle(root));
    const browser = await launchChrome().catch((error) => {
      server.close(); // or the process would wait forever
      throw error;
    });
    const [tab] = await browser.pages();
    const opened = new BenchBrowser(browser, server, tab, tuned);
    tab.on("error", (error) => opened.waiting.lose(error.message));
    browser.on("disconnected", () => opened.waiting.lose("Chrome ended."));
    tab.on("pageerror", (error) => console.error(`page: ${error instanceof Error ? error.message : error}`));
    await tab.exposeFunction("settle", (id: number, error: string | null, value: string) =>
      opened.waiting.settle(id, error, value),
    );
    return opened;
  }

  async versions(): Promise<Record<string, string>> {
    return { chrome: await this.browser.version() };
  }

  async reload(): Promise<void> {
    await this.tab.goto(`http://localhost:${(this.server.address() as AddressInfo).port}/`, { waitUntil: "load" });
    await this.page.tuned(this.tuned);
  }

  async close(): Promise<void> {
    await this.browser.close();
    this.server.close();
  }
}
