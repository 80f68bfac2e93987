// Alignment: each part against its formula, and misaligned drawn faces that must be aligned.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { aligned, alignedDataset, fitAlignment } from "../../../src/data/alignment/alignment.ts";
import { type Alignment, isAlignment } from "../../../src/data/alignment/alignmentForm.ts";
import { edgeMap } from "../../../src/data/alignment/edgeMap.ts";
import { type Placement, placed } from "../../../src/data/alignment/placement.ts";
import type { ImageSize } from "../../../src/data/imageSize.ts";
import { uniform } from "../../random.ts";
import { ndarray } from "../../reference/ndarray.ts";
import { orientedGradients } from "../../reference/ops/images/orientedGradients.ts";
import { standardize } from "../../reference/ops/images/standardize.ts";

const noise = (length: number, seed: number) => Float64Array.from({ length }, uniform(seed));

describe("edgeMap", () => {
  it("matches the operation's formula on a standardized picture", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 9 }), fc.nat(), (rows, columns, seed) => {
        const [height, width] = [2 * rows, 2 * columns];
        const gray = noise(height * width, seed);
        const x = standardize({ x: ndarray([1, height, width, 1], gray) }, { epsilon: 1e-5 });
        const { data } = orientedGradients({ x });
        const found = edgeMap(gray, height, width);
        for (let cell = 0; cell < rows * columns; cell++) {
          for (let b = 0; b < 8; b++) expect(found[cell * 8 + b]).toBeCloseTo(data[cell * 9 + b], 5);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe("placed", () => {
  /** The formula, pixel by pixel. */
  function expected(
    pixels: ArrayLike<number>,
    [H, W, C]: ImageSize,
    place: Placement,
    [rows, columns]: [number, number],
  ) {
    const inside = (i: number, n: number) => Math.min(Math.max(i, 0), n - 1);
    const pixel = (i: number, j: number, c: number) => pixels[(inside(i, H) * W + inside(j, W)) * C + c];
    const [down, across] = [Math.max(1, Math.round(H / rows)), Math.max(1, Math.round(W / columns))];
    const result: number[] = [];
    for (let row = 0; row < rows; row++) {
      for (let column = 0; column < columns; column++) {
        for (let c = 0; c < C; c++) {
          let mean = 0;
          for (let i = 0; i < down; i++) {
            for (let j = 0; j < across; j++) {
              const shareY = (row + (i + 0.5) / down) / rows - 0.5;
              const shareX = (column + (j + 0.5) / across) / columns - 0.5;
              const y = ((shareY - place.y) / place.scale + 0.5) * H - 0.5;
              const x = ((shareX - place.x) / place.scale + 0.5) * W - 0.5;
              const [top, left] = [Math.floor(y), Math.floor(x)];
              const line = (k: number) => pixel(k, left, c) * (left + 1 - x) + pixel(k, left + 1, c) * (x - left);
              mean += (line(top) * (top + 1 - y) + line(top + 1) * (y - top)) / (down * across);
            }
          }
          result.push(mean);
        }
      }
    }
    return result;
  }

  it("matches the formula for any size and placement", () => {
    const side = fc.integer({ min: 1, max: 12 });
    const share = fc.double({ min: -0.5, max: 0.5, noNaN: true });
    const places = fc.record({ scale: fc.double({ min: 0.5, max: 2, noNaN: true }), y: share, x: share });
    const channels = fc.constantFrom(1, 3);
    fc.assert(
      fc.property(
        side,
        side,
        channels,
        places,
        side,
        side,
        fc.nat(),
        (height, width, count, place, rows, columns, seed) => {
          const pixels = noise(height * width * count, seed);
          const found = placed(pixels, [height, width, count], place, [rows, columns]);
          const wanted = expected(pixels, [height, width, count], place, [rows, columns]);
          expect(found).toHaveLength(wanted.length);
          for (const [i, value] of wanted.entries()) expect(found[i]).toBeCloseTo(value, 5);
        },
      ),
    );
  });

  it("matches hand-computed cases: translated by a pixel, scaled by two, resized to half", () => {
    const row = [0, 4, 8, 12];
    const one = (place: Partial<Placement>, columns: number) =>
      Array.from(placed(row, [1, 4, 1], { scale: 1, y: 0, x: 0, ...place }, [1, columns]));
    expect(one({}, 4)).toEqual(row);
    expect(one({ x: 0.25 }, 4)).toEqual([0, 0, 4, 8]);
    expect(one({ scale: 2 }, 4)).toEqual([3, 5, 7, 9]);
    expect(one({}, 2)).toEqual([2, 10]);
  });
});

const size: ImageSize = [56, 46, 1];

/** A drawn face with an asymmetric nose, scaled, and translated by shares of the sides. */
function face({ scale, y, x }: Placement, [height, width, channels]: ImageSize = size, contrast = 1): Uint8Array {
  const soft = (distance: number) => 1 / (1 + Math.exp(40 * distance));
  const spot = (v: number, u: number, cy: number, cx: number, ry: number, rx: number) =>
    soft(Math.hypot((v - cy) / ry, (u - cx) / rx) * Math.min(ry, rx) - Math.min(ry, rx));
  return Uint8Array.from({ length: height * width * channels }, (_, i) => {
    const pixel = Math.floor(i / channels);
    const v = ((Math.floor(pixel / width) + 0.5) / height - 0.5 - y) / scale;
    const u = ((pixel % width) + 0.5) / width - 0.5 - x;
    const w = u / scale;
    const dark = spot(v, w, -0.1, -0.15, 0.03, 0.07) + spot(v, w, -0.1, 0.15, 0.03, 0.07);
    const brows = spot(v, w, -0.19, -0.16, 0.015, 0.1) + spot(v, w, -0.19, 0.16, 0.015, 0.1);
    const rest = spot(v, w, 0.04, 0.03, 0.05, 0.02) + spot(v, w, 0.2, 0, 0.02, 0.12);
    const light = 0.2 + 0.6 * spot(v, w, 0, 0, 0.42, 0.36) - 0.4 * (dark + brows + rest);
    return 255 * Math.min(1, Math.max(0, 0.5 + contrast * (light - 0.5)));
  });
}

const stack = (pictures: readonly Uint8Array[]) => Uint8Array.from(pictures.flatMap((picture) => [...picture]));
const difference = (a: ArrayLike<number>, b: ArrayLike<number>) =>
  Array.from(a).reduce((sum, value, i) => sum + Math.abs(value - b[i]), 0) / a.length;
const still: Placement = { scale: 1, y: 0, x: 0 };
const fitted = (given: ImageSize = size) => fitAlignment(face(still, given), given);

describe("aligned", () => {
  it.each<[string, Placement]>([
    ["too far down", { scale: 1, y: 2 / 28, x: 0 }],
    ["too far to the left", { scale: 1, y: 0, x: -2 / 23 }],
    ["too far up and to the right", { scale: 1, y: -1 / 28, x: 3 / 23 }],
    ["too large", { scale: 1.14, y: 0, x: 0 }],
    ["too small, and out of place", { scale: 0.88, y: 1 / 28, x: 1 / 23 }],
  ])("aligns a face that is %s", (_, place) => {
    const before = face(place);
    const after = aligned(fitted(), before, size);
    expect(difference(after, face(still))).toBeLessThan(0.5 * difference(before, face(still)));
  });

  it("leaves an aligned face unchanged, and a picture without edges", () => {
    expect(aligned(fitted(), face(still), size)).toEqual(face(still));
    const even = new Uint8Array(56 * 46).fill(90);
    expect(aligned(fitted(), even, size)).toEqual(even);
  });

  it("depends on edges, not on brightness: a darker face gets the same placement", () => {
    const place = { scale: 1, y: 2 / 28, x: 0 };
    const faint = aligned(fitted(), face(place, size, 0.4), size);
    expect(difference(faint, face(still, size, 0.4))).toBeLessThan(3);
  });

  it("accepts several pictures, color, float32 and larger ones, and rejects another aspect ratio", () => {
    const large: ImageSize = [112, 92, 3];
    const places = [still, { scale: 1, y: 2 / 28, x: 0 }, { scale: 1.14, y: 0, x: 0 }];
    const bytes = stack(places.map((place) => face(place, large)));
    const alignment = fitted(large);
    const found = aligned(alignment, bytes, large);
    const floats = aligned(
      alignment,
      Float32Array.from(bytes, (value) => value / 255),
      large,
    );
    expect(
      difference(
        Array.from(floats, (value) => 255 * value),
        found,
      ),
    ).toBeLessThan(0.5);
    const length = found.length / 3;
    for (let n = 0; n < 3; n++) {
      const one = found.subarray(n * length, (n + 1) * length);
      expect(difference(one, face(still, large))).toBeLessThan(6);
      expect(aligned(alignment, bytes.subarray(n * length, (n + 1) * length), large)).toEqual(one);
    }
    expect(() => aligned(alignment, bytes, [92, 112, 3])).toThrow(
      /picture size 112 x 92: .* fitted to the aspect ratio 23:28/,
    );
    expect(() => aligned(alignment, bytes.subarray(1), large)).toThrow(/not a multiple .*; expected \[N, 112, 92, 3\]/);
  });
});

describe("fitAlignment", () => {
  it("fits a template to misaligned pictures that is sharper than their mean", () => {
    const random = uniform(7);
    const share = (cells: number) => (Math.round(6 * random() - 3) / cells) as number;
    const places = Array.from({ length: 24 }, () => ({ scale: 0.9 + 0.2 * random(), y: share(28), x: share(23) }));
    const pictures = places.map((place) => face(place));
    const alignment = fitAlignment(stack(pictures), size);
    const found = aligned(alignment, stack(pictures), size);
    const length = 56 * 46;
    const apart = (all: Uint8Array) => {
      const mean = new Float64Array(length);
      for (const [i, value] of all.entries()) mean[i % length] += value / places.length;
      return all.reduce((sum, value, i) => sum + (value - mean[i % length]) ** 2, 0) / all.length;
    };
    expect(apart(found)).toBeLessThan(0.4 * apart(stack(pictures)));
  });

  it("treats a face and its mirror image alike", () => {
    const turned = face(still).map((_, i, all) => all[i - (i % 46) + 45 - (i % 46)]);
    const [a, b] = [fitted(), fitAlignment(turned, size)];
    for (const [t, value] of a.template.entries()) expect(Math.abs(value - b.template[t])).toBeLessThanOrEqual(1);
  });

  it("rejects pictures without edges", () => {
    expect(() => fitAlignment(new Uint8Array(2 * 56 * 46).fill(7), size)).toThrow(/2 pictures show no edges/);
  });
});

describe("isAlignment", () => {
  const good = fitted();
  it("accepts a fitted alignment, also from a file", () => {
    expect(isAlignment(good)).toBe(true);
    expect(isAlignment(JSON.parse(JSON.stringify(good)))).toBe(true);
  });

  it.each<[string, unknown]>([
    ["nothing", undefined],
    ["rows that do not fit", { ...good, rows: 27 }],
    ["invalid sides", { ...good, rows: 2.5 }],
    ["no list", { ...good, template: "edges" }],
    ["numbers beyond their range", { ...good, template: good.template.map((v, i) => (i === 3 ? 128 : v)) }],
    ["fractions", { ...good, template: good.template.map((v, i) => (i === 3 ? 0.5 : v)) }],
    ["a template of nothing", { ...good, template: good.template.map(() => 0) } satisfies Alignment],
  ])("refuses %s", (_, value) => {
    expect(isAlignment(value)).toBe(false);
  });
});

describe("alignedDataset", () => {
  it("aligns each picture as it is decoded, and keeps the identities", async () => {
    const moved = face({ scale: 1, y: 2 / 28, x: 0 });
    const item = { identity: 0, name: "one", pixels: moved, decode: async (_: ImageSize) => moved };
    const { identities, items } = alignedDataset({ identities: ["somebody"], items: [item] }, fitted());
    expect(identities).toEqual(["somebody"]);
    expect(items[0]).toMatchObject({ identity: 0, name: "one", pixels: moved });
    expect(await items[0].decode(size)).toEqual(aligned(fitted(), moved, size));
    expect(await item.decode(size)).toBe(moved); // the original is as it was
  });
});
