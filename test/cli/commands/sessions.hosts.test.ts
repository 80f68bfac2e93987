// Liveness on another day: trained on one recording session, tested on the other, by the recipe with fewer steps.
import { existsSync } from "node:fs";
import { rm } from "node:fs/promises";
import { join, resolve } from "node:path";
import { afterAll, expect, it } from "vitest";
import { buildCli, testFolder } from "../builtCli.ts";

const data = resolve("../shared/data/nuaa/train");
const folder = testFolder("sessions-test");
const there = existsSync(data);
if (!there) console.warn(`skipped: liveness on another day needs the pictures of ${data}`);
afterAll(() => rm(folder, { recursive: true, force: true }));

it.skipIf(!there)(
  "a network trained on session 01 tells live people from pictures in session 02",
  async () => {
    const cli = await buildCli(folder);
    const model = join(folder, "model");
    const sessions = ["--group-by", "_(\\d\\d)_\\d+\\.jpg$", "--fold", "2/2"];
    const preset = ["--preset", "liveness", "--steps", "50"];
    const trained = await cli.json("train", data, ...preset, "--out", model, "--no-tune", ...sessions);
    expect(trained.validation.auc).toBeGreaterThan(0.98);

    const { apcer, bpcer, hter, auc, threshold } = trained.validation;
    const unseen = await cli.json("evaluate", model, data, "--unseen");
    expect(unseen).toMatchObject({ apcer, bpcer, hter, auc, threshold });
    expect(unseen.sessions).toMatchObject({ trained: ["01"], tested: ["02"], shared: [] });
    const all = await cli.json("evaluate", model, data);
    expect(all.stderr).toContain("are from groups that this model was trained on (01)");
    expect(all.groups.map(({ name }: { name: string }) => name)).toEqual(["01", "02"]);
  },
  600_000,
);
