// What a training step is given: pictures, who or what is on them, and the checks that they fit.
import { TwingradError } from "../errors.ts";
import type { InputDtype, Pictures } from "../model/pictures.ts";
import type { NetworkTask } from "../nn/network.ts";
import { sizeOf } from "../tape/tensor.ts";
import type { Augmenter } from "./augmenter.ts";
import { comparesAll } from "./loss.ts";

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

export interface LivenessBatch {
  readonly images: Pictures;
  /** 1 for a live person, 0 for a picture of one. */
  readonly live: ArrayLike<number>;
  /** As in `PairBatch`. */
  readonly seeds?: ArrayLike<number>;
}

/** For losses that compare all pictures of a batch: some pictures of each of some people. */
export interface ClassBatch {
  readonly images: Pictures;
  /** As in `PairBatch`. */
  readonly labels: ArrayLike<number>;
  readonly seeds?: ArrayLike<number>;
}

export type Batch = PairBatch | TripletBatch | LivenessBatch | ClassBatch;

/** What batches of one kind consist of. */
export interface BatchKind {
  /** The stacks of pictures: each is a branch of the tower, with batch statistics of its own. */
  readonly branches: readonly string[];
  readonly seeds: readonly string[];
  /** What `targets` is made of. */
  readonly labels: readonly string[];
  /** The program's input beside the pictures: what the loss compares the network's answers with. */
  readonly target?: { readonly name: string; of(batch: Batch, batchSize: number): Float32Array };
}

const kinds = {
  pairs: {
    branches: ["left", "right"],
    seeds: ["leftSeeds", "rightSeeds"],
    labels: ["leftLabels", "rightLabels"],
    target: { name: "same", of: same },
  },
  triplets: {
    branches: ["anchor", "positive", "negative"],
    seeds: ["anchorSeeds", "positiveSeeds", "negativeSeeds"],
    labels: [],
  },
  classes: { branches: ["images"], seeds: ["seeds"], labels: ["labels"], target: { name: "labels", of: people } },
  liveness: { branches: ["images"], seeds: ["seeds"], labels: ["live"], target: { name: "live", of: live } },
} satisfies Record<string, BatchKind>;

interface Learnt {
  readonly task: NetworkTask;
  readonly loss: string;
  readonly mining?: string;
}

export function batchKind(learnt: Learnt): BatchKind {
  if (learnt.task === "liveness") return kinds.liveness;
  if (comparesAll(learnt)) return kinds.classes;
  return learnt.loss === "triplet" ? kinds.triplets : kinds.pairs;
}

interface Expected extends Learnt {
  readonly batchSize: number;
  /** Height, width, channels. */
  readonly size: readonly [number, number, number];
  readonly augmenter: Augmenter | undefined;
}

/**
 * Stacks a batch's branches in one array of its own, turns labels into targets and seeds into each picture's changes.
 * @throws BAD_INPUT that says what does not fit.
 */
export function feed(batch: Batch, expected: Expected): { dtype: InputDtype; inputs: Record<string, Pictures> } {
  const { task, loss, mining = "none", batchSize, augmenter } = expected;
  const { branches, seeds, labels, target } = batchKind(expected);
  const given = batch as unknown as Record<string, Pictures | undefined>;
  if ([...branches, ...labels].some((name) => given[name] === undefined)) {
    const wanted = inWords([...branches, ...labels]);
    const mined = mining === "none" ? "" : ` with ${mining} mining`;
    const who = task === "liveness" ? "a liveness network" : `the ${loss} loss${mined}`;
    throw new TwingradError("BAD_INPUT", `Trainer: ${who} takes batches of ${wanted}.`);
  }
  const images = stack(
    branches.map((name) => given[name]!),
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
  return Float32Array.from({ length: batchSize }, (_, i) => (leftLabels[i] === rightLabels[i] ? 1 : 0));
}

/** Numbers that a float32 holds exactly, whatever the labels are. */
function people(batch: Batch, batchSize: number): Float32Array {
  const { labels } = batch as ClassBatch;
  if (labels.length !== batchSize) {
    throw new TwingradError("BAD_INPUT", `Trainer: ${batchSize} pictures take as many labels; got ${labels.length}.`);
  }
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
