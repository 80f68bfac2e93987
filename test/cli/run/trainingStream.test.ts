// The batches that settings come to: who is in them, and how often.
import { describe, expect, it } from "vitest";
import { resolveSettings } from "../../../src/cli/options/settings.ts";
import type { PartialSettings } from "../../../src/cli/options/settingsSchema.ts";
import { trainingStream } from "../../../src/cli/run/trainingStream.ts";
import type { ClassBatch, PairBatch } from "../../../src/data/batch.ts";

/** Of four people one has forty pictures, two have four, one has one. */
const counts = [40, 4, 4, 1];
const unequal = {
  identities: counts.map((_, person) => `person ${person}`),
  items: counts.flatMap((count, identity) =>
    Array.from({ length: count }, (_, n) => ({
      identity,
      name: `${identity}/${n}`,
      decode: async () => new Uint8Array(4),
    })),
  ),
};

const open = (settings: PartialSettings) =>
  trainingStream(unequal, [2, 2, 1], resolveSettings({}, { imageSize: 2, channels: 1, ...settings }), () => undefined);

async function take<B>(settings: PartialSettings, batches: number): Promise<B[]> {
  const { stream } = open(settings);
  const taken: B[] = [];
  for (let n = 0; n < batches; n++) taken.push((await stream.next()).value as B);
  return taken;
}

describe("trainingStream", () => {
  it("makes batches of the people who have two pictures, four of each, where nothing else is said", async () => {
    const { batchSize, perEpoch, steps } = open({ loss: "triplet" });
    expect([batchSize, perEpoch, steps(1), steps(5)]).toEqual([12, 49, 5, 21]);
    for (const { images, labels } of await take<ClassBatch>({ loss: "triplet" }, 3)) {
      expect(images).toHaveLength(12 * 4);
      expect([...Array.from(labels)].sort()).toEqual([0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]);
    }
  });

  it("lets nobody count more for having more pictures", async () => {
    const settings = { loss: "supervised-contrastive", identitiesPerBatch: 2, picturesPerIdentity: 2 } as const;
    const mined = await take<ClassBatch>(settings, 600);
    const shares = [0, 1, 2].map(
      (person) => mined.filter(({ labels }) => Array.from(labels).includes(person)).length / 600,
    );
    for (const share of shares) expect(share).toBeCloseTo(2 / 3, 1);

    const pairs = (await take<PairBatch>({ batchSize: 50 }, 40)).flatMap(({ leftLabels, rightLabels }) =>
      Array.from(leftLabels, (left, i) => [left, rightLabels[i]]),
    );
    const same = pairs.filter(([left, right]) => left === right);
    expect(same.length / pairs.length).toBeCloseTo(1 / 2, 1);
    for (const person of [0, 1, 2]) {
      expect(same.filter(([left]) => left === person).length / same.length).toBeCloseTo(1 / 3, 1);
    }
    const different = pairs.filter(([left, right]) => left !== right);
    for (const person of [0, 1, 2, 3]) {
      expect(different.filter((pair) => pair.includes(person)).length / different.length).toBeCloseTo(1 / 2, 1);
    }
  });

  it("says at once that there are too few people for a batch", () => {
    expect(() => open({ loss: "triplet", identitiesPerBatch: 5 })).toThrow(/5 identities .* there are 3/);
  });
});
