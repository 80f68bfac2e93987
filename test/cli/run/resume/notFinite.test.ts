// A run whose numbers run away: it stops at that step, says where it began, and leaves the checkpoint before it.
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { resolveSettings } from "../../../../src/cli/options/settings.ts";
import { savedRun } from "../../../../src/cli/run/resume.ts";
import { recognition } from "../../../../src/cli/run/tasks/recognitionTask.ts";
import { train } from "../../../../src/cli/run/training.ts";
import type { Device } from "../../../../src/gpu/device.ts";
import { openDevice } from "../../../../src/node/adapter/device.ts";
import { tinyPeople, tinySettings } from "./tiny.ts";

let folder: string;
let device: Device;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "twingrad-not-finite-"));
  device = await openDevice();
});
afterAll(async () => {
  device.dispose();
  await rm(folder, { recursive: true });
});

it("names the step and the tensor, and the last good checkpoint stays", async () => {
  const runaway = { learningRate: 1e30, checkpointEvery: 1, debugNumerics: true };
  const settings = resolveSettings({ ...tinySettings, ...runaway }, { steps: 20 });
  const told: string[] = [];
  const warn = (text: string) => void told.push(text);
  const error = await train(device, recognition, tinyPeople, settings, { folder, warn }).catch((thrown) => thrown);
  expect(error.code, String(error)).toBe("NOT_FINITE");
  const { step, message } = error as { step: number; message: string };
  expect(message).toMatch(
    new RegExp(
      `^the loss of step ${step} is .*; in the step's replay, .* values of "[^"]+" .*; a smaller learning rate`,
    ),
  );
  const names = await readdir(join(folder, "checkpoints"));
  expect(names.every((name) => !name.endsWith(".part"))).toBe(true);
  const saved = await savedRun(folder, (text) => told.push(text));
  expect(saved?.description.step).toBe(step - 1);
  expect(told).toEqual([]); // nothing was passed over, nothing failed to be saved
});
