// The inputs of a training step: the program's inputs from a batch, and the checks of the batch.
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

/** The fields of a batch of one kind that a training step takes besides the pictures. */
interface Fields {
  readonly seeds: readonly string[];
  /** The fields that `target` is computed from. */
  readonly labels: readonly string[];
  /** The program's input besides the pictures: the target of the loss. */
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
  /** The fields with pictures: see `branches`. */
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
 * The inputs of a step: the branches' pictures in one array, the target from the labels, and each picture's changes
 * from its seed. They are copies, so that the batch's arrays may be reused immediately; only `stacked` is taken as it
 * is.
 * @throws BAD_INPUT that names the invalid field.
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

/** The parts in one array: `stacked`, if they are its parts already, or a new one. */
function stack(
  parts: readonly Pictures[],
  stacked: Pictures | undefined,
  { batchSize, size: pictureSize }: Expected,
): Pictures {
  const size = batchSize * sizeOf(pictureSize);
  const Type = parts[0] instanceof Uint8Array ? Uint8Array : Float32Array;
  if (!parts.every((p) => p instanceof Type)) {
    throw new TwingradError(
      "BAD_INPUT",
      "Trainer: pictures of different types; expected all Uint8Array, or all Float32Array in [0, 1].",
    );
  }
  if (parts.some((p) => p.length !== size)) {
    const shape = [batchSize, ...pictureSize].join(", ");
    const got = parts.map((p) => p.length).join(" and ");
    throw new TwingradError("BAD_INPUT", `Trainer: expected ${size} values for pictures [${shape}]; got ${got}.`);
  }
  if (stacked instanceof Type && areParts(parts, stacked)) return stacked;
  const images = new Type(size * parts.length);
  for (const [i, part] of parts.entries()) images.set(part, i * size);
  return images;
}

/**
 * Whether `stacked` consists of these parts, in order. A caller may have replaced one: `{ ...batch, left: blurred }`.
 *
 * Without `stacked`, adjacent parts in one buffer are copied: a decoder or a camera may reuse its buffer immediately,
 * while steps in flight, and a recovery, still read the batch.
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
  throw new TwingradError("BAD_INPUT", `Trainer: augmentation requires ${name} with ${batchSize} uint32; got ${got}.`);
}

function same(batch: Batch, batchSize: number): Float32Array {
  const { leftLabels, rightLabels } = batch as PairBatch;
  if (leftLabels.length !== batchSize || rightLabels.length !== batchSize) {
    const got = `${leftLabels.length} and ${rightLabels.length}`;
    throw new TwingradError("BAD_INPUT", `Trainer: expected ${batchSize} labels on each side; got ${got}.`);
  }
  checkLabels(leftLabels);
  checkLabels(rightLabels);
  return Float32Array.from({ length: batchSize }, (_, i) => (leftLabels[i] === rightLabels[i] ? 1 : 0));
}

/** Consecutive numbers, which float32 represents exactly, whatever the labels are. */
function identities(batch: Batch, batchSize: number): Float32Array {
  const { labels } = batch as ClassBatch;
  if (labels.length !== batchSize) {
    throw new TwingradError("BAD_INPUT", `Trainer: expected ${batchSize} labels; got ${labels.length}.`);
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
  throw new TwingradError(
    "BAD_INPUT",
    `Trainer: expected 0 or 1 in live for each of ${batchSize} pictures; got ${got}.`,
  );
}
