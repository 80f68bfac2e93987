// `twingrad studio` serves its own files, only to requests for its own host names.
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { copyFile, mkdir, rm } from "node:fs/promises";
import { request } from "node:http";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, it } from "vitest";
import { serveStudio } from "../../src/cli/studio/serve.ts";
import { buildCli, testFolder } from "../cli/builtCli.ts";

const folder = testFolder("serve-studio");
const site = join(folder, "studio");
let cli: string;

beforeAll(async () => {
  ({ cli } = await buildCli(folder));
  await mkdir(site, { recursive: true });
  for (const file of ["index.html", "icon.svg"]) await copyFile(`src/studio/${file}`, join(site, file));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

function get(url: string, { host, method = "GET" }: { host?: string; method?: string } = {}) {
  return new Promise<{ status: number; headers: NodeJS.Dict<string | string[]>; body: string }>((resolve, reject) => {
    const asked = request(url, { method, headers: host ? { host } : {} }, (response) => {
      let body = "";
      response.setEncoding("utf8").on("data", (text) => {
        body += text;
      });
      response.on("end", () => resolve({ status: response.statusCode!, headers: response.headers, body }));
    });
    asked.on("error", reject).end();
  });
}

it("serves its files with the page's policy, and nothing else", async () => {
  const served = await serveStudio(site, { port: 0, host: "127.0.0.1" });
  try {
    const { status, headers, body } = await get(served.url);
    expect(status).toBe(200);
    expect(body).toContain("twingrad studio");
    const policy = String(headers["content-security-policy"]);
    expect(policy).toMatch(/connect-src 'self';.*frame-ancestors 'none'/);
    expect(policy).not.toMatch(/unsafe-inline|'unsafe-eval'|https?:/);
    expect(body).not.toMatch(/<style|style="|\son\w+="|<script(?![^>]* src=)/);
    expect((await get(`${served.url}..%2f..%2fpackage.json`)).status).toBe(404);
    expect((await get(`${served.url}../package.json`)).status).toBe(404);
    const finder = `${served.url}face-api/`; // the package is installed here; only what finds faces is served
    expect((await get(`${finder}model/tiny_face_detector_model-weights_manifest.json`)).status).toBe(200);
    expect((await get(`${finder}model/face_recognition_model-weights_manifest.json`)).status).toBe(404);
    expect((await get(served.url, { method: "POST" })).status).toBe(405);
  } finally {
    served.close();
  }
});

it.runIf(existsSync("/dev/full"))("ends where it cannot tell its address", async () => {
  const command = `"$0" "$1" studio --port 0 > /dev/full`;
  const ended = promisify(execFile)("bash", ["-c", command, process.execPath, cli], { timeout: 60_000 });
  await expect(ended).rejects.toMatchObject({ code: 1, stderr: expect.stringMatching(/cannot be written: ENOSPC/) });
});

it("answers only requests for its own host names (DNS rebinding)", async () => {
  const served = await serveStudio(site, { port: 0, host: "127.0.0.1" });
  const { port } = new URL(served.url);
  try {
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, `[::1]:${port}`, "192.168.1.7"]) {
      expect((await get(served.url, { host })).status, host).toBe(200);
    }
    for (const host of ["evil.example", `evil.example:${port}`, `localhost.evil.example:${port}`, "127.0.0.1.nip.io"]) {
      expect((await get(served.url, { host })).status, host).toBe(403);
    }
  } finally {
    served.close();
  }
});

it("the command prints its address, and errors in one line", async () => {
  const server = spawn(process.execPath, [cli, "studio", "--port", "0", "--json"], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let warned = "";
  server.stderr.setEncoding("utf8").on("data", (text) => {
    warned += text;
  });
  try {
    const line = await new Promise<string>((resolve) => server.stdout.once("data", (data) => resolve(String(data))));
    const { url } = JSON.parse(line);
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect((await get(url)).status).toBe(200);
    expect(warned).not.toMatch(/others on the network/);
    const failed = await new Promise<string>((resolve) =>
      execFile(process.execPath, [cli, "studio", "--port", new URL(url).port], (_, __, stderr) => resolve(stderr)),
    );
    expect(failed).toMatch(
      /^twingrad: the studio cannot listen on 127\.0\.0\.1, port \d+: .*choose another with --port\n$/,
    );
  } finally {
    server.kill();
  }
});

it("warns where others on the network could open it", async () => {
  const server = spawn(process.execPath, [cli, "studio", "--port", "0", "--host", "0.0.0.0"]);
  try {
    const told = await new Promise<string>((resolve) => server.stderr.once("data", (data) => resolve(String(data))));
    expect(told).toMatch(/others on the network can open the page/);
  } finally {
    server.kill();
  }
});
