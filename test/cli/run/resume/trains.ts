// A process that trains a tiny network, to be killed: goes on from what its folder holds, as `twingrad train --resume`.
import { mkdir } from "node:fs/promises";
import { resolveSettings, resumeSettings } from "../../../../src/cli/options/settings.ts";
import type { PartialSettings } from "../../../../src/cli/options/settingsSchema.ts";
import { savedRun } from "../../../../src/cli/run/resume.ts";
import { recognition } from "../../../../src/cli/run/tasks/recognitionTask.ts";
import { train } from "../../../../src/cli/run/training.ts";
import { openDevice } from "../../../../src/node/adapter/device.ts";
import { tinyPeople, tinySettings } from "./tiny.ts";

const [folder, kind, steps] = process.argv.slice(2);
await mkdir(folder, { recursive: true });

const kinds: Record<string, PartialSettings> = {
  // Two shuffle buffers, a filter and random changes of each picture: the stream with the most state.
  filtered: { sameProbability: 1, differentProbability: 0.3, shuffleBuffer: 7, augment: true },
  balanced: { balanced: true, loss: "contrastive" },
};
const settings = resolveSettings({ ...tinySettings, ...kinds[kind] }, { steps: Number(steps) });

const tell = (text: string) => process.stdout.write(`${text}\n`);
const resume = await savedRun(folder, tell);
const device = await openDevice();
await train(device, recognition, tinyPeople, resume ? resumeSettings(resume.record.settings, {}) : settings, {
  folder,
  resume,
  warn: () => undefined,
});
tell("done");
process.exit();
