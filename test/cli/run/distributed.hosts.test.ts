// Training under both launchers of MPI: more ranks than cores, all on the software adapter, for minutes.
import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { readdir, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { uniform } from "../../random.ts";
import { tiny } from "../cliPeople.ts";
import { distributedRuns, steps } from "./distributedRuns.ts";
import { howToInstall, installed, launch, launchers, type Run, ranksOf } from "./mpirun.ts";

const { data, at, cli, model, parameters, trained } = distributedRuns("distributed-hosts");

describe.each(launchers)("under $name", (launcher) => {
  const missing = launcher.program === undefined;
  const skipped = missing ? ` (skipped: ${launcher.name} is not installed; ${howToInstall})` : "";

  it.skipIf(missing)(`two ranks train one model, twice the same, and tell how${skipped}`, async () => {
    const first = await trained(launcher, 2, `${launcher.name} once`);
    expect(first).toMatchObject({ steps, ranks: 2, syncEvery: 1, slowest: { rank: expect.any(Number) } });
    expect(first.communication).toBeGreaterThan(0);
    expect(first.communication).toBeLessThan(1);
    expect(first.samplesPerSecond).toBeCloseTo(first.stepsPerSecond * 2 * 4, 5);
    const [line] = first.stderr.split("\n");
    expect(line).toMatch(
      new RegExp(`^2 ranks under ${launcher.name}.*: rank 0 on \\S+, process \\d+; rank 1 on \\S+, process`),
    );
    expect(first.stderr).toMatch(/samples\/s of 2 ranks, [\d.]+ % exchanging/);
    await trained(launcher, 2, `${launcher.name} twice`);
    expect(model(`${launcher.name} twice`)).toBe(model(`${launcher.name} once`));
    const logs = (await readdir(at(`${launcher.name} once`))).filter((name) => name.includes("tfevents"));
    expect(logs, "rank 0 alone writes the log").toHaveLength(1);
  });

  it.skipIf(missing)(`starts each time, and its failing ranks tell why each time${skipped}`, async () => {
    const lost: string[] = [];
    for (let start = 0; start < 25; start++) {
      const wrong = parameters("never").map((one) => (one === data ? at("nowhere") : one));
      const { stderr } = await launch(launcher, 2, wrong).ended;
      if (!/rank \d of 2 on \S+: .*nowhere: there is no such folder/.test(stderr)) lost.push(stderr);
    }
    expect(lost).toEqual([]);
  });

  it.skipIf(missing)(`two ranks choose how often to exchange by what it costs${skipped}`, async () => {
    const found = await trained(launcher, 2, `${launcher.name} auto`, "--sync-every", "auto");
    expect(Number.isInteger(Math.log2(found.syncEvery))).toBe(true);
    expect(found.stderr).toContain(`--sync-every ${found.syncEvery}: chosen from`);
  });

  it.skipIf(missing)(
    `ranks that exchange behind their steps come to the same twice, and resumed${skipped}`,
    async () => {
      const more = ["--sync-every", "4", "--overlap", "--keep", "last"]; // the best may be of the run before
      const whole = await trained(launcher, 2, `${launcher.name} overlap`, ...more);
      expect(whole).toMatchObject({ steps, ranks: 2, syncEvery: 4 });
      expect(whole.stderr).not.toContain("other parameters");
      const half = await launch(launcher, 2, parameters(`${launcher.name} halves`, ...more, "--steps", "15")).ended;
      expect(half.status, half.stderr).toBe(0);
      await trained(launcher, 2, `${launcher.name} halves`, ...more, "--resume");
      expect(model(`${launcher.name} halves`)).toBe(model(`${launcher.name} overlap`));
    },
  );

  it.skipIf(missing)(`a rank that is asked to end ends all of them, with a checkpoint${skipped}`, async () => {
    const folder = `${launcher.name} interrupted`;
    const run = launch(launcher, 2, parameters(folder, "--steps", "100000", "--checkpoint-every", "50"));
    const saved = () => lastCheckpoint(at(folder, "checkpoints"));
    await until(run, () => saved() > 0);
    const seen = saved();
    process.kill(ranksOf(at(folder))[1], "SIGINT");
    const { status, stderr } = await run.ended;
    expect(saved(), stderr).toBeGreaterThan(seen);
    expect(status).toBe(130);
  });

  it.skipIf(missing)(`one rank alone is a job, too${skipped}`, async () => {
    const found = await trained(launcher, 1, `${launcher.name} alone`);
    expect(found).toMatchObject({ steps, ranks: 1 });
  });

  it.skipIf(missing)(`ranks that are told different things say so${skipped}`, async () => {
    const program = at("differing.mjs");
    await writeFile(
      program,
      `process.argv.push("--seed", process.env.OMPI_COMM_WORLD_RANK ?? process.env.PMI_RANK);
      await import(${JSON.stringify(cli())});`,
    );
    const run = launch(launcher, 2, [program, ...parameters("differing").slice(1)]);
    const { status, stderr } = await run.ended;
    expect(status).not.toBe(0);
    expect(stderr).toMatch(/ranks differ: seed is 0 on rank 0 and 1 on rank 1/);
  });

  it.skipIf(missing)(`the recipe for machines reached by ssh runs on this one${skipped}`, async () => {
    const recipe = resolve("examples/cluster/ssh.sh");
    const env = {
      ...process.env,
      ...{ HOSTS: "", RANKS: "2", MPIRUN: launcher.program, TWINGRAD: `${process.execPath} ${cli()}` },
    };
    for (const steps of ["10", "20"]) {
      const { status, stdout, stderr } = spawnSync(
        recipe,
        [data, at(`${launcher.name} recipe`), ...tiny, "--steps", steps, "--json"],
        { env, encoding: "utf8" },
      );
      expect(status, stderr).toBe(0);
      expect(JSON.parse(stdout.trimEnd())).toMatchObject({ ranks: 2, steps: Number(steps) }); // the second goes on
    }
  });
});

const none = installed.length === 0 ? ` (skipped: no MPI is installed; ${howToInstall})` : "";

it.skipIf(installed.length === 0)(
  `ten killed ranks leave no trace in the model${none}`,
  { timeout: 1_200_000 }, // twelve starts of two ranks: where others use the cores each may take a minute
  async () => {
    const seed = Number(process.env.TEST_SEED ?? Date.now() % 1e6);
    const random = uniform(seed);
    const longer = ["--steps", "200"]; // the last of two counts
    const saved = (folder: string) => lastCheckpoint(at(folder, "checkpoints"));

    // How long a run takes to begin, and from one checkpoint to the next: kills come at random moments of either.
    const calm = launch(installed[0], 2, parameters("calm", ...longer));
    const launched = performance.now();
    await until(calm, () => saved("calm") > 0);
    const starting = performance.now() - launched;
    const { status: ended, stderr: told } = await calm.ended;
    expect(ended, told).toBe(0);
    const between = (performance.now() - launched - starting) / 40;

    for (let kill = 1; kill <= 10; kill++) {
      const which = `kill ${kill} with seed ${seed}`;
      const resume = existsSync(at("stormy")) ? ["--resume"] : [];
      const run = launch(installed[kill % installed.length], 2, parameters("stormy", ...longer, ...resume));
      const ranks = () => ranksOf(at("stormy"));
      await until(run, () => ranks().length === 2);
      if (random() < 0.3) await after(random() * starting);
      else {
        // Two checkpoints further at most: 200 steps are more than ten kills can see.
        const begun = saved("stormy");
        const goal = begun + 10 * random();
        await until(run, () => saved("stormy") > goal);
        await after(random() * between);
      }
      const alive = ranks();
      expect(alive, which).toHaveLength(2);
      process.kill(alive[Math.floor(random() * 2)], "SIGKILL");
      const killed = performance.now();
      const { status } = await run.ended;
      expect(status, which).not.toBe(0);
      expect(performance.now() - killed, `${which}: milliseconds until the job ended`).toBeLessThan(15_000);
      // The others are ended by the launcher, which does not wait for each to be gone, or see that it is.
      while (ranks().length > 0 && performance.now() - killed < 15_000) await after(100);
      expect(ranks(), `${which}: ranks left behind`).toEqual([]);
    }
    const { status, stderr } = await launch(installed[0], 2, parameters("stormy", ...longer, "--resume")).ended;
    expect(status, stderr).toBe(0);
    expect(model("stormy"), `seed ${seed}`).toBe(model("calm"));
  },
);

/** Waits for something to be seen of a run. @throws with what it wrote if it ends first. */
async function until(run: Run, seen: () => boolean): Promise<void> {
  let over: Awaited<Run["ended"]> | undefined;
  run.ended.then((result) => {
    over = result;
  });
  while (!seen()) {
    if (over) throw new Error(`the run has ended with status ${over.status}: ${over.stderr}`);
    await after(20);
  }
}

/** The step of the last checkpoint in the folder, 0 without any. */
function lastCheckpoint(folder: string): number {
  if (!existsSync(folder)) return 0;
  return Math.max(0, ...readdirSync(folder).map((name) => Number(/^step-(\d+)-.*safetensors$/.exec(name)?.[1] ?? 0)));
}

it.skipIf(installed.length === 0)(`a run goes on with another number of ranks${none}`, async () => {
  const begin = parameters("grown").map((one, i, all) => (all[i - 1] === "--steps" ? "10" : one));
  const { status, stderr } = await launch(installed[0], 2, begin).ended;
  expect(status, stderr).toBe(0);
  expect(await trained(installed[0], 3, "grown", "--resume")).toMatchObject({ steps, ranks: 3 });
});
