// Ctrl-C as its users meet it: the built command line, stopped in the middle of a run.
import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildPrograms } from "../../../bundle.ts";
import { cliSource, testFolder } from "../../builtCli.ts";
import { tinyPeople } from "./tiny.ts";

const folder = testFolder("interrupt-test");
const data = join(folder, "people");

beforeAll(async () => {
  await buildPrograms(folder, { cli: cliSource, waits: join(import.meta.dirname, "waits.ts") });
  for (const [number, { identity, decode }] of tinyPeople.items.entries()) {
    const person = join(data, tinyPeople.identities[identity]);
    await mkdir(person, { recursive: true });
    await writeFile(join(person, `${number}.pgm`), Buffer.concat([Buffer.from("P5 8 8 255\n"), await decode()]));
  }
});
afterAll(() => rm(folder, { recursive: true }));

function start(program: string, ...parameters: string[]) {
  const child = spawn(process.execPath, [join(folder, program), ...parameters]);
  const said = { stdout: "", stderr: "" };
  child.stdout.on("data", (text) => (said.stdout += text));
  child.stderr.on("data", (text) => (said.stderr += text));
  const ended = new Promise<number | null>((done) => child.on("close", (status) => done(status)));
  return { child, said, ended };
}

/** Waits until `condition` holds, or the process ends. */
async function until(child: ChildProcess, condition: () => boolean | Promise<boolean>): Promise<void> {
  while (child.exitCode === null && child.signalCode === null && !(await condition()))
    await new Promise((done) => setTimeout(done, 5));
}

const tiny = ["--image-size", "8", "--channels", "1", "--filters", "2", "--embedding", "4", "--batch-size", "2"];
const linesOf = async (run: string) =>
  existsSync(join(run, "log.csv")) ? (await readFile(join(run, "log.csv"), "utf8")).split("\n").length : 0;

describe("a run in the terminal", () => {
  it.each(["SIGINT", "SIGTERM"] as const)(
    "is saved on %s and can be resumed",
    async (signal) => {
      const run = join(folder, signal);
      const options = ["--out", run, ...tiny, "--validation", "0", "--json"];
      const first = start("cli.mjs", "train", data, ...options, "--steps", "1000000");
      await until(first.child, async () => (await linesOf(run)) > 3);
      first.child.kill(signal);
      expect(await first.ended, first.said.stderr).toBe(signal === "SIGINT" ? 130 : 143);
      expect(first.said.stderr).toContain(
        "stopping after the current steps, to save a checkpoint; press Ctrl-C again to end at once",
      );
      const result = JSON.parse(first.said.stdout.trimEnd().split("\n").pop()!);
      expect(result).toMatchObject({ interrupted: true, validation: null, lastLoss: expect.any(Number) });
      expect(result.checkpoint).toMatch(
        new RegExp(`checkpoints/step-${String(result.steps).padStart(8, "0")}-loss-[\\d.]+\\.safetensors$`),
      );
      expect(existsSync(result.checkpoint)).toBe(true);
      expect((await readdir(run)).includes("model.safetensors")).toBe(false);

      const steps = result.steps + 5;
      const second = start("cli.mjs", "train", data, "--out", run, "--resume", "--steps", String(steps), "--json");
      expect(await second.ended, second.said.stderr).toBe(0);
      expect(JSON.parse(second.said.stdout)).toMatchObject({ steps, firstLoss: result.firstLoss });
      const rows = (await readFile(join(run, "log.csv"), "utf8")).trimEnd().split("\n").slice(1);
      expect(rows.map((row) => Number(row.split(",")[0]))).toEqual(Array.from({ length: steps }, (_, i) => i + 1));
    },
    300_000,
  ); // on a busy machine each process takes its time

  it("is left at once by a second Ctrl-C", async () => {
    const { child, said, ended } = start("waits.mjs");
    await until(child, () => said.stdout.includes("begun"));
    child.kill("SIGINT");
    await until(child, () => said.stdout.includes("press Ctrl-C again to end at once"));
    await new Promise((done) => setTimeout(done, 50));
    expect([child.exitCode, child.signalCode]).toEqual([null, null]);
    child.kill("SIGINT");
    expect(await ended).toBe(130);
  });
});
