// The parameters drawn for a picture, and their conversion for the kernels, on the host.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type Augmentation,
  changeOf,
  drawAugmentation,
  partOf,
  transformOf,
} from "../../../src/data/augmentation/drawAugmentation.ts";
import { type AugmentationRanges, augmentationPresets, resolveRanges } from "../../../src/data/augmentation/ranges.ts";

const draws = (ranges: AugmentationRanges, count: number, seed = 1): Augmentation[] => {
  const resolved = resolveRanges(ranges);
  return Array.from({ length: count }, (_, id) => drawAugmentation(resolved, seed, id));
};

const none = draws({}, 1)[0];

describe("resolveRanges", () => {
  it("expands one number by its kind, and keeps low and high as given", () => {
    expect(resolveRanges({ rotation: 8, scale: 0.25, blur: 2, noise: [0.1, 0.2] })).toMatchObject({
      rotation: [-8, 8],
      scale: [0.75, 1.25],
      blur: [0, 2],
      noise: [0.1, 0.2],
      contrast: [1, 1],
      flip: 0,
      gamma: [1, 1],
      erasing: { probability: 0 },
    });
    expect(resolveRanges({ gamma: 0.25, gain: 1, whiteBalance: [0.5, 2] })).toMatchObject({
      gamma: [0.8, 1.25],
      gain: [0.5, 2],
      whiteBalance: [0.5, 2],
    });
    expect(resolveRanges({ erasing: { probability: 1, area: 0.5, aspect: 2 } }).erasing).toEqual({
      probability: 1,
      area: [0, 0.5],
      aspect: [0.5, 2],
    });
  });

  it.each(Object.entries(augmentationPresets))("accepts the preset %s", (_, ranges) => {
    expect(() => resolveRanges(ranges)).not.toThrow();
  });

  it.each<[unknown, RegExp]>([
    [{ rotaton: 3 }, /Unknown key "rotaton" .* expected any of crop, scale, rotation/],
    [{ rotation: "3" }, /Invalid rotation "3": expected a number or \[low, high\] within -180 to 180/],
    [{ rotation: -3 }, /Invalid rotation -3/], // would be from 3 to -3
    [{ blur: [1, 0.5] }, /blur \[1,0.5\]/],
    [{ scale: 1 }, /scale 1: .* within 0.1 to 10/], // would shrink to nothing
    [{ crop: [0, 1] }, /crop .* within 0 to 0.9/],
    [{ noise: Number.NaN }, /noise/],
    [{ flip: 2 }, /flip 2: expected a probability from 0 to 1/],
    [{ erasing: 0.5 }, /erasing 0.5: expected an object/],
    [{ erasing: { area: 0.1 } }, /erasing.probability undefined/],
    [{ erasing: { probability: 1, aspect: 0.5 } }, /erasing.aspect 0.5/],
    [{ gain: [0, 1] }, /gain \[0,1\]: .* within 0.01 to 100/], // its logarithm would be infinite
    [[], /augmentation \[\]/],
  ])("refuses %j", (ranges, reason) => {
    expect(() => resolveRanges(ranges as AugmentationRanges)).toThrow(reason);
  });
});

