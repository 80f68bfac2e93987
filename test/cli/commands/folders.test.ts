// Folders that commands make: whole, or gone after an interruption; and told before the work that they would be written after.
import { mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { runDemo } from "../../../src/cli/demo/run.ts";
import { fillFolder, refuseFull } from "../../../src/cli/newFolder.ts";
import { silence } from "../../../src/cli/outcome.ts";

const folder = await mkdtemp(join(tmpdir(), "twingrad-folders-"));
afterAll(() => rm(folder, { recursive: true }));
silence();

const write = async (out: string) => {
  await mkdir(join(out, "live"));
  await writeFile(join(out, "live", "1.png"), "");
};

it("what an interrupted command wrote is removed, so that it can run again", async () => {
  const out = join(folder, "interrupted");
  const interrupt = fillFolder(out, ["live", "spoof"], async (signal) => {
    await write(out);
    process.emit("SIGINT", "SIGINT");
    return signal.aborted;
  });
  expect(await interrupt).toEqual({ result: undefined, status: 130 });
  expect(await readdir(folder)).not.toContain("interrupted");
  await refuseFull(out);
});

it("after an error as well, and nothing that others wrote", async () => {
  const out = join(folder, "failed");
  const failing = fillFolder(out, ["live"], async () => {
    await write(out);
    await writeFile(join(out, "notes.txt"), "");
    throw new Error("no more room");
  });
  await expect(failing).rejects.toThrow("no more room");
  expect(await readdir(out)).toEqual(["notes.txt"]);
  await expect(refuseFull(out)).rejects.toThrow(`${out}: the folder is not empty; expected a new or empty folder`);
});

it("demo tells before it draws and trains that its report cannot be written", async () => {
  await writeFile(join(folder, "file"), "");
  const told: string[] = [];
  const options = { seed: 1, steps: 1, report: join(folder, "file", "report.html"), cache: join(folder, "cache") };
  await expect(runDemo(options, (line) => told.push(line))).rejects.toThrow(/file: cannot be made: it is a file/);
  expect(told).toEqual([]);
});
