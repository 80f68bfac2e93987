// What a checkpoint says of its run: given back as it was said, and refused where it is anything else.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { resolveSettings } from "../../../src/cli/options/settings.ts";
import { recordOf, runMetadata, runState, trainingRecord } from "../../../src/cli/run/runRecord.ts";
import { TwingradError } from "../../../src/errors.ts";

const settings = resolveSettings({}, { steps: 3 });
const people = { identities: ["b", "a"], items: [{ identity: 0, name: "x", decode: () => Promise.reject() }] };
const record = recordOf(settings, people);
const progress = {
  epochs: 2,
  firstLoss: Math.fround(0.7),
  lastLoss: null,
  selection: { best: { step: 3, auc: 0.9 }, since: 1 },
};
const choice = { candidate: "direct", microseconds: { direct: null, winograd: null } };
const kernels = { format: 1 as const, adapter: "a", version: "1", shaders: "s", choices: { "conv2d 3x3": choice } };
const fileOf = (metadata: Record<string, string>) => ({ tensors: new Map(), metadata });
const changed = (change: object) => fileOf({ training: JSON.stringify({ ...record, ...change }) });

/** Anything but a result or one of our errors is let through. */
function end(work: () => unknown): void {
  try {
    work();
  } catch (error) {
    if (!(error instanceof TwingradError)) throw error;
    expect(error.code).toMatch(/^(CORRUPT_FILE|CHECKPOINT_MISMATCH)$/);
  }
}

describe("the record of a run", () => {
  it("comes back as it was", () => {
    const file = fileOf(runMetadata(record, { stream: { drawn: 7 }, progress, kernels }));
    expect(trainingRecord(file)).toEqual(record);
    expect(runState(file)).toEqual({ stream: { drawn: 7 }, progress, kernels });
    expect(trainingRecord(fileOf({}))).toBeUndefined();
  });

  it("has one digest for what decides the losses, in any order, whatever else is set", () => {
    const digest = (change: object, dataset = people) => recordOf({ ...settings, ...change }, dataset).configuration;
    expect(digest({ steps: 9, epochs: 4, checkpointEvery: 1, keepCheckpoints: 9 })).toBe(record.configuration);
    expect(
      recordOf(Object.fromEntries(Object.entries(settings).reverse()) as typeof settings, people).configuration,
    ).toBe(record.configuration);
    expect(digest({ seed: 2 })).not.toBe(record.configuration);
    expect(digest({}, { ...people, identities: ["a", "c"] })).not.toBe(record.configuration);
  });

  it("reads what earlier versions left, with the defaults for what there was not", () => {
    const { keepCheckpoints: _, ...before } = settings;
    const { configuration: __, ...old } = { ...record, settings: before };
    expect(trainingRecord(fileOf({ training: JSON.stringify(old) }))?.settings).toEqual(settings);
    expect(() => runState(fileOf({ training: JSON.stringify(old) }))).toThrow(/can be used, but .* cannot be resumed/);
  });

  it("reads the settings of earlier versions under their present names, with the digest of the former ones", () => {
    const present = {
      loss: "triplet",
      identitiesPerBatch: 6,
      picturesPerIdentity: 3,
      rotatedIdentities: true,
    } as const;
    const former = { loss: "triplet", peoplePerBatch: 6, picturesPerPerson: 3, turnedIdentities: true };
    const saved = recordOf({ ...settings, ...former } as never, people);
    const read = trainingRecord(fileOf({ training: JSON.stringify(saved) }));
    expect(read?.settings).toEqual({ ...settings, ...present });
  });

  it.each<[string, object]>([
    ["another seed than its digest is of", { settings: { ...settings, seed: 9 } }],
    ["an invalid digest", { configuration: "ab" }],
    ["no people", { people: "" }],
    ["pictures that are no number", { pictures: "4" }],
    ["settings that break their rules", { settings: { ...settings, filters: [0] }, configuration: undefined }],
    ["an unknown setting", { settings: { ...settings, color: 1 }, configuration: undefined }],
  ])("is refused with %s", (_, change) => {
    expect(() => trainingRecord(changed(change))).toThrow(/invalid metadata "training" in the model: \{/);
  });

  it("ends every other content in a result or a typed error", () => {
    const values = fc.oneof(fc.jsonValue(), fc.constantFrom(1, -1, "", null, record.people));
    const settingsLike = fc.dictionary(fc.constantFrom(...Object.keys(settings), "__proto__", "x"), values);
    const texts = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .record({ settings: settingsLike, people: values, pictures: values, configuration: values })
        .map((v) => JSON.stringify(v)),
      settingsLike.map((change) =>
        JSON.stringify({ ...record, configuration: undefined, settings: { ...settings, ...change } }),
      ),
    );
    fc.assert(
      fc.property(texts, texts, texts, (training, stream, progress) => {
        const file = fileOf({ training, stream, progress, kernels: stream });
        end(() => trainingRecord(file));
        end(() => runState(file));
      }),
      { numRuns: 800 },
    );
  });
});
