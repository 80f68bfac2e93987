// Training under both launchers of MPI: more ranks than cores, all on the software adapter, for minutes.
import { spawnSync } from "node:child_process";
import { readdir, writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { setTimeout as after } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { uniform } from "../../random.ts";
import { tiny } from "../cliPeople.ts";
import { distributedRuns, steps } from "./distributedRuns.ts";
import { howToInstall, installed, launch, launchers, ranksOf } from "./mpirun.ts";

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

  it.skipIf(missing)(`two ranks choose how often to exchange by what it costs${skipped}`, async () => {
    const found = await trained(launcher, 2, `${launcher.name} auto`, "--sync-every", "auto");
    expect(Number.isInteger(Math.log2(found.syncEvery))).toBe(true);
    expect(found.stderr).toContain(`--sync-every ${found.syncEvery}: chosen by`);
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
  { timeout: 600_000 },
  async () => {
    const seed = Number(process.env.TEST_SEED ?? Date.now() % 1e6);
    const random = uniform(seed);
    const longer = ["--steps", "200"]; // the last of two counts
    const begun = performance.now();
    const { status: calm, stderr: told } = await launch(installed[0], 2, parameters("calm", ...longer)).ended;
    expect(calm, told).toBe(0);
    const whole = performance.now() - begun;
    let kills = 0;
    for (let attempt = 0; kills < 10; attempt++) {
      expect(attempt, `seed ${seed}: the runs end before anybody is killed`).toBeLessThan(40);
      const launcher = installed[attempt % installed.length];
      const run = launch(launcher, 2, parameters("stormy", ...longer, ...(attempt > 0 ? ["--resume"] : [])));
      await Promise.race([run.ended, after((0.3 + 0.7 * random()) * whole)]);
      const ranks = ranksOf(at("stormy"));
      if (ranks.length < 2) {
        // It was over, or not begun, before its turn came.
        run.process.kill();
        await run.ended;
        continue;
      }
      process.kill(ranks[Math.floor(random() * ranks.length)], "SIGKILL");
      kills++;
      const killed = performance.now();
      const { status } = await run.ended;
      expect(status, `seed ${seed}`).not.toBe(0);
      expect(performance.now() - killed, `seed ${seed}: seconds until the job ended`).toBeLessThan(15_000);
      // The others are ended by the launcher, which does not wait for each to be gone, or see that it is.
      while (ranksOf(at("stormy")).length > 0 && performance.now() - killed < 15_000) await after(100);
      expect(ranksOf(at("stormy")), `seed ${seed}: ranks left behind`).toEqual([]);
    }
    const { status, stdout, stderr } = await launch(installed[0], 2, parameters("stormy", ...longer, "--resume")).ended;
    const over = stdout.includes("there is nothing left to do");
    expect(status === 0 || over, stderr).toBe(true);
    expect(model("stormy"), `seed ${seed}`).toBe(model("calm"));
  },
);

it.skipIf(installed.length === 0)(`a run goes on with another number of ranks${none}`, async () => {
  const begin = parameters("grown").map((one, i, all) => (all[i - 1] === "--steps" ? "10" : one));
  const { status, stderr } = await launch(installed[0], 2, begin).ended;
  expect(status, stderr).toBe(0);
  expect(await trained(installed[0], 3, "grown", "--resume")).toMatchObject({ steps, ranks: 3 });
});
