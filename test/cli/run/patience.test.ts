// Early stopping and the choice of the final state, with given evaluations.
import { mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { resolveSettings, resumeSettings } from "../../../src/cli/options/settings.ts";
import type { PartialSettings } from "../../../src/cli/options/settingsSchema.ts";
import { savedRun } from "../../../src/cli/run/resume.ts";
import { recognition } from "../../../src/cli/run/tasks/recognitionTask.ts";
import type { TrainingTask } from "../../../src/cli/run/tasks/task.ts";
import { train } from "../../../src/cli/run/training.ts";
import type { Device } from "../../../src/gpu/device.ts";
import { openSaved } from "../../../src/model/modelFile.ts";
import { openDevice } from "../../../src/node/adapter/device.ts";
import { testFolder } from "../builtCli.ts";
import { tinyPeople, tinySettings } from "./resume/tiny.ts";

const folder = testFolder("patience-test");
let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(async () => {
  device.dispose();
  await rm(folder, { recursive: true });
});

/** AUCs by step; the tiny network's own would be chance. */
const aucs = new Map([3, 6, 9, 12, 15, 18].map((step, i) => [step, [0.6, 0.8, 0.7, 0.75, 0.9, 0.5][i]]));
aucs.set(10, 0.99); // out of turn: at the end of a run that is then given more
const scripted: TrainingTask = {
  ...recognition,
  async evaluate(device, bytes, people, options) {
    const { step } = (await openSaved(bytes)).description;
    return { ...(await recognition.evaluate(device, bytes, people, options)), auc: aucs.get(step)! };
  },
};

async function run(name: string, settings: PartialSettings) {
  const out = join(folder, name);
  await mkdir(out, { recursive: true });
  const resume = (await readdir(out)).length > 0 ? await savedRun(out, () => undefined) : undefined;
  const all = resume
    ? resumeSettings(resume.record.settings, settings)
    : resolveSettings({ ...tinySettings, validation: 0.4 }, settings);
  const warnings: string[] = [];
  const warn = (text: string) => warnings.push(text);
  const result = await train(device, scripted, tinyPeople, all, { folder: out, resume, warn });
  const model = await openSaved(new Uint8Array(await readFile(join(out, "model.safetensors"))));
  return { result, model, warnings };
}

const weights = ({ file }: { file: { tensors: Map<string, { bytes: Uint8Array }> } }) =>
  Buffer.from(file.tensors.get("tower/dense/kernel")!.bytes).toString("hex");

describe("patience", () => {
  it("stops after so many evaluations without a better AUC, leaves the best state, and says so", async () => {
    const { result, model } = await run("stops", { patience: 2, steps: 30 });
    expect(result).toMatchObject({
      steps: 12,
      stopped: "no better AUC on held-out identities in 2 evaluations than 0.8, at step 6",
      kept: { which: "best", step: 6, auc: 0.8 },
    });
    expect(model.description.step).toBe(6);
    const names = await readdir(join(folder, "stops", "checkpoints"));
    expect(names).toContain("step-00000006-auc-0.8.safetensors");

    // The same in two runs: earlier evaluations count after a resume.
    const first = await run("in two", { patience: 2, steps: 10 });
    expect(first.result.kept).toEqual({ which: "best", step: 10, auc: 0.99 });
    const rest = await run("in two", { steps: 30 });
    expect(rest.result).toMatchObject({ steps: 12, stopped: result.stopped, kept: result.kept });
    expect(weights(rest.model)).toBe(weights(model));
    await expect(run("in two", {})).rejects.toThrow(
      /is finished: .* 12 steps, and no better AUC .* increase --patience/,
    );

    const further = await run("in two", { patience: 3, steps: 15, keep: "last" });
    expect(further.result).toMatchObject({ steps: 15, stopped: null, kept: { which: "last", step: 15, auc: 0.9 } });
  });

  it("leaves the last state, and tells it, where the best cannot be read any more", async () => {
    await run("lost", { steps: 9 });
    await rm(join(folder, "lost", "checkpoints", "step-00000006-auc-0.8.safetensors"));
    const { result, warnings, model } = await run("lost", { steps: 12 });
    expect(result.kept).toEqual({ which: "last", step: 12, auc: null });
    expect(warnings).toContainEqual(expect.stringMatching(/best checkpoint, step 6, cannot be read .* last state/));
    expect(model.description.step).toBe(12);
  });
});
