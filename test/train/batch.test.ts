// The inputs of a training step: the data stream's own arrays without a copy, and copies of all others.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Batch, Pictures } from "../../src/data/batch.ts";
import { batches, classBatches, livenessBatches, tripletBatches } from "../../src/data/batches.ts";
import { labelsOf } from "../../src/data/dataset.ts";
import { DecodedImages } from "../../src/data/decodedImages.ts";
import { balancedPairs, perClass, triplets } from "../../src/data/sampling/balanced.ts";
import { balancedLiveness } from "../../src/data/sources/livenessDataset.ts";
import { Augmenter } from "../../src/train/augmenter.ts";
import { feed } from "../../src/train/batch.ts";
import { constantPictures } from "../data/stubDataset.ts";

const size = [2, 3, 1] as const;
const batchSize = 6;
const dataset = constantPictures(4, 5);
const labels = labelsOf(dataset);
const images = new DecodedImages(dataset, size);
const attacked = { ...dataset, items: dataset.items.map((item, n) => ({ ...item, live: n % 2 === 0 })) };
const recognition = { task: "recognition", batchSize, size } as const;

/** For each kind of batch the stream, its picture fields, and the training that takes it. */
const kinds = {
  pairs: {
    open: () => batches(images, balancedPairs(labels, { seed: 1 }), { batchSize }),
    fields: ["left", "right"],
    expected: { ...recognition, loss: "cross-entropy" },
  },
  triplets: {
    open: () => tripletBatches(images, triplets(labels, { seed: 1 }), { batchSize }),
    fields: ["anchor", "positive", "negative"],
    expected: { ...recognition, loss: "triplet" },
  },
  classes: {
    open: () => classBatches(images, perClass(labels, { seed: 1, identitiesPerBatch: 3, picturesPerIdentity: 2 })),
    fields: ["images"],
    expected: { ...recognition, loss: "triplet", mining: "batch-hard" },
  },
  "classes of two towers": {
    open: () =>
      classBatches([images, images], perClass(labels, { seed: 1, identitiesPerBatch: 3, picturesPerIdentity: 2 }), {
        together: 2,
      }),
    fields: ["images"],
    expected: { ...recognition, batchSize: 2 * batchSize, loss: "supervised-contrastive" },
  },
  liveness: {
    open: () =>
      livenessBatches(new DecodedImages(attacked, size), balancedLiveness(attacked, { seed: 1 }), { batchSize }),
    fields: ["images"],
    expected: { ...recognition, task: "liveness", loss: "cross-entropy" },
  },
} as const;

const augmenters = {
  "without augmentation": undefined,
  augmented: new Augmenter({ flip: 0.5, brightness: 0.3, seed: 2 }, [2, 3], [2, 3], "area"),
};

/** The batch with each picture array in a separate buffer, as from a caller of the trainer. */
function separate(batch: Batch & { readonly epoch?: number }, fields: readonly string[]): Batch {
  const { stacked: _, ...others } = batch;
  const given = batch as unknown as Record<string, Pictures>;
  return { ...others, ...Object.fromEntries(fields.map((field) => [field, given[field].slice()])) } as Batch;
}

describe("feed", () => {
  for (const [kind, { open, fields, expected }] of Object.entries(kinds)) {
    it.each(Object.entries(augmenters))(
      `takes the data stream's array of ${kind}, %s, and makes no other`,
      async (_, augmenter) => {
        const stream = open();
        for (let number = 0; number < 3; number++) {
          const batch = (await stream.next()).value;
          const { dtype, inputs } = feed(batch, { ...expected, augmenter });
          expect(dtype).toBe("u8");
          expect(inputs.images).toBe(batch.stacked);

          const copied = feed(separate(batch, fields), { ...expected, augmenter });
          expect(copied.inputs.images.buffer).not.toBe(batch.stacked.buffer);
          expect(copied).toEqual({ dtype, inputs });
        }
      },
    );
  }

  /** Two arrays of pictures anywhere in a buffer, and an array declared as their stack. */
  const layout = fc.record({
    Type: fc.constantFrom(Uint8Array, Float32Array),
    left: fc.nat({ max: 3 }),
    right: fc.nat({ max: 3 }),
    first: fc.nat({ max: 3 }),
    length: fc.integer({ min: 1, max: 4 }),
    said: fc.boolean(),
  });

  it("copies arrays that are not, or not declared as, a stack", () => {
    const { expected } = kinds.pairs;
    const picture = batchSize * 6;
    const tried = { taken: 0, copied: 0 };
    fc.assert(
      fc.property(layout, ({ Type, left, right, first, length, said }) => {
        const room = new Type(Array.from({ length: 8 * picture }, (_, i) => i % 251));
        const at = (place: number, count = 1) => room.subarray(place * picture, (place + count) * picture);
        const batch = {
          left: at(left),
          right: at(right),
          leftLabels: labels.subarray(0, batchSize),
          rightLabels: labels.subarray(0, batchSize),
          stacked: said ? at(first, length) : undefined,
        };
        const values = [...at(left), ...at(right)];
        const { dtype, inputs } = feed(batch, { ...expected, augmenter: undefined });
        expect(dtype).toBe(Type === Uint8Array ? "u8" : "f32");
        expect([...inputs.images]).toEqual(values);
        const isStack = said && left === first && right === first + 1 && length === 2;
        expect(inputs.images === batch.stacked).toBe(isStack);
        tried[isStack ? "taken" : "copied"]++;
        if (isStack) return;
        room.fill(0); // the caller uses its buffer again
        expect([...inputs.images]).toEqual(values);
      }),
      { numRuns: 400, examples: [[{ Type: Float32Array, left: 1, right: 2, first: 1, length: 2, said: true }]] },
    );
    expect(Math.min(tried.taken, tried.copied)).toBeGreaterThan(0);
  });

  it("uses a caller's pictures instead of the stream's", async () => {
    const batch = (await kinds.pairs.open().next()).value;
    const left = batch.left.map((pixel) => 255 - pixel);
    const { inputs } = feed({ ...batch, left }, { ...kinds.pairs.expected, augmenter: undefined });
    expect([...inputs.images]).toEqual([...left, ...batch.right]);
  });

  it("refuses arrays of another type or size though they are parts of a stack", () => {
    const stacked = new Float32Array(2 * batchSize * 6);
    const given = { leftLabels: labels, rightLabels: labels, stacked };
    const [left, right] = [stacked.subarray(0, batchSize * 6), stacked.subarray(batchSize * 6)];
    const expected = { ...kinds.pairs.expected, augmenter: undefined };
    const bytes = new Uint8Array(stacked.buffer, 0, batchSize * 6);
    expect(() => feed({ ...given, left: bytes, right }, expected)).toThrow(/all Uint8Array, or all Float32Array/);
    expect(() => feed({ ...given, left: left.subarray(1), right }, expected)).toThrow(
      /expected 36 values for pictures .*; got 35 and 36/,
    );
  });
});

describe("non-finite pictures", () => {
  it("are refused, with field, picture and position", () => {
    const pictures = (value: number) => new Float32Array(batchSize * 6).fill(0.5).fill(value, 20, 21);
    const same = new Int32Array(batchSize);
    const batch = (right: number) => ({
      left: pictures(0),
      right: pictures(right),
      leftLabels: same,
      rightLabels: same,
    });
    const expected = { ...recognition, loss: "cross-entropy", augmenter: undefined } as const;
    expect(feed(batch(1), expected).dtype).toBe("f32");
    expect(() => feed(batch(NaN), expected)).toThrow("Trainer: right: picture 3 has NaN at row 0, column 2, channel 0");
  });
});
