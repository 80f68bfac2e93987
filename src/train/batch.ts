// What a training step is given: pictures, who is on them, and the checks that they fit.
import { TwingradError } from "../gpu/errors.ts";
import { sizeOf } from "../tape/tensor.ts";
import type { Augmenter } from "./augmenter.ts";
import type { InputDtype, Pictures } from "./embedder.ts";

export interface PairBatch {
  readonly left: Pictures;
  readonly right: Pictures;
  /** Who is on each picture; equal numbers are one person. */
  readonly leftLabels: ArrayLike<number>;
  readonly rightLabels: ArrayLike<number>;
  /** Where the trainer augments: each picture's own stream of random numbers, a uint32. */
  readonly leftSeeds?: ArrayLike<number>;
  readonly rightSeeds?: ArrayLike<number>;
}

export interface TripletBatch {
  readonly anchor: Pictures;
  readonly positive: Pictures;
  readonly negative: Pictures;
  /** As in `PairBatch`. */
  readonly anchorSeeds?: ArrayLike<number>;
  readonly positiveSeeds?: ArrayLike<number>;
  readonly negativeSeeds?: ArrayLike<number>;
}

export type Batch = PairBatch | TripletBatch;

interface Expected {
  readonly loss: string;
  readonly batchSize: number;
  /** Height, width, channels. */
  readonly size: readonly [number, number, number];
  readonly augmenter: Augmenter | undefined;
}

/**
 * Stacks a batch's branches in one array of its own, turns labels into "same" and seeds into each picture's changes.
 * @throws BAD_INPUT that says what does not fit.
 */
export function feed(batch: Batch, expected: Expected): { dtype: InputDtype; inputs: Record<string, Pictures> } {
  const { batchSize, loss, augmenter } = expected;
  if ("anchor" in batch !== (loss === "triplet")) {
    const wanted = loss === "triplet" ? "anchor, positive and negative" : "left, right, leftLabels and rightLabels";
    throw new TwingradError("BAD_INPUT", `Trainer: the ${loss} loss takes batches of ${wanted}.`);
  }
  const parts = "anchor" in batch ? [batch.anchor, batch.positive, batch.negative] : [batch.left, batch.right];
  const images = stack(parts, expected);
  const inputs: Record<string, Pictures> = { images };
  if (augmenter) Object.assign(inputs, augmenter.inputs(seedsOf(batch, batchSize)));
  if (!("anchor" in batch)) inputs.same = same(batch, batchSize);
  return { dtype: images instanceof Uint8Array ? "u8" : "f32", inputs };
}

function stack(parts: readonly Pictures[], { batchSize, size: pictureSize }: Expected): Pictures {
  const size = batchSize * sizeOf(pictureSize);
  const bytes = parts.every((p) => p instanceof Uint8Array);
  if (!bytes && !parts.every((p) => p instanceof Float32Array)) {
    throw new TwingradError("BAD_INPUT", "Trainer: pictures are all Uint8Array, or all Float32Array in [0, 1].");
  }
  if (parts.some((p) => p.length !== size)) {
    const shape = [batchSize, ...pictureSize].join(", ");
    const got = parts.map((p) => p.length).join(" and ");
    throw new TwingradError("BAD_INPUT", `Trainer: pictures [${shape}] take ${size} values each; got ${got}.`);
  }
  const images = bytes ? new Uint8Array(size * parts.length) : new Float32Array(size * parts.length);
  for (const [i, part] of parts.entries()) images.set(part, i * size);
  return images;
}

function seedsOf(batch: Batch, batchSize: number): number[] {
  const { leftSeeds, rightSeeds } = batch as PairBatch;
  const { anchorSeeds, positiveSeeds, negativeSeeds } = batch as TripletBatch;
  const parts = "anchor" in batch ? { anchorSeeds, positiveSeeds, negativeSeeds } : { leftSeeds, rightSeeds };
  return Object.entries(parts).flatMap(([name, part]) => {
    const seeds = Array.from(part ?? []);
    if (seeds.length === batchSize && seeds.every((seed) => seed >>> 0 === seed)) return seeds;
    const got = part ? `${seeds.length} values ${seeds.slice(0, 4).join(", ")}` : "none";
    throw new TwingradError(
      "BAD_INPUT",
      `Trainer: to augment, a batch needs ${name}, ${batchSize} uint32; got ${got}.`,
    );
  });
}

function same({ leftLabels, rightLabels }: PairBatch, batchSize: number): Float32Array {
  if (leftLabels.length !== batchSize || rightLabels.length !== batchSize) {
    const got = `${leftLabels.length} and ${rightLabels.length}`;
    throw new TwingradError("BAD_INPUT", `Trainer: ${batchSize} pairs take as many labels on each side; got ${got}.`);
  }
  return Float32Array.from({ length: batchSize }, (_, i) => (leftLabels[i] === rightLabels[i] ? 1 : 0));
}
