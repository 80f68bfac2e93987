// The stored runs of the studio, with the file system of a page replaced.
import { expect, it, vi } from "vitest";
import { defaultSettings } from "../../../src/studio/tabs/train/defaults.ts";
import { isRun } from "../../../src/studio/worker/training/run.ts";
import { Runs } from "../../../src/studio/worker/training/runs.ts";

const { identitiesPerBatch, picturesPerIdentity, ...others } = defaultSettings;
const counts = { people: 5, heldOut: 2, pictures: 40, losses: [], evaluations: [], hasModel: false };
const stored = {
  ...{ version: 1, id: "a", name: "Run 1", created: 1, status: "trained", fingerprint: "", adapter: "", ...counts },
  settings: { ...others, peoplePerBatch: identitiesPerBatch, picturesPerPerson: picturesPerIdentity },
};

vi.mock(import("../../../src/studio/worker/folders.ts"), async (original) => ({
  ...(await original()),
  foldersIn: async () => ["a"],
  folderAt: () => ({}) as never,
  readJson: async () => ({ value: stored as never }),
}));

it("reads the settings of earlier versions under their present names", async () => {
  expect(isRun(stored)).toBe(true);
  const runs = new Runs({ set: () => undefined } as never);
  await runs.open();
  expect(runs.get("a").settings).toEqual(defaultSettings);
});
