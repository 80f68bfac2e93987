// A run that is killed again and again, also in the middle of a save, and resumed each time ends as one that was not: the
// same losses and the same model, bit for bit.
import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, watch } from "node:fs";
import { readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Random, streams } from "../../../../src/data/random.ts";
import { buildPrograms } from "../../../bundle.ts";
import { testFolder } from "../../builtCli.ts";

const folder = testFolder("kill-test");
const program = join(folder, "trains.mjs");
const seed = process.env.TEST_SEED ? Number(process.env.TEST_SEED) : 1;
const steps = 150;
const kills = 10; // of each of the two runs

beforeAll(() => buildPrograms(folder, { trains: join(import.meta.dirname, "trains.ts") }));
afterAll(() => rm(folder, { recursive: true }));

/** What one process said, and how it ended: null where it was killed. */
interface Life {
  status: number | null;
  output: string;
}

function ended(child: ChildProcess): Promise<Life> {
  let output = "";
  for (const stream of [child.stdout!, child.stderr!]) stream.on("data", (text) => (output += text));
  return new Promise((done) => child.on("close", (status) => done({ status, output })));
}

/** Kills the process `delay` ms after it began its `nth` save. */
function killInSave(child: ChildProcess, checkpoints: string, nth: number, delay: number): () => void {
  mkdirSync(checkpoints, { recursive: true });
  const begun = new Set<string>();
  const watcher = watch(checkpoints, (_, name) => {
    if (!name?.endsWith(".part") || begun.has(name)) return;
    begun.add(name);
    if (begun.size < nth) return;
    watcher.close();
    if (delay === 0) child.kill("SIGKILL");
    else setTimeout(() => child.kill("SIGKILL"), delay);
  });
  return () => watcher.close();
}

const partsIn = async (path: string) => (await readdir(path)).filter((name) => name.endsWith(".part")).length;

async function outcome(run: string) {
  const table = (await readFile(join(run, "log.csv"), "utf8")).trimEnd().split("\n");
  const losses = table.map((line) => line.split(",").slice(0, 3).join());
  return { losses, model: await readFile(join(run, "model.safetensors")) };
}

it.concurrent.each(["filtered", "balanced"])(
  "%s pairs, killed at random moments",
  async (kind) => {
    const random = new Random(seed, streams.trials, kind.length);
    const start = (run: string) => spawn(process.execPath, [program, run, kind, String(steps)]);
    const whole = join(folder, `${kind}-whole`);
    expect(await ended(start(whole))).toMatchObject({ status: 0 });

    const broken = join(folder, `${kind}-broken`);
    const checkpoints = join(broken, "checkpoints");
    let killed = 0;
    let amidSave = 0;
    for (;;) {
      const child = start(broken);
      let cancel = () => {};
      if (killed < kills) {
        // At once, between saves, or as soon as a save has begun; now and then before there is anything to resume.
        const [nth, delay] = [1 + random.integer(4), Math.max(0, random.integer(16) - 6)];
        if (killed % 5 === 4) setTimeout(() => child.kill("SIGKILL"), random.integer(600));
        else cancel = killInSave(child, checkpoints, nth, delay);
      }
      const { status, output } = await ended(child);
      cancel();
      if (status === 0) break;
      expect(status, output).toBe(null); // killed, and did not fail
      expect(output).not.toMatch(/passed over/); // no half-written file ever bears a checkpoint's name
      killed++;
      amidSave += await partsIn(checkpoints);
      expect(killed, "the run was killed more often than was meant").toBeLessThanOrEqual(kills);
    }
    expect(killed, `kills of ${kind} (TEST_SEED=${seed})`).toBe(kills);
    expect(amidSave, "kills that left a half-written file").toBeGreaterThan(0);
    expect(await partsIn(checkpoints)).toBe(0);
    const [expected, found] = [await outcome(whole), await outcome(broken)];
    expect(found.losses).toHaveLength(steps + 1);
    expect(found.losses).toEqual(expected.losses);
    expect(found.model.equals(expected.model)).toBe(true);
    console.log(`${kind}: killed ${killed} times, ${amidSave} times in the middle of a write`);
  },
  300_000,
); // many processes in a row
