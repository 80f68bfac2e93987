// The programs of examples/start with the installed library: in Node, under MPI, in Bun, Deno, a page without a bundler, and
// a worker.
import { execFileSync } from "node:child_process";
import { cp, readdir, readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import * as esbuild from "esbuild";
import { beforeAll, describe, expect, it } from "vitest";
import { launchChrome } from "../../scripts/chrome/chrome.ts";
import { serve } from "../../scripts/chrome/serve.ts";
import { howToInstall, launchers } from "../cli/run/mpirun.ts";
import { denoCommand, denoMissing } from "../gpu/hosts/deno.ts";
import { drawPeople } from "./support/drawn.ts";
import { libraryInNode } from "./support/installed.ts";
import { run } from "./support/run.ts";

const measured = /^On 2 held-out identities: accuracy (\d\.\d+), AUC (\d\.\d+)\.\n$/;
let installed: string;
let folder: string; // below, as other tests have programs of the same names
let inNode: string;

/** The AUC that a program prints: above chance. */
function aucOf(printed: string): number {
  const auc = Number(measured.exec(printed)?.[2]);
  expect(auc, printed).toBeGreaterThan(0.6);
  return auc;
}

beforeAll(async () => {
  installed = await libraryInNode();
  folder = path.join(installed, "start");
  await cp(path.resolve(import.meta.dirname, "../../examples/start"), folder, { recursive: true });
  await drawPeople(path.join(folder, "people"));
  inNode = await run(folder, "node", "node.js"); // leaves the model and the records that the others read
}, 300_000);

it("node.js trains, and recognizes held-out identities better than chance", () => void aucOf(inNode));

it("inference.js finds the right person", async () => {
  expect(await run(folder, "node", "inference.js")).toMatch(/^nearest: Ada, distance \d/);
});

it("network.js and loss.js learn", async () => {
  expect(Number(/^loss (\d\S+)/.exec(await run(folder, "node", "network.js"))?.[1])).toBeLessThan(0.2);
  const [, first, last] = /^from (\S+) to (\S+)/.exec(await run(folder, "node", "loss.js")) ?? [];
  expect(Number(last)).toBeLessThan(Number(first));
});

it("tensorflow.js lowers the loss", async () => {
  const losses = [...(await run(folder, "node", "tensorflow.js")).matchAll(/loss (\d\S+)/g)].map(([, loss]) =>
    Number(loss),
  );
  expect(losses).toHaveLength(3);
  expect(losses[2]).toBeLessThan(losses[0]);
});

it("onnx.js: onnxruntime computes the embeddings of twingrad", async () => {
  const printed = await run(folder, "node", "onnx.js");
  const [, length, difference] = /^(\d+) values, largest difference (\S+)\n$/.exec(printed) ?? [];
  expect(Number(length), printed).toBe(64);
  expect(Number(difference), printed).toBeLessThan(1e-5);
});

describe.each(launchers)("distributed.js under $name", ({ name, program, options }) => {
  const skipped = program ? "" : ` (skipped: ${name} is not installed; ${howToInstall})`;

  it.skipIf(!program)(`two ranks lower one loss${skipped}`, { timeout: 120_000 }, async () => {
    const printed = await run(folder, program!, ...options, "-n", "2", process.execPath, "distributed.js");
    const [first, second] = [0, 1].map((rank) =>
      new RegExp(`^rank ${rank} of 2: loss from (\\S+) to (\\S+)$`, "m").exec(printed),
    );
    expect(first, printed).not.toBeNull();
    expect(second?.slice(1), printed).toEqual(first!.slice(1)); // the mean over both
    expect(Number(first![2])).toBeLessThan(Number(first![1]));
  });
});

function bunMissing(): string | undefined {
  try {
    execFileSync("bun", ["--version"]);
    return undefined;
  } catch {
    return "no `bun` on PATH";
  }
}
const [noBun, noDeno] = [bunMissing(), denoMissing()];

it.skipIf(noBun)(`Bun runs node.js${noBun ? `: skipped, ${noBun}` : ""}`, async () => {
  expect(await run(folder, "bun", "node.js")).toBe(inNode);
});

it.skipIf(noDeno)(`Deno runs deno.js${noDeno ? `: skipped, ${noDeno}` : ""}`, { timeout: 180_000 }, async () => {
  const { executable, environment } = denoCommand();
  aucOf(await run({ folder, environment }, executable, "run", "--allow-all", "--unstable-webgpu", "deno.js"));
});

/** What a page says once its module is done. */
async function said(files: ReadonlyMap<string, Buffer>, module: string): Promise<string> {
  const imports = { twingrad: "/twingrad/index.js", "twingrad/web": "/twingrad/web/index.js" };
  const html = `<!doctype html><script type="importmap">${JSON.stringify({ imports })}</script><script type="module" src="${module}"></script>`;
  const served = await serve(new Map([...files, ["/index.html", Buffer.from(html)]]));
  const browser = await launchChrome();
  try {
    const page = await browser.newPage();
    const failed: string[] = [];
    page.on("pageerror", (error) => failed.push(String(error)));
    await page.goto(served.url);
    const body = () => document.body?.textContent?.trim();
    const found = await page.waitForFunction(body, { timeout: 120_000 }).catch(() => undefined);
    if (!found) throw new Error(`the page says nothing: ${failed.join("; ")}`);
    return String(await found.jsonValue());
  } finally {
    await browser.close();
    await served.close();
  }
}

async function filesBelow(parent: string, prefix: string): Promise<[string, Buffer][]> {
  const entries = await readdir(parent, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
  return Promise.all(
    files.map(async (file) => [prefix + path.relative(parent, file), await readFile(file)] as [string, Buffer]),
  );
}

it("page.js trains in a page without a bundler", { timeout: 240_000 }, async () => {
  const library = await filesBelow(path.join(installed, "node_modules/twingrad"), "/twingrad/");
  const names = ["page.js", "training.js", "people.tfrecord"];
  const own = names.map(async (name) => [`/${name}`, await readFile(path.join(folder, name))] as [string, Buffer]);
  const text = await said(new Map([...library, ...(await Promise.all(own))]), "page.js");
  expect(text).toMatch(/^On 2 held-out identities: accuracy \d\.\d+\.$/);
});

it("worker.js trains in a worker, bundled", { timeout: 240_000 }, async () => {
  const outdir = path.join(folder, "out");
  const entryPoints = ["pageWithWorker.js", "worker.js"];
  await esbuild.build({ absWorkingDir: folder, entryPoints, bundle: true, format: "esm", outdir, logLevel: "warning" });
  await writeFile(path.join(outdir, "people.tfrecord"), await readFile(path.join(folder, "people.tfrecord")));
  const text = await said(new Map(await filesBelow(outdir, "/")), "pageWithWorker.js");
  expect(text).toMatch(/^On 2 held-out identities: accuracy \d\.\d+\.$/);
});
