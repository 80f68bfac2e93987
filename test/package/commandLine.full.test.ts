// The command line, after one install: its help, a training and what comes of it.
import { spawn } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import path from "node:path";
import { beforeAll, expect, it } from "vitest";
import { drawPeople } from "./support/drawn.ts";
import { commandLine, installedIn } from "./support/installed.ts";
import { run } from "./support/run.ts";

let folder: string;
let work: string;

beforeAll(async () => {
  folder = await commandLine();
  work = path.join(folder, "work");
  await drawPeople(path.join(work, "people"), "png");
}, 300_000);

const twingrad = (...parameters: string[]) => run(work, "npx", "twingrad", ...parameters);
const json = async (...parameters: string[]) => JSON.parse((await twingrad(...parameters, "--json")).trim());

it("brings all that it needs, and tells what there is", async () => {
  expect(Object.keys(await installedIn(folder))).toEqual(expect.arrayContaining(["twingrad", "webgpu", "sharp"]));
  const help = await twingrad("--help");
  for (const command of ["train", "verify", "records"]) expect(help).toMatch(new RegExp(`^  ${command} `, "m"));
});

it("trains, verifies, and writes and checks records", { timeout: 300_000 }, async () => {
  const network = ["--image-size", "16", "--channels", "1", "--filters", "4", "--embedding", "8", "--no-tune"];
  const trained = await json("train", "people/", "--out", "small/", ...network, "--steps", "3");
  expect(trained).toMatchObject({ steps: 3, firstLoss: expect.any(Number), lastLoss: expect.any(Number) });
  const answer = await json("verify", "small/", "people/ada/1.png", "people/ada/1.png");
  expect(answer).toMatchObject({ same: expect.any(Boolean), distance: expect.any(Number) });
  await json("records", "create", "people/", "people.tfrecord");
  expect(await json("records", "verify", "people.tfrecord")).toMatchObject({ records: 32, corrupt: [] });
});

it("has the studio with it, and serves it", async () => {
  const own = path.join(folder, "node_modules/twingrad-cli");
  const files = await readdir(path.join(own, "studio"), { recursive: true });
  expect(files).toEqual(
    expect.arrayContaining(["index.html", "studio.js", "studio.css", "worker.js", "decoder.js", "recorded-run.json"]),
  );
  expect(files).toContain("THIRD-PARTY-NOTICES.txt");
  const program = path.join(folder, "node_modules/.bin/twingrad"); // a link, as npm makes it
  const server = spawn(process.execPath, [program, "studio", "--port", "0", "--json"], {
    stdio: ["ignore", "pipe", "ignore"],
  });
  try {
    const line = await new Promise<string>((resolve) => server.stdout.once("data", (data) => resolve(String(data))));
    const answer = await fetch(`${JSON.parse(line).url}worker.js`);
    expect(answer.headers.get("content-type")).toMatch(/^text\/javascript/);
    expect(await answer.text()).toBe(await readFile(path.join(own, "studio/worker.js"), "utf8"));
  } finally {
    server.kill();
  }
});
