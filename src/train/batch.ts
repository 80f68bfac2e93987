// What a training step is given: the program's inputs from a batch, and the checks that the batch fits.

import {
  type Batch,
  type BatchKind,
  branches,
  type ClassBatch,
  type LivenessBatch,
  type PairBatch,
  type Pictures,
} from "../data/batch.ts";
import { checkPictures } from "../data/checkPictures.ts";
import { checkLabels } from "../data/labels.ts";
import { TwingradError } from "../errors.ts";
import { batchKind, type Objective } from "../model/description.ts";
import type { InputDtype } from "../model/pictures.ts";
import { sizeOf } from "../tape/tensor.ts";
import type { Augmenter } from "./augmenter.ts";

/** What a training step takes of batches of one kind beside the pictures, by the names of the fields. */
interface Fields {
  readonly seeds: readonly string[];
  /** What `target` is computed from. */
  readonly labels: readonly string[];
  /** The program's input beside the pictures: what the loss compares the network's output with. */
  readonly target?: { readonly name: string; of(batch: Batch, batchSize: number): Float32Array };
}

const fields: Record<BatchKind, Fields> = {
  pairs: {
    seeds: ["leftSeeds", "rightSeeds"],
    labels: ["leftLabels", "rightLabels"],
    target: { name: "same", of: same },
  },
  triplets: { seeds: ["anchorSeeds", "positiveSeeds", "negativeSeeds"], labels: [] },
  classes: { seeds: ["seeds"], labels: ["labels"], target: { name: "labels", of: identities } },
  liveness: { seeds: ["seeds"], labels: ["live"], target: { name: "live", of: live } },
};

export interface BatchFields extends Fields {
  /** Those of the pictures: see `branches`. */
  readonly branches: readonly string[];
}

export function batchFields(objective: Objective): BatchFields {
  const kind = batchKind(objective);
  return { branches: branches[kind], ...fields[kind] };
}

interface Expected extends Objective {
  readonly batchSize: number;
  /** Height, width, channels. */
  readonly size: readonly [number, number, number];
  readonly augmenter: Augmenter | undefined;
}

/**
 * The inputs of a step: the branches' pictures in one array, the target that the labels give, and each picture's changes
 * by its seed. They are copies, so that the batch's arrays may be reused at once; `stacked` alone is taken as it is.
 * @throws BAD_INPUT that says what does not fit.
 */
export function feed(batch: Batch, expected: Expected): { dtype: InputDtype; inputs: Record<string, Pictures> } {
  const { task, loss, mining = "none", batchSize, augmenter } = expected;
  const { branches, seeds, labels, target } = batchFields(expected);
  const given = batch as unknown as Record<string, Pictures | undefined>;
  if ([...branches, ...labels].some((name) => given[name] === undefined)) {
    const wanted = inWords([...branches, ...labels]);
    const mined = mining === "none" ? "" : ` with ${mining} mining`;
    const who = task === "liveness" ? "a liveness network" : `the ${loss} loss${mined}`;
    throw new TwingradError("BAD_INPUT", `Trainer: ${who} takes batches of ${wanted}.`);
  }
  for (const name of branches) checkPictures(`Trainer: ${name}`, given[name], expected.size);
  const images = stack(
    branches.map((name) => given[name]!),
    batch.stacked,
    expected,
  );
  const inputs: Record<string, Pictures> = { images };
  if (augmenter) Object.assign(inputs, augmenter.inputs(seeds.flatMap((name) => seedsOf(name, given, batchSize))));
  if (target) inputs[target.name] = target.of(batch, batchSize);
  return { dtype: images instanceof Uint8Array ? "u8" : "f32", inputs };
}

function inWords(names: readonly string[]): string {
  return `${names.slice(0, -1).join(", ")} and ${names[names.length - 1]}`;
}

