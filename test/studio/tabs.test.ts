// Computations of the tabs: the float64 loss, counts at a threshold, smoothed answers, merged galleries.
import { expect, it } from "vitest";
import { operationsOfStep as benchOperations, configurationNamed } from "../../bench/configurations.ts";
import type { GalleryJson } from "../../src/recognition/gallery.ts";
import type { Recognized } from "../../src/studio/messages.ts";
import { accepted, binned, equalErrorThreshold } from "../../src/studio/tabs/evaluate/counting.ts";
import { directionalDerivative, hostLoss } from "../../src/studio/tabs/gpu/float64.ts";
import { operationsOfStep, sizes } from "../../src/studio/tabs/gpu/sizes.ts";
import { mergedGalleries } from "../../src/studio/tabs/recognize/imports.ts";
import { Steady } from "../../src/studio/tabs/recognize/steady.ts";
import { defaultSettings, settingsFrom } from "../../src/studio/tabs/train/defaults.ts";
import { siamese } from "../reference/network/siamese.ts";

it("measures the steps of npm run bench", () => {
  for (const { everyGradient: _, imageSize: image, ...size } of sizes) {
    expect(configurationNamed(size.name)).toEqual({ image, ...size });
    expect(operationsOfStep({ ...size, imageSize: image, everyGradient: false })).toBe(
      benchOperations(configurationNamed(size.name)),
    );
  }
});

it("computes the loss and its directional derivative like the reference", () => {
  let state = 1;
  const values = (length: number) =>
    Float64Array.from({ length }, () => {
      state = (state * 48271) % 2147483647;
      return state / 2147483647 - 0.5;
    });
  const array = (...shape: number[]) => ({ shape, data: values(shape.reduce((a, b) => a * b, 1)) });
  const parameters = {
    "tower/block1/conv/kernel": array(3, 3, 2, 3),
    "tower/block1/conv/bias": array(3),
    "tower/block1/norm/gamma": array(3),
    "tower/block1/norm/beta": array(3),
    "tower/block2/conv/kernel": array(3, 3, 3, 4),
    "tower/block2/conv/bias": array(4),
    "tower/block2/norm/gamma": array(4),
    "tower/block2/norm/beta": array(4),
    "tower/dense/kernel": array(2 * 4, 5),
    "tower/dense/bias": array(5),
    "head/kernel": array(5, 1),
    "head/bias": array(1),
  };
  const [left, right] = [array(3, 9, 7, 2), array(3, 9, 7, 2)];
  const same = { shape: [3], data: Float64Array.of(1, 0, 1) };
  const { loss, gradients } = siamese(parameters, { left, right, same }, 0.1);
  const plain = new Map(Object.entries(parameters).map(([name, { data }]) => [name, data]));
  const pictures = Float64Array.of(...left.data, ...right.data);
  const batch = { pictures, same: same.data, imageSize: [9, 7, 2] as const };
  expect(hostLoss(plain, batch, 0.1)).toBeCloseTo(loss, 12);
  for (const [name, { data }] of Object.entries(gradients)) {
    if (name.endsWith("conv/bias")) continue; // 0 but for rounding
    const norm = Math.hypot(...data);
    const direction = new Map([[name, Float64Array.from(data, (value) => value / norm)]]);
    expect(directionalDerivative(plain, batch, 0.1, direction) / norm, name).toBeCloseTo(1, 5);
  }
});

it("counts the pairs that a threshold accepts, including equal distances", () => {
  const distances = Float64Array.of(0.1, 0.2, 0.2, 0.5);
  expect([0, 0.1, 0.2, 0.4, 0.5, 9].map((threshold) => accepted(distances, threshold))).toEqual([0, 1, 3, 3, 4, 4]);
  const { low, high, width, genuine, impostor } = binned(distances, Float64Array.of(0.35, 0.9), 4);
  expect([low, high, width]).toEqual([0.1, 0.9, 0.2]);
  expect([genuine, impostor]).toEqual([
    [0.75, 0, 0.25, 0],
    [0, 0.5, 0, 0.5],
  ]);
});

it("takes stored settings, and the defaults for what has another type", () => {
  expect(settingsFrom(undefined)).toEqual(defaultSettings);
  expect(settingsFrom("text")).toEqual(defaultSettings);
  const stored = { ...defaultSettings, steps: 70, filters: [1, 2], seed: "x", embedding: null, removed: 1 };
  expect(settingsFrom(JSON.parse(JSON.stringify(stored)))).toEqual({ ...defaultSettings, steps: 70, filters: [1, 2] });
});

it("changes the answer when most of the last frames agree", () => {
  const saying = (name: string | null, distance = 0): Recognized => {
    return { name, distance, threshold: 1, probability: null, candidates: [] };
  };
  const steady = new Steady();
  const shown = (["Ada", null, "Ada", null, null, null] as const).map((name) => steady.add(saying(name)));
  expect(shown.map((answer) => (answer as Recognized).name)).toEqual(["Ada", "Ada", "Ada", "Ada", null, null]);
  expect(steady.add(saying(null, 0.5))).toMatchObject({ distance: 0.5 }); // its figures are the newest
});

it("finds the threshold of equal error rates", () => {
  const [genuine, impostor] = [Float64Array.of(1, 2, 3, 6), Float64Array.of(4, 5, 7, 8)];
  const at = equalErrorThreshold(genuine, impostor);
  expect([accepted(impostor, at), genuine.length - accepted(genuine, at)]).toEqual([1, 1]);
  expect(equalErrorThreshold(Float64Array.of(1, 2), Float64Array.of(3, 4))).toBe(2);
});

it("merges galleries without losing people or duplicating pictures", () => {
  const gallery = (people: GalleryJson["people"]): GalleryJson => {
    return { format: "twingrad-gallery", version: 1, model: "m", embedding: 1, match: "nearest", people };
  };
  // Pictures that were enrolled twice stay as they are.
  const own = gallery([{ name: "Ada", embeddings: ["a", "b", "b"] }, { name: "__proto__", embeddings: ["c"] }]); // biome-ignore format: two people
  const added = gallery([{ name: "Ada", embeddings: ["b", "d"] }, { name: "Bob", embeddings: ["e"] }]); // biome-ignore format: two people
  const { merged, duplicates } = mergedGalleries(own, added);
  expect(duplicates).toBe(1);
  expect(merged.people).toEqual([
    { name: "Ada", embeddings: ["a", "b", "b", "d"] },
    { name: "__proto__", embeddings: ["c"] },
    { name: "Bob", embeddings: ["e"] },
  ]);
});
