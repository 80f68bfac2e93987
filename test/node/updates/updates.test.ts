// Several processes change one file at once, some are killed in the middle: nothing that one was told is written is lost.
import { spawn } from "node:child_process";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildPrograms } from "../../bundle.ts";
import { testFolder } from "../../cli/builtCli.ts";

const folder = testFolder("updates-test");
const file = join(folder, "data", "lines");

beforeAll(async () => {
  await buildPrograms(join(folder, "data"), { adds: join(import.meta.dirname, "adds.ts") });
});
afterAll(() => rm(folder, { recursive: true }));

/** How often the process was told that its line is written. */
function adds(name: string, times: number, killAfter?: number): Promise<{ told: number; status: number | null }> {
  const child = spawn(process.execPath, [join(folder, "data", "adds.mjs"), file, name, String(times)]);
  let told = 0;
  child.stdout.on("data", (text) => {
    told += String(text).split("\n").length - 1;
    if (killAfter !== undefined && told >= killAfter) child.kill("SIGKILL");
  });
  child.stderr.pipe(process.stderr);
  return new Promise((done) => child.on("close", (status) => done({ told, status })));
}

it("loses no change, and a killed process holds nobody up", async () => {
  const whole = await Promise.all([
    ...Array.from({ length: 5 }, (_, n) => adds(`whole${n}`, 8)),
    adds("killed1", 1000, 2),
    adds("killed2", 1000, 5),
  ]);
  expect(whole.map(({ status }) => status)).toEqual([0, 0, 0, 0, 0, null, null]);
  const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
  for (const [n, { told }] of whole.entries()) {
    const name = n < 5 ? `whole${n}` : `killed${n - 4}`;
    const own = lines.filter((line) => line.startsWith(`${name} `));
    expect(own, name).toEqual(own.map((_, i) => `${name} ${i}`));
    // Who is killed may have written one more than it could say.
    expect(own.length - told, name).toBeGreaterThanOrEqual(0);
    expect(own.length - told, name).toBeLessThanOrEqual(n < 5 ? 0 : 1);
  }
  await adds("last", 1);
  const left = (await readdir(join(folder, "data"))).filter((name) => name.startsWith("."));
  expect(left, "neither a lock nor a half-written file").toEqual([]);
}, 120_000);
