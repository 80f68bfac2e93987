import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Dataset } from "../../src/data/dataset.ts";
import { DecodedImages } from "../../src/data/decodedImages.ts";
import type { ImageSize } from "../../src/data/imageSize.ts";
import { constantPictures } from "./stubDataset.ts";

const size = [2, 3, 1] as const;
const lone = (decode: (size: ImageSize) => Promise<Uint8Array>): Dataset => ({
  identities: ["a"],
  items: [{ identity: 0, name: "a/1.png", decode }],
});

describe("DecodedImages", () => {
  it("decodes each picture once while it is cached, and retries a failed one", async () => {
    const dataset = constantPictures(1, 3);
    const images = new DecodedImages(dataset, size);
    await images.stack([0, 1, 0, 2]);
    expect(Array.from(await images.stack([2, 1, 0]))).toEqual([2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0]);
    expect(dataset.decoded).toEqual([0, 1, 2]);
    expect(images.counts).toEqual({ decoded: 3, found: 4 });

    let calls = 0;
    const flaky = new DecodedImages(
      lone(() => (calls++ === 0 ? Promise.reject(new Error("disk")) : Promise.resolve(new Uint8Array(6)))),
      size,
    );
    await expect(flaky.get(0)).rejects.toThrow("disk");
    await expect(flaky.get(0)).resolves.toHaveLength(6);
  });

  it("stacks into a part of an array, where it is given one", async () => {
    const images = new DecodedImages(constantPictures(1, 3), size);
    const whole = new Uint8Array(4 * 6).fill(9);
    const part = whole.subarray(6, 18);
    expect(await images.stack([2, 1], part)).toBe(part);
    expect(Array.from({ length: 4 }, (_, n) => [...new Set(whole.subarray(n * 6, (n + 1) * 6))])).toEqual([
      [9],
      [2],
      [1],
      [9],
    ]);
  });

  it("keeps the most recently used pictures within the given bytes", async () => {
    const dataset = constantPictures(1, 4);
    const images = new DecodedImages(dataset, size, { maximumBytes: 12 });
    for (const index of [0, 1, 0, 2, 0, 1]) await images.get(index);
    expect(dataset.decoded).toEqual([0, 1, 2, 1]);
    expect(images.kept).toBe(2);
  });

  it("decodes every requested picture once, with bounded concurrency, in any order of completion", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.integer({ min: 1, max: 4 }),
        fc.nat({ max: 30 }),
        fc.array(fc.nat({ max: 11 }), { minLength: 1, maxLength: 40 }),
        async (s, concurrency, maximumBytes, asked) => {
          const dataset = constantPictures(3, 4);
          let running = 0;
          let most = 0;
          const items = dataset.items.map((item, index) => ({
            ...item,
            decode: async (wanted: ImageSize) => {
              most = Math.max(most, ++running);
              await s.schedule(Promise.resolve());
              running--;
              // One picture cannot be decoded; the others must arrive nonetheless.
              if (index === 7) throw new Error("picture 7");
              return item.decode(wanted);
            },
          }));
          const images = new DecodedImages({ ...dataset, items }, size, { concurrency, maximumBytes });
          const results = Promise.allSettled(asked.map((index) => images.get(index)));
          await s.waitFor(results);
          for (const [position, result] of (await results).entries()) {
            if (asked[position] === 7)
              expect(result).toMatchObject({ status: "rejected", reason: { message: "picture 7" } });
            else expect(result).toMatchObject({ status: "fulfilled", value: new Uint8Array(6).fill(asked[position]) });
          }
          expect(most).toBeLessThanOrEqual(concurrency);
          expect(running).toBe(0);
          expect(images.kept * 6).toBeLessThanOrEqual(maximumBytes);
          // Concurrent requests decode no picture twice, even without a cache.
          expect(new Set(dataset.decoded).size).toBe(dataset.decoded.length);
        },
      ),
    );
  });

  it("names a picture that is decoded to the wrong size", async () => {
    const images = new DecodedImages(
      lone(async () => new Uint8Array(5)),
      size,
    );
    await expect(images.stack([0])).rejects.toThrow("a/1.png: the decoder returned 5 values; expected 2 x 3 x 1");
  });

  it.each([{ maximumBytes: -1 }, { maximumBytes: Number.NaN }, { concurrency: 0 }, { concurrency: 1.5 }])(
    "refuses %j",
    (options) => {
      expect(() => new DecodedImages(constantPictures(1, 1), size, options)).toThrow(/at least/);
    },
  );
});