describe("drawAugmentation", () => {
  it("is a function of seed and stream id", () => {
    const [first, second] = [draws(augmentationPresets.strong, 50), draws(augmentationPresets.strong, 50)];
    expect(first).toEqual(second);
    expect(first[3]).not.toEqual(first[4]);
    expect(first[3]).not.toEqual(draws(augmentationPresets.strong, 50, 2)[3]);
  });

  it("spreads each number evenly over its range", () => {
    const ranges = { rotation: 10, scale: 0.2, translation: 0.1, blur: 2, brightness: 0.3, contrast: 0.4, noise: 0.2 };
    const count = 4000;
    const all = draws({ ...ranges, crop: 0.5, flip: 0.3 }, count);
    const spread = (values: number[], low: number, high: number) => {
      expect(Math.min(...values)).toBeGreaterThanOrEqual(low);
      expect(Math.max(...values)).toBeLessThanOrEqual(high);
      const mean = values.reduce((sum, v) => sum + v, 0) / count;
      // Five standard errors of a uniform variable's mean.
      expect(Math.abs(mean - (low + high) / 2)).toBeLessThan((5 * (high - low)) / Math.sqrt(12 * count));
      const square = values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / count;
      expect(Math.sqrt(12 * square) / (high - low)).toBeCloseTo(1, 1);
    };
    spread(
      all.map((a) => a.rotation),
      -10,
      10,
    );
    spread(
      all.map((a) => a.scale),
      0.8,
      1.2,
    );
    spread(
      all.map((a) => a.translation.y),
      -0.1,
      0.1,
    );
    spread(
      all.map((a) => a.translation.x),
      -0.1,
      0.1,
    );
    spread(
      all.map((a) => a.blur),
      0,
      2,
    );
    spread(
      all.map((a) => a.brightness),
      -0.3,
      0.3,
    );
    spread(
      all.map((a) => a.contrast),
      0.6,
      1.4,
    );
    spread(
      all.map((a) => a.noise),
      0,
      0.2,
    );
    spread(
      all.map((a) => 1 - a.window.side),
      0,
      0.5,
    );
    const flips = all.filter((a) => a.flip).length;
    expect(Math.abs(flips - 0.3 * count)).toBeLessThan(5 * Math.sqrt(0.21 * count));
  });

  it("keeps the window within the picture", () => {
    for (const { window } of draws({ crop: 0.9 }, 500)) {
      expect(Math.abs(window.y) + window.side / 2).toBeLessThanOrEqual(0.5);
      expect(Math.abs(window.x) + window.side / 2).toBeLessThanOrEqual(0.5);
    }
  });

  it("erases a rectangle of the given share with the given probability, within the picture", () => {
    const all = draws({ erasing: { probability: 0.25, area: [0.1, 0.3], aspect: [0.5, 2] } }, 2000);
    const erased = all.flatMap((a) => (a.erased ? [a.erased] : []));
    expect(Math.abs(erased.length - 500)).toBeLessThan(5 * Math.sqrt(375));
    for (const { top, left, height, width } of erased) {
      expect(height * width).toBeGreaterThan(0.0999);
      expect(height * width).toBeLessThan(0.3001);
      expect(height / width).toBeGreaterThan(0.4999);
      expect(height / width).toBeLessThan(2.0001);
      expect(Math.min(top, left)).toBeGreaterThanOrEqual(0);
      expect(Math.max(top + height, left + width)).toBeLessThanOrEqual(1);
    }
  });

  it("draws the same values for one range whatever the others are", () => {
    const all = draws({ ...augmentationPresets.strong, rotation: 30 }, 20);
    draws(augmentationPresets.strong, 20).forEach((a, id) => {
      expect({ ...all[id], rotation: 0 }).toEqual({ ...a, rotation: 0 });
      expect(all[id].rotation).toBeCloseTo(2 * a.rotation, 12);
    });
  });
});

describe("light", () => {
  it("is log-uniform, independent for red and blue, and multiplies the exposure", () => {
    const all = draws({ gamma: 1, gain: [0.25, 4], whiteBalance: 0.25 }, 2000);
    const middle = (values: number[]) => values.sort((a, b) => a - b)[1000];
    expect(middle(all.map((a) => a.gain))).toBeCloseTo(1, 0);
    expect(middle(all.map((a) => a.gamma))).toBeCloseTo(1, 1);
    for (const a of all) {
      expect(a.gain).toBeGreaterThanOrEqual(0.25 - 1e-12);
      expect(a.whiteBalance.red).toBeLessThanOrEqual(1.25 + 1e-12);
      const { gamma, exposure } = changeOf(a, [4, 4], 7);
      expect(gamma).toBe(a.gamma);
      expect(exposure).toEqual([a.gain * a.whiteBalance.red, a.gain, a.gain * a.whiteBalance.blue]);
    }
    expect(new Set(all.map((a) => a.whiteBalance.red / a.whiteBalance.blue)).size).toBeGreaterThan(1900);
  });
});

describe("partOf", () => {
  it("begins at the given pixel, mirrored or not", () => {
    for (const flip of [false, true]) {
      const whole = transformOf({ ...none, flip, rotation: 20 }, [20, 30], [10, 15], "area");
      const part = partOf(whole, 3, 4);
      const at = ([yy, xy, yx, xx, y0, x0]: readonly number[], y: number, x: number) => [
        yy * y + yx * x + y0,
        xy * y + xx * x + x0,
      ];
      const [expected, found] = [at(whole, 3 + 2, 4 + 1), at(part, 2, 1)];
      expect(found[0]).toBeCloseTo(expected[0], 9);
      expect(found[1]).toBeCloseTo(expected[1], 9);
    }
  });
});

