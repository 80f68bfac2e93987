import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { batches, classBatches, livenessBatches, tripletBatches } from "../../src/data/batches.ts";
import { type Dataset, labelsOf } from "../../src/data/dataset.ts";
import { DecodedImages } from "../../src/data/decodedImages.ts";
import type { ImageSize } from "../../src/data/imageSize.ts";
import { balancedPairs, perClass, triplets } from "../../src/data/sampling/balanced.ts";
import { filteredPairs } from "../../src/data/sampling/filteredPairs.ts";
import { balancedLiveness } from "../../src/data/sources/livenessDataset.ts";
import { constantPictures, take } from "./stubDataset.ts";

const size = [2, 3, 1] as const;
const labels = labelsOf(constantPictures(4, 5));
const pixelsOf = (pictures: readonly number[]) => pictures.flatMap((picture) => new Array(6).fill(picture));
const identitiesOf = (pictures: readonly number[]) => pictures.map((picture) => labels[picture]);

describe("batches", () => {
  it("hold the pixels and labels of the pairs", async () => {
    const pairs = balancedPairs(labels, { seed: 3 });
    const stream = batches(new DecodedImages(constantPictures(4, 5), size), balancedPairs(labels, { seed: 3 }), {
      batchSize: 4,
    });
    for (let number = 0; number < 3; number++) {
      const { value } = await stream.next();
      const chosen = take(pairs, 4);
      for (const side of ["left", "right"] as const) {
        const pictures = chosen.map((pair) => pair[side]);
        expect(Array.from(value[side])).toEqual(pixelsOf(pictures));
        expect(Array.from(value[`${side}Labels`])).toEqual(identitiesOf(pictures));
      }
      expect(value.epoch).toBe(chosen[3].epoch);
    }
  });

  it("hold triplets, and K pictures of each of P identities", async () => {
    const images = new DecodedImages(constantPictures(4, 5), size);
    const triplet = await tripletBatches(images, triplets(labels, { seed: 1 }), { batchSize: 7 }).next();
    const chosen = take(triplets(labels, { seed: 1 }), 7);
    for (const role of ["anchor", "positive", "negative"] as const) {
      expect(Array.from(triplet.value[role])).toEqual(pixelsOf(chosen.map((triplet) => triplet[role])));
    }
    const options = { seed: 1, identitiesPerBatch: 3, picturesPerIdentity: 4 };
    const { value } = await classBatches(images, perClass(labels, options)).next();
    const [{ pictures }] = take(perClass(labels, options), 1);
    expect(Array.from(value.images)).toEqual(pixelsOf(pictures));
    expect(Array.from(value.labels)).toEqual(identitiesOf(pictures));
  });

  it("concatenate batches that several decoders decode in equal parts", async () => {
    const [one, other] = [constantPictures(4, 5), constantPictures(4, 5)];
    const inverted = other.items.map((item) => ({
      ...item,
      decode: async (wanted: ImageSize) => (await item.decode(wanted)).map((value) => 255 - value),
    }));
    const images = [one, { ...other, items: inverted }].map((dataset) => new DecodedImages(dataset, size));
    const options = { seed: 1, identitiesPerBatch: 2, picturesPerIdentity: 3 };
    const { value } = await classBatches([images[0], images[1]], perClass(labels, options), { together: 4 }).next();
    const whole = await classBatches(images[0], perClass(labels, options), { together: 4 }).next();
    const half = value.images.length / 2;
    const expected = whole.value.images.map((pixel, i) => (i < half ? pixel : 255 - pixel));
    expect(value).toEqual({ ...whole.value, images: expected, stacked: expected });
    expect(() => classBatches(images, perClass(labels, options), { together: 3 })).toThrow(
      /`together` 3: expected a multiple of 2/,
    );
  });

  it("lie in one array per batch, branch by branch, equal to separately stacked branches", async () => {
    const dataset = constantPictures(4, 5);
    const images = new DecodedImages(dataset, size, { maximumBytes: 36 });
    const attacked = { ...dataset, items: dataset.items.map((item, n) => ({ ...item, live: n % 3 === 0 })) };
    const classes = { seed: 1, identitiesPerBatch: 3, picturesPerIdentity: 2 };
    const options = { batchSize: 5, prefetch: 2 };
    const kinds = [
      {
        stream: batches(images, balancedPairs(labels, { seed: 3 }), options),
        fields: ["left", "right"],
        sampler: balancedPairs(labels, { seed: 3 }),
        count: 5,
      },
      {
        stream: tripletBatches(images, triplets(labels, { seed: 3 }), options),
        fields: ["anchor", "positive", "negative"],
        sampler: triplets(labels, { seed: 3 }),
        count: 5,
      },
      {
        stream: classBatches([images, images], perClass(labels, classes), { prefetch: 2, together: 2 }),
        fields: ["images"],
        sampler: perClass(labels, classes),
        count: 2,
      },
      {
        stream: livenessBatches(new DecodedImages(attacked, size), balancedLiveness(attacked, { seed: 3 }), options),
        fields: ["images"],
        sampler: balancedLiveness(attacked, { seed: 3 }),
        count: 5,
      },
    ];
    for (const { stream, fields, sampler, count } of kinds) {
      const buffers = new Set<ArrayBufferLike>();
      for (let number = 0; number < 4; number++) {
        const { value } = await stream.next();
        const { stacked } = value;
        const chosen = take<object>(sampler, count).map((example) => example as Record<string, number | number[]>);
        let place = 0;
        for (const field of fields) {
          const part = (value as unknown as Record<string, Uint8Array>)[field];
          const indices = chosen.flatMap((example) => example[field] ?? example.pictures ?? example.picture);
          expect(Array.from(part)).toEqual(Array.from(await images.stack(indices)));
          expect([part.buffer === stacked.buffer, part.byteOffset]).toEqual([true, place]);
          place += part.byteLength;
        }
        expect([stacked.byteOffset, stacked.byteLength, stacked.buffer.byteLength]).toEqual([0, place, place]);
        buffers.add(stacked.buffer);
      }
      expect(buffers.size).toBe(4); // a batch handed out is not written to for a later one
    }
  });

  it("give each picture its own seed, the same wherever the stream is resumed", async () => {
    const images = new DecodedImages(constantPictures(4, 5), size);
    const all = async (stream: ReturnType<typeof batches>, count: number) => {
      const seeds: number[] = [];
      for (let number = 0; number < count; number++) {
        const { leftSeeds, rightSeeds } = (await stream.next()).value;
        for (let i = 0; i < leftSeeds.length; i++) seeds.push(leftSeeds[i], rightSeeds[i]);
      }
      return seeds;
    };
    const whole = await all(batches(images, balancedPairs(labels, { seed: 1 }), { batchSize: 6 }), 50);
    expect(new Set(whole).size).toBe(600);
    // Another batch size cuts the same stream elsewhere.
    expect(await all(batches(images, balancedPairs(labels, { seed: 1 }), { batchSize: 4 }), 75)).toEqual(whole);
    expect(await all(batches(images, balancedPairs(labels, { seed: 2 }), { batchSize: 6 }), 50)).not.toEqual(whole);

    const three = (await tripletBatches(images, triplets(labels, { seed: 1 }), { batchSize: 9 }).next()).value;
    const classes = (
      await classBatches(images, perClass(labels, { seed: 1, identitiesPerBatch: 2, picturesPerIdentity: 3 })).next()
    ).value;
    for (const seeds of [[...three.anchorSeeds, ...three.positiveSeeds, ...three.negativeSeeds], [...classes.seeds]]) {
      expect(new Set(seeds).size).toBe(seeds.length);
    }
  });

  it("are divided among ranks: each decodes only its share of the batch of one process", async () => {
    const [B, ranks] = [3, 2];
    const datasets = [constantPictures(4, 5), constantPictures(4, 5)];
    const images = new DecodedImages(constantPictures(4, 5), size);
    const whole = batches(images, balancedPairs(labels, { seed: 5 }), { batchSize: B * ranks });
    const shares = [0, 1].map((rank) => {
      const options = { batchSize: B, prefetch: 0, share: { rank, size: ranks } };
      return batches(
        new DecodedImages(datasets[rank], size, { maximumBytes: 0 }),
        balancedPairs(labels, { seed: 5 }),
        options,
      );
    });
    for (let number = 0; number < 4; number++) {
      const { value: all } = await whole.next();
      const parts = await Promise.all(shares.map(async (stream) => (await stream.next()).value));
      for (const side of ["left", "right"] as const) {
        expect(parts.flatMap((part) => [...part[side]])).toEqual([...all[side]]);
        expect(parts.flatMap((part) => [...part[`${side}Labels`]])).toEqual([...all[`${side}Labels`]]);
        expect(parts.flatMap((part) => [...part[`${side}Seeds`]])).toEqual([...all[`${side}Seeds`]]);
      }
      expect(parts.map(({ epoch }) => epoch)).toEqual([all.epoch, all.epoch]);
      for (const stream of shares) expect(stream.state()).toEqual(whole.state());
    }
    for (const { decoded } of datasets) expect(decoded.length).toBeLessThanOrEqual(4 * 2 * B);
    const options = { batchSize: B, share: { rank: 2, size: 2 } };
    expect(() => batches(images, balancedPairs(labels, { seed: 5 }), options)).toThrow("rank 2 of 2");
  });

  it("continue from a state, whatever was prefetched when it was saved", async () => {
    const keep = { sameProbability: 0.9, differentProbability: 0.2, seed: 8, shuffleBuffer: 7 };
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: 12 }), fc.nat({ max: 5 }), fc.nat({ max: 5 }), async (before, prefetch, later) => {
        const start = (ahead: number) =>
          batches(new DecodedImages(constantPictures(4, 5), size), filteredPairs(labels, keep), {
            batchSize: 3,
            prefetch: ahead,
          });
        const whole = start(prefetch);
        for (let number = 0; number < before; number++) await whole.next();
        const state = JSON.parse(JSON.stringify(whole.state()));
        const onward = [];
        for (let number = 0; number < 4; number++) onward.push((await whole.next()).value);

        const other = start(later);
        other.restore(state);
        for (const expected of onward) expect((await other.next()).value).toEqual(expected);
        // The stream that is ahead is restored.
        whole.restore(state);
        for (const expected of onward) expect((await whole.next()).value).toEqual(expected);
      }),
    );
  });

  it("decode ahead by exactly the given number of batches", async () => {
    const dataset = constantPictures(4, 5);
    const images = new DecodedImages(dataset, size, { maximumBytes: 0 });
    const pairs = balancedPairs(labels, { seed: 1 });
    const stream = batches(images, pairs, { batchSize: 2, prefetch: 3 });
    await settled();
    expect(pairs.drawn).toBe(0);
    for (const drawn of [8, 10, 12]) {
      await stream.next();
      await settled();
      expect(pairs.drawn).toBe(drawn);
      expect(images.kept).toBe(0);
    }
  });

  it("are the same when begin() starts their decoding early", async () => {
    const pairs = balancedPairs(labels, { seed: 1 });
    const stream = batches(new DecodedImages(constantPictures(4, 5), size), pairs, { batchSize: 2, prefetch: 3 });
    const before = stream.state();
    stream.begin();
    expect(pairs.drawn).toBe(6);
    expect(stream.state()).toEqual(before);
    const chosen = take(balancedPairs(labels, { seed: 1 }), 2);
    expect(Array.from((await stream.next()).value.left)).toEqual(pixelsOf(chosen.map((pair) => pair.left)));
    expect(pairs.drawn).toBe(8);
  });

  it("come in order, however long each picture takes to decode", async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.nat({ max: 4 }), fc.integer({ min: 1, max: 5 }), async (s, prefetch, at) => {
        const dataset = constantPictures(4, 5);
        const items = dataset.items.map((item) => ({ ...item, decode: s.scheduleFunction(item.decode) }));
        const images = new DecodedImages({ ...dataset, items }, size, { concurrency: at, maximumBytes: 36 });
        const stream = batches(images, balancedPairs(labels, { seed: 4 }), { batchSize: 2, prefetch });
        const results = [1, 2, 3, 4].map(() => stream.next());
        const [values] = await Promise.all([Promise.all(results), s.waitFor(Promise.all(results))]);
        const chosen = take(balancedPairs(labels, { seed: 4 }), 8);
        expect(values.flatMap(({ value }) => Array.from(value.left))).toEqual(pixelsOf(chosen.map((p) => p.left)));
      }),
    );
  });

  it("name an undecodable picture in its turn, lose nothing, and retry on the next call", async () => {
    const dataset = constantPictures(4, 5);
    const chosen = take(balancedPairs(labels, { seed: 1 }), 8);
    // The first picture that the third batch is the first to show.
    const bad = chosen.slice(4, 6).flatMap(({ left, right }) => [left, right]);
    const earlier = new Set(chosen.slice(0, 4).flatMap(({ left, right }) => [left, right]));
    const index = bad.find((picture) => !earlier.has(picture))!;
    let broken = true;
    const items = dataset.items.map((item, position) => ({
      ...item,
      decode: (wanted: typeof size) =>
        broken && position === index ? Promise.reject(new Error(`${item.name}: truncated`)) : item.decode(wanted),
    })) as Dataset["items"];
    const stream = batches(new DecodedImages({ ...dataset, items }, size), balancedPairs(labels, { seed: 1 }), {
      batchSize: 2,
    });
    await stream.next();
    await stream.next();
    const before = stream.state();
    await expect(stream.next()).rejects.toThrow(`picture ${index}: truncated`);
    await expect(stream.next()).rejects.toThrow(`picture ${index}: truncated`);
    expect(stream.state()).toEqual(before);
    broken = false;
    const { value } = await stream.next();
    expect(Array.from(value.left)).toEqual(pixelsOf([chosen[4].left, chosen[5].left]));
  });

  it.each([
    [{ batchSize: 0 }, /batch size 0: expected .* at least 1/],
    [{ batchSize: 1.5 }, /batch size 1.5/],
    [{ batchSize: 1, prefetch: -1 }, /`prefetch` -1/],
  ])("refuse %j", (options, reason) => {
    const images = new DecodedImages(constantPictures(4, 5), size);
    expect(() => batches(images, balancedPairs(labels, { seed: 1 }), options)).toThrow(reason);
  });
});

/** Waits until all pending promises have settled. */
const settled = () => new Promise((done) => setTimeout(done, 5));
