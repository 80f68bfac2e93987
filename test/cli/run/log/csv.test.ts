import { execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { Appender } from "../../../../src/cli/run/log/appender.ts";
import { csvLog } from "../../../../src/cli/run/log/csv.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "twingrad-log-"));
});
afterEach(() => rm(folder, { recursive: true }));

const header = "step,epoch,loss,validation_loss,validation_auc,seconds,learning_rate,validation_eer";
const lines = async () => (await readFile(join(folder, "log.csv"), "utf8")).split("\n");

async function write(from: number, steps: number[], loss = 0.1): Promise<void> {
  const log = csvLog(join(folder, "log.csv"), from);
  for (const step of steps) log.write({ step, epoch: 0, loss: Math.fround(loss * step), seconds: 1 });
  await log.flush();
  await log.close();
}

describe("log.csv", () => {
  it.skipIf(process.platform === "win32")(
    "is refused where a named pipe stands, which would be waited at for ever",
    async () => {
      execFileSync("mkfifo", [join(folder, "log.csv")]);
      await expect(write(0, [1])).rejects.toThrow(/log\.csv: cannot be written: expected a file, not a named pipe/);
    },
  );

  it("stores every loss exactly, and evaluations in lines of their own", async () => {
    const log = csvLog(join(folder, "log.csv"), 0);
    const loss = Math.fround(0.1);
    log.write({ step: 1, epoch: 0, loss, learningRate: 0.001, seconds: 2.5 });
    log.write({ step: 1, epoch: 0, validation: { loss: 0.25, auc: 1, eer: 0.125 }, seconds: 3 });
    await log.flush();
    await log.close();
    expect(await lines()).toEqual([header, "1,0,0.10000000149011612,,,2.500,0.001,", "1,0,,0.25,1,3.000,,0.125", ""]);
    expect(Number((await lines())[1].split(",")[2])).toBe(loss);
  });

  it("goes on behind the checkpoint's step, whatever the stopped run had written after it", async () => {
    await write(0, [1, 2, 3, 4]);
    const whole = await readFile(join(folder, "log.csv"), "utf8");
    await writeFile(join(folder, "log.csv"), whole.slice(0, -7)); // killed in the middle of a line
    await write(2, [3, 4, 5]);
    expect((await lines()).map((line) => line.split(",")[0])).toEqual(["step", "1", "2", "3", "4", "5", ""]);
    await write(0, [1]);
    expect(await lines()).toHaveLength(3);
  });

  it("goes on with a table of an earlier version, whose lines were shorter", async () => {
    const old =
      "step,epoch,loss,validation_loss,validation_auc,seconds\n1,0,0.5,,,1.000\n2,0,0.25,,,2.000\n3,0,0.1,,,3.000\n";
    await writeFile(join(folder, "log.csv"), old);
    await write(2, [3]);
    expect((await lines()).slice(0, 3)).toEqual([header, "1,0,0.5,,,1.000,,", "2,0,0.25,,,2.000,,"]);
    expect((await lines())[3]).toMatch(/^3,0,0.3\d*,,,1.000,,$/);
    expect(await lines()).toHaveLength(5);
  });

  it("starts anew if the file is not such a log", async () => {
    await writeFile(join(folder, "log.csv"), "name,value\n1,2\n");
    await write(1, [2]);
    expect((await lines())[0]).toBe(header);
  });
});

describe("Appender", () => {
  it("keeps what could not be written, in order, until it can", async () => {
    const path = join(folder, "none", "log.csv");
    const file = new Appender(path, () => ({ keep: 0, first: "a" }));
    file.append("b");
    await expect(file.flush()).rejects.toThrow(/ENOENT/);
    file.append("c");
    await expect(file.flush()).rejects.toThrow(/ENOENT/);
    await mkdir(join(folder, "none"));
    file.append("d");
    const first = file.flush();
    file.append("e"); // while the flush is under way
    await Promise.all([first, file.flush()]);
    await file.close();
    expect(await readFile(path, "utf8")).toBe("abcde");
  });
});