describe("transformOf", () => {
  const size = fc.tuple(fc.integer({ min: 1, max: 50 }), fc.integer({ min: 1, max: 50 }));
  const seen = (transform: readonly number[], y: number, x: number) => {
    const [yy, xy, yx, xx, y0, x0] = transform;
    return [yy * y + yx * x + y0, xy * y + xx * x + x0];
  };

  const close = (actual: readonly number[], expected: readonly number[]) => {
    for (const [i, v] of actual.entries()) expect(v).toBeCloseTo(expected[i], 9);
  };

  it("without augmentation equals the resizing", () => {
    fc.assert(
      fc.property(size, size, ([H, W], [h, w]) => {
        const area = transformOf(none, [H, W], [h, w], "area");
        close(area, [H / h, 0, 0, W / w, (H / h - 1) / 2, (W / w - 1) / 2]);
        const tf1 = transformOf(none, [H, W], [h, w], "tf1");
        close(tf1, [H / h, 0, 0, W / w, 0, 0]);
      }),
    );
  });

  it("mirrors columns: the last one samples where the first one did", () => {
    for (const method of ["area", "tf1"] as const) {
      const plain = transformOf(none, [9, 12], [5, 8], method);
      const mirrored = transformOf({ ...none, flip: true }, [9, 12], [5, 8], method);
      for (let x = 0; x < 8; x++) {
        const [y1, x1] = seen(mirrored, 2, x);
        const [y2, x2] = seen(plain, 2, 7 - x);
        expect(y1).toBeCloseTo(y2, 9);
        expect(x1).toBeCloseTo(x2, 9);
      }
    }
  });

  it("rotates counter-clockwise about the center: the right border samples from below", () => {
    const [y, x] = seen(transformOf({ ...none, rotation: 90 }, [11, 11], [11, 11], "area"), 5, 10);
    expect(y).toBeCloseTo(10, 9);
    expect(x).toBeCloseTo(5, 9);
  });

  it("scales about the center, moves down and right, and crops a window", () => {
    const at = (change: Partial<Augmentation>, y: number, x: number) =>
      seen(transformOf({ ...none, ...change }, [20, 40], [10, 20], "area"), y, x);
    close(at({ scale: 2 }, 4.5, 9.5), [9.5, 19.5]);
    close(at({ scale: 2 }, 5.5, 9.5), [10.5, 19.5]); // one step of two pixels, halved
    close(at({ translation: { y: 0.1, x: -0.05 } }, 4.5, 9.5), [7.5, 21.5]); // shows what was above and right
    close(at({ window: { side: 0.5, y: 0.25, x: -0.25 } }, -0.5, -0.5), [9.5, -0.5]); // the window's corner
    close(at({ window: { side: 0.5, y: 0.25, x: -0.25 } }, 9.5, 19.5), [19.5, 19.5]);
  });

  it("keeps the columns at right angles where the axes are resized differently", () => {
    fc.assert(
      fc.property(size, size, fc.nat(10_000), (source, output, id) => {
        const ranges = resolveRanges({ ...augmentationPresets.strong, rotation: 180 });
        const augmentation = drawAugmentation(ranges, 3, id);
        const [yy, xy, yx, xx] = transformOf(augmentation, source, output, "area");
        expect(Math.abs(yy * yx + xy * xx)).toBeLessThan(1e-9 * Math.hypot(yy, xy) * Math.hypot(yx, xx));
        const zoom = augmentation.window.side / augmentation.scale;
        expect(Math.hypot(yy, xy)).toBeCloseTo((zoom * source[0]) / output[0], 9);
        expect(Math.hypot(yx, xx)).toBeCloseTo((zoom * source[1]) / output[1], 9);
      }),
    );
  });
});

describe("changeOf", () => {
  it("scales contrast about mid gray, then adds brightness", () => {
    const { gain, offset } = changeOf({ ...none, contrast: 1.5, brightness: 0.1 }, [4, 4], 7);
    expect(0.5 * gain + offset).toBeCloseTo(0.6, 12);
    expect(0.7 * gain + offset).toBeCloseTo(0.9, 12);
  });

  it("rounds the erased part to whole pixels", () => {
    const erased = { top: 0.26, left: 0, height: 0.5, width: 1 };
    expect(changeOf({ ...none, erased }, [10, 8], 7).erased).toEqual({ top: 3, left: 0, bottom: 8, right: 8 });
    expect(changeOf(none, [10, 8], 7).erased).toEqual({ top: 0, left: 0, bottom: 0, right: 0 });
  });
});