/** The parts in one array: in `stacked`, where they are its parts already, or in a new one. */
function stack(
  parts: readonly Pictures[],
  stacked: Pictures | undefined,
  { batchSize, size: pictureSize }: Expected,
): Pictures {
  const size = batchSize * sizeOf(pictureSize);
  const Type = parts[0] instanceof Uint8Array ? Uint8Array : Float32Array;
  if (!parts.every((p) => p instanceof Type)) {
    throw new TwingradError("BAD_INPUT", "Trainer: pictures are all Uint8Array, or all Float32Array in [0, 1].");
  }
  if (parts.some((p) => p.length !== size)) {
    const shape = [batchSize, ...pictureSize].join(", ");
    const got = parts.map((p) => p.length).join(" and ");
    throw new TwingradError("BAD_INPUT", `Trainer: pictures [${shape}] take ${size} values each; got ${got}.`);
  }
  if (stacked instanceof Type && areParts(parts, stacked)) return stacked;
  const images = new Type(size * parts.length);
  for (const [i, part] of parts.entries()) images.set(part, i * size);
  return images;
}

/**
 * Whether `stacked` consists of these parts, in order. A caller may have put other pictures in the place of one:
 * `{ ...batch, left: blurred }`.
 *
 * That parts are adjacent in one buffer is not enough where the batch has no `stacked`: a decoder or a camera fills its
 * buffer like that and uses it again at once, while steps in flight, and a recovery, still read what they were given.
 */
function areParts(parts: readonly Pictures[], { buffer, byteOffset, byteLength }: Pictures): boolean {
  return (
    byteLength === parts.length * parts[0].byteLength &&
    parts.every((part, i) => part.buffer === buffer && part.byteOffset === byteOffset + i * part.byteLength)
  );
}

function seedsOf(name: string, batch: Record<string, ArrayLike<number> | undefined>, batchSize: number): number[] {
  const part = batch[name];
  const seeds = Array.from(part ?? []);
  if (seeds.length === batchSize && seeds.every((seed) => seed >>> 0 === seed)) return seeds;
  const got = part ? `${seeds.length} values ${seeds.slice(0, 4).join(", ")}` : "none";
  throw new TwingradError("BAD_INPUT", `Trainer: to augment, a batch needs ${name}, ${batchSize} uint32; got ${got}.`);
}

function same(batch: Batch, batchSize: number): Float32Array {
  const { leftLabels, rightLabels } = batch as PairBatch;
  if (leftLabels.length !== batchSize || rightLabels.length !== batchSize) {
    const got = `${leftLabels.length} and ${rightLabels.length}`;
    throw new TwingradError("BAD_INPUT", `Trainer: ${batchSize} pairs take as many labels on each side; got ${got}.`);
  }
  checkLabels(leftLabels);
  checkLabels(rightLabels);
  return Float32Array.from({ length: batchSize }, (_, i) => (leftLabels[i] === rightLabels[i] ? 1 : 0));
}

/** Numbers that a float32 holds exactly, whatever the labels are. */
function identities(batch: Batch, batchSize: number): Float32Array {
  const { labels } = batch as ClassBatch;
  if (labels.length !== batchSize) {
    throw new TwingradError("BAD_INPUT", `Trainer: ${batchSize} pictures take as many labels; got ${labels.length}.`);
  }
  checkLabels(labels);
  const numbers = new Map<number, number>();
  return Float32Array.from(labels, (label) => {
    if (!numbers.has(label)) numbers.set(label, numbers.size);
    return numbers.get(label)!;
  });
}

function live(batch: Batch, batchSize: number): Float32Array {
  const labels = Array.from((batch as LivenessBatch).live);
  if (labels.length === batchSize && labels.every((label) => label === 0 || label === 1)) {
    return Float32Array.from(labels);
  }
  const got = `${labels.length} values ${labels.slice(0, 4).join(", ")}`;
  throw new TwingradError("BAD_INPUT", `Trainer: live has for each of ${batchSize} pictures 0 or 1; got ${got}.`);
}
