// The stored runs of the studio, with the file system of a page replaced.
import { expect, it, vi } from "vitest";
import { Runs } from "../../src/studio/worker/training/runs.ts";

const stored = { id: "a", name: "Run 1", created: 1, losses: [], evaluations: [], settings: {} };

vi.mock(import("../../src/studio/worker/folders.ts"), async (original) => ({
  ...(await original()),
  foldersIn: async () => ["a"],
  folderAt: () => ({}) as never,
  readJson: async () => stored as never,
}));

it("reads the settings of earlier versions under their present names", async () => {
  const settings = { steps: 300, seed: 1, peoplePerBatch: 16, picturesPerPerson: 3 };
  stored.settings = settings;
  const runs = new Runs({ set: () => undefined } as never);
  await runs.open();
  expect(runs.get("a").settings).toEqual({ steps: 300, seed: 1, identitiesPerBatch: 16, picturesPerIdentity: 3 });
});
