// Training under both launchers of MPI; what takes minutes, as killed ranks, in distributed.hosts.test.ts.
import { spawnSync } from "node:child_process";
import { describe, expect, it } from "vitest";
import { tiny } from "../cliPeople.ts";
import { distributedRuns, steps } from "./distributedRuns.ts";
import { howToInstall, launch, launchers } from "./mpirun.ts";

const { data, at, twingrad, cli, parameters, trained } = distributedRuns("distributed");

describe.each(launchers)("under $name", (launcher) => {
  const missing = launcher.program === undefined;
  const skipped = missing ? ` (skipped: ${launcher.name} is not installed; ${howToInstall})` : "";

  it.skipIf(missing)(`two ranks train one model${skipped}`, async () => {
    const found = await trained(launcher, 2, `${launcher.name} two`);
    expect(found).toMatchObject({ steps, ranks: 2, syncEvery: 1 });
    expect(found.stderr).not.toContain("its own batches");
  });

  it.skipIf(missing)(`four ranks step alone on their own triplets, and meet every five steps${skipped}`, async () => {
    const more = ["--sync-every", "5", "--outer-momentum", "0.5", "--loss", "triplet"];
    const found = await trained(launcher, 4, `${launcher.name} local`, ...more);
    expect(found).toMatchObject({ steps, ranks: 4, syncEvery: 5 });
    expect(found.stderr).not.toContain("other parameters");
    expect(found.stderr).toContain("--loss triplet: each process compares the pictures of its own batches");
  });

  it.skipIf(missing)(
    `a rank that fails ends all of them, with its number, its host and its reason${skipped}`,
    async () => {
      const begun = performance.now();
      const run = launch(launcher, 2, [...parameters("broken").map((one) => (one === data ? at("nowhere") : one))]);
      const { status, stderr } = await run.ended;
      expect(status).not.toBe(0);
      expect(stderr).toMatch(/rank \d of 2 on \S+: .*nowhere: there is no such folder/);
      expect(performance.now() - begun).toBeLessThan(30_000);
    },
  );
});

it("what needs other ranks is refused without them, and so is a machine without MPI", async () => {
  const alone = ["train", data, "--out", at("refused"), ...tiny];
  const lonely = await twingrad(...alone, "--sync-every", "4");
  expect(lonely).toMatchObject({ status: 1, stderr: expect.stringContaining("--sync-every is for several ranks") });
  const overlapping = await twingrad(...alone, "--overlap");
  expect(overlapping).toMatchObject({ status: 1, stderr: expect.stringContaining("--overlap is for several ranks") });
  const env = { ...process.env, TWINGRAD_MPI: "/nowhere/libmpi.so" };
  const { status, stderr } = spawnSync(process.execPath, [cli(), ...alone, "--distributed"], { env, encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr).toMatch(/nowhere\/libmpi\.so.*apt-get install openmpi-bin/);
});
