// What package.json tells puppeteer: a plain `npm install` downloads no browser, since the set-up finds or gets one, and
// the set-up's command downloads one all the same.
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

const puppeteer = path.resolve(import.meta.dirname, "../../node_modules/puppeteer");
const asked: string[] = [];
let cache: string;
let server: Server;
let url: string;

beforeAll(async () => {
  cache = mkdtempSync(path.join(tmpdir(), "twingrad-puppeteer-"));
  server = createServer((request, response) => {
    asked.push(request.url ?? "");
    response.writeHead(404).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
beforeEach(() => {
  asked.length = 0;
});
afterAll(() => {
  server.close();
  rmSync(cache, { recursive: true });
});

/** Runs a script of puppeteer as npm runs its install script: in the package's own folder. */
function runs(...script: string[]): Promise<{ status: number; output: string }> {
  const { PUPPETEER_SKIP_DOWNLOAD: _, ...inherited } = process.env;
  const env = {
    ...inherited,
    PUPPETEER_CACHE_DIR: cache,
    PUPPETEER_CHROME_DOWNLOAD_BASE_URL: url,
    PUPPETEER_CHROME_HEADLESS_SHELL_DOWNLOAD_BASE_URL: url,
    npm_config_loglevel: "notice", // muted, the install script would not say what it does
  };
  return new Promise((resolve) => {
    execFile(process.execPath, script, { cwd: puppeteer, env }, (error, stdout, stderr) => {
      resolve({ status: error ? Number(error.code) : 0, output: stdout + stderr });
    });
  });
}

test("puppeteer's install script downloads no browser", async () => {
  const { status, output } = await runs("install.mjs");
  expect(output).toContain("Skipping downloading browsers as instructed");
  expect(status).toBe(0);
  expect(asked).toEqual([]);
});

test("`puppeteer browsers install chrome` asks for a Chrome of one version all the same", async () => {
  const { status } = await runs("lib/cjs/puppeteer/node/cli.js", "browsers", "install", "chrome", "--base-url", url);
  expect(status).not.toBe(0); // the server has none
  expect(asked).toEqual([expect.stringMatching(/^\/\d+\.\d+\.\d+\.\d+\/\w+\/chrome-\w+\.zip$/)]);
});
