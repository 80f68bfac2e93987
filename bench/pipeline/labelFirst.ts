// The gain of filtering by labels before decoding over the article's order, which decodes every candidate and discards
// most: both orders over the same candidates, the same decoder, the same number of pictures at a time.
import sharp from "sharp";
import type { Dataset } from "../../src/data/dataset.ts";
import { labelsOf } from "../../src/data/dataset.ts";
import { DecodedImages } from "../../src/data/decodedImages.ts";
import { Prefetch } from "../../src/data/prefetch.ts";
import { Random, streams } from "../../src/data/random.ts";
import { expectedPairs } from "../../src/data/sampling/expectedPairs.ts";
import { filteredPairs, type Pair } from "../../src/data/sampling/filteredPairs.ts";
import { decodePicture } from "../../src/node/files/images.ts";
import { median } from "../median.ts";

const people = 950;
const picturesEach = 2;
const side = 112;
const keep = { sameProbability: 0.95, differentProbability: 0.001 };
const seed = 1;
/** Pairs that are decoded together, and the number of such groups ahead. */
const together = 16;
const ahead = 2;
/** Passes of our order, which decodes little: one would be too short to time. */
const passes = 40;

export interface LabelFirst {
  readonly people: number;
  readonly pictures: number;
  readonly keep: typeof keep;
  readonly ours: Order;
  readonly decodeFirst: Order;
  /** Median over the rounds of the time per pass of the article's order divided by ours. */
  readonly ratio: number;
}

interface Order {
  /** Kept pairs a second. */
  readonly pairsPerSecond: number;
  readonly decodesPerPair: number;
}

export async function measureLabelFirst(rounds: number): Promise<LabelFirst> {
  const dataset = await drawnPeople();
  const labels = labelsOf(dataset);
  const { same, different } = expectedPairs(labels, keep);
  const perPass = same + different;
  const ours: Timed[] = [];
  const theirs: Timed[] = [];
  for (let round = 0; round < rounds; round++) {
    ours.push(await labelsFirst(dataset));
    theirs.push(await decodeFirst(dataset));
    // Both orders must keep the same pairs, or their times are not comparable.
    const first = ours[round].pairs.filter(({ epoch }) => epoch === 0);
    if (JSON.stringify(first) !== JSON.stringify(theirs[round].pairs)) {
      throw new Error("the two orders kept different pairs of the same candidates");
    }
  }
  const order = (timed: Timed[]): Order => ({
    pairsPerSecond: perPass / median(timed.map(({ secondsPerPass }) => secondsPerPass)),
    decodesPerPair: timed[0].decodes / timed[0].pairs.length,
  });
  return {
    people,
    pictures: labels.length,
    keep,
    ours: order(ours),
    decodeFirst: order(theirs),
    ratio: median(theirs.map(({ secondsPerPass }, round) => secondsPerPass / ours[round].secondsPerPass)),
  };
}

interface Timed {
  secondsPerPass: number;
  decodes: number;
  pairs: Pair[];
}

/** Pairs kept by their labels, then decoded. */
async function labelsFirst(dataset: Dataset): Promise<Timed> {
  const images = decoder(dataset);
  const kept = filteredPairs(labelsOf(dataset), { ...keep, seed });
  const pairs: Pair[] = [];
  const begun = performance.now();
  const groups = new Prefetch(async () => {
    const group = Array.from({ length: together }, () => kept.next().value);
    await decodeAll(images, group);
    return group;
  }, ahead);
  while (pairs.length === 0 || pairs[pairs.length - 1].epoch < passes) pairs.push(...(await groups.take()));
  return { secondsPerPass: (performance.now() - begun) / 1000 / passes, decodes: images.counts.decoded, pairs };
}

/** The article's order: decodes every candidate of one pass, then filters. */
async function decodeFirst(dataset: Dataset): Promise<Timed> {
  const images = decoder(dataset);
  const labels = labelsOf(dataset);
  const candidates = filteredPairs(labels, { sameProbability: 1, differentProbability: 1, seed });
  const filter = new Random(seed, streams.filter, 0);
  const pairs: Pair[] = [];
  const begun = performance.now();
  let drawn = 0;
  const groups = new Prefetch(async () => {
    const count = Math.min(together, labels.length - drawn);
    drawn += count;
    const group = Array.from({ length: count }, () => candidates.next().value);
    await decodeAll(images, group);
    return group;
  }, ahead);
  for (let done = 0; done < labels.length; ) {
    const group = await groups.take();
    done += group.length;
    pairs.push(
      ...group.filter(({ left, right }) => {
        const chance = labels[left] === labels[right] ? keep.sameProbability : keep.differentProbability;
        return filter.uniform() < chance;
      }),
    );
  }
  return { secondsPerPass: (performance.now() - begun) / 1000, decodes: images.counts.decoded, pairs };
}

/** No cache: with a data set that fits into it, it would hide unnecessary decoding. */
const decoder = (dataset: Dataset) => new DecodedImages(dataset, [56, 56, 3], { maximumBytes: 0 });

async function decodeAll(images: DecodedImages, pairs: readonly Pair[]): Promise<void> {
  await Promise.all(pairs.flatMap(({ left, right }) => [images.get(left), images.get(right)]));
}

/** JPEGs of smooth random pictures in memory, which decode as slowly as a camera's. */
async function drawnPeople(): Promise<Dataset> {
  const items = [];
  for (let index = 0; index < people * picturesEach; index++) {
    const random = new Random(seed, streams.noise, index);
    const coarse = Uint8Array.from({ length: 8 * 8 * 3 }, () => random.integer(256));
    const jpeg = await sharp(coarse, { raw: { width: 8, height: 8, channels: 3 } })
      .resize(side, side, { kernel: "cubic" })
      .jpeg({ quality: 90 })
      .toBuffer();
    items.push({
      identity: Math.floor(index / picturesEach),
      name: `picture ${index}`,
      decode: (size: Parameters<Dataset["items"][number]["decode"]>[0]) => decodePicture(jpeg, size),
    });
  }
  return { identities: Array.from({ length: people }, (_, person) => `person ${person}`), items };
}
