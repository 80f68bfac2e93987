// Augmentation before the tower, through the Trainer: each picture by its own seed, only in training.

import { streams } from "../../../src/data/random.ts";
import { type Device, siamese, Tape, Trainer, type TrainerOptions } from "../../../src/index.ts";
import { Augmenter } from "../../../src/train/augmenter.ts";

import { uniform } from "../../random.ts";
import { map, ndarray } from "../../reference/ndarray.ts";
import { photometric } from "../../reference/ops/images/photometric.ts";
import { resample, resizeArea, resizeTf1 } from "../../reference/ops/images/resample.ts";
import { countCalls, objectsMade } from "../calls.ts";
import {
  assert,
  assertClose,
  assertEqual,
  assertSameBits,
  assertThrows,
  define,
  defineKernel,
  defineOnce,
} from "../suite.ts";

const IMAGE: [number, number, number] = [17, 13, 3];
const SOURCE: [number, number] = [31, 29];
const SIZE = SOURCE[0] * SOURCE[1] * 3;
const strong = {
  crop: 0.2,
  scale: 0.2,
  rotation: 20,
  translation: 0.1,
  flip: 0.5,
  blur: 1,
  brightness: 0.1,
  contrast: 0.3,
  noise: 0.05,
  erasing: { probability: 0.5 },
  seed: 2 ** 33 + 5,
};

function pairs(count: number, seed: number, seeds = Array.from({ length: 2 * count }, (_, i) => 100 + i)) {
  const random = uniform(seed);
  const bytes = () => Uint8Array.from({ length: count * SIZE }, () => Math.floor(random() * 256));
  const labels = () => Int32Array.from({ length: count }, () => Math.floor(random() * 2));
  const [leftSeeds, rightSeeds] = [seeds.slice(0, count), seeds.slice(count)].map((s) => Uint32Array.from(s));
  return { left: bytes(), right: bytes(), leftLabels: labels(), rightLabels: labels(), leftSeeds, rightSeeds };
}

const create = (device: Device, options: Partial<TrainerOptions> = {}) =>
  Trainer.create(device, siamese({ imageSize: IMAGE, filters: [5, 7], embedding: 11, seed: 3 }), {
    batchSize: 2,
    l2: 0.01,
    sourceSize: SOURCE,
    augmentation: strong,
    ...options,
  });

async function augmented(device: Device, images: Uint8Array, ids: readonly number[], method: "area" | "tf1") {
  const augmenter = new Augmenter(strong, SOURCE, [IMAGE[0], IMAGE[1]], method);
  const tape = new Tape(device);
  const y = augmenter.record(tape.input("images", [ids.length, ...SOURCE, 3], { dtype: "u8" }));
  const program = await tape.compile({ outputs: { y } });
  const inputs = augmenter.inputs(ids);
  const result = await program.run({ images, ...inputs });
  assertEqual(
    "launches",
    program.launches.map(({ kernel }) => kernel),
    ["resample.forward", "photometric.forward"],
  );
  program.dispose();
  return { y: result.y, ...inputs };
}

defineKernel("augmentation: both launches together agree with the float64 references", async (device) => {
  const ids = [3, 2 ** 32 - 1, 77, 78, 79, 80];
  const images = new Uint8Array(ids.length * SIZE);
  images.set(pairs(3, 1).left);
  images.set(pairs(3, 2).left, 3 * SIZE);
  for (const method of ["area", "tf1"] as const) {
    const { y, transforms, changes } = await augmented(device, images, ids, method);
    const view = new DataView(changes.buffer);
    const changesOf = ids.map((id, i) => {
      const float = (n: number) => view.getFloat32(56 * i + 4 * n, true);
      const integer = (n: number) => view.getUint32(56 * i + 4 * n, true);
      assertEqual("seed", integer(9), id);
      const erased = { top: integer(10), left: integer(11), bottom: integer(12), right: integer(13) };
      const blur = float(7) > 0 ? Math.sqrt(0.5 / float(7)) : 0;
      const exposure = [float(1), float(2), float(3)] as const;
      const light = { gamma: float(0), exposure };
      return { ...light, gain: float(4), offset: float(5), noise: float(6), blur, seed: id, erased };
    });
    assert(
      changesOf.some(({ erased }) => erased.bottom > erased.top) && changesOf.some(({ blur }) => blur > 0.3),
      "weak",
    );
    const x = map(ndarray([ids.length, ...SOURCE, 3], images), (v) => v / 255);
    const moved = resample(x, ndarray([ids.length, 6], transforms), [IMAGE[0], IMAGE[1]], method);
    const expected = photometric(moved, changesOf, {
      seed: strong.seed,
      noise: streams.pixelNoise,
      fill: streams.erasedPixels,
    });
    assertClose(`augmentation ${method}`, y, expected.data, { scale: 1 });
  }
});

defineOnce("augmentation: a picture's changes depend on its seed and not on its place in the batch", async (device) => {
  const images = pairs(3, 4).left;
  const one = SIZE;
  const reversed = new Uint8Array(images.length);
  for (const n of [0, 1, 2]) reversed.set(images.subarray(n * one, (n + 1) * one), (2 - n) * one);
  const { y: forwards } = await augmented(device, images, [7, 8, 9], "area");
  const { y: backwards } = await augmented(device, reversed, [9, 8, 7], "area");
  const size = forwards.length / 3;
  const part = (y: Float32Array, n: number) => y.slice(n * size, (n + 1) * size);
  for (const n of [0, 1, 2]) assertSameBits(`picture ${n}`, part(backwards, 2 - n), part(forwards, n));
  const { y: others } = await augmented(device, images, [17, 18, 19], "area");
  assert(others.every((v, i) => v === forwards[i]) === false, "other seeds change nothing");
});

define(
  "augmentation: the same seeds give the same gradients, others do not; a step creates no objects",
  async (device) => {
    const trainer = await create(device);
    const batch = pairs(2, 5);
    const first = await trainer.gradients(batch);
    for (const [name, values] of await trainer.gradients(batch)) assertSameBits(name, values, first.get(name)!);
    const other = await trainer.gradients(pairs(2, 5, [1, 2, 3, 4]));
    assert(other.get("loss")![0] !== first.get("loss")![0], "other seeds give the same loss");
    const floats = (bytes: Uint8Array) => Float32Array.from(bytes, (pixel) => pixel / 255);
    const fromFloats = await trainer.gradients({ ...batch, left: floats(batch.left), right: floats(batch.right) });
    assertClose("loss of floats", fromFloats.get("loss")!, first.get("loss")!);

    await trainer.step(batch);
    const counts = await countCalls(device, async () => void (await trainer.step(batch)));
    assertEqual("objects created", objectsMade(counts), []);
    assertEqual("submits", counts.submit, 1);
    const plain = await create(device, { augmentation: undefined });
    assertEqual("launches more", (await trainer.launches()).length - (await plain.launches()).length, 1);
    await trainer.dispose();
    await plain.dispose();
  },
);

defineKernel("augmentation: embedding takes pictures of the source size without augmentation", async (device) => {
  const images = pairs(3, 6).left;
  const x = map(ndarray([3, ...SOURCE, 3], images), (v) => v / 255);
  for (const resize of ["area", "tf1"] as const) {
    const trainer = await create(device, { resize });
    const embeddings = await (await trainer.embedder())(images);
    const own = await create(device, { sourceSize: undefined, augmentation: undefined });
    const resized = (resize === "area" ? resizeArea : resizeTf1)(x, [IMAGE[0], IMAGE[1]]);
    const expected = await (await own.embedder())(Float32Array.from(resized.data));
    assertClose(`embeddings of ${resize}`, embeddings, expected);
    await trainer.dispose();
    await own.dispose();
  }
});

defineOnce(
  "augmentation: ranges without effect give the gradients without augmentation, bit for bit",
  async (device) => {
    const batch = pairs(2, 5);
    const [none, zero] = [
      await create(device, { augmentation: undefined }),
      await create(device, { augmentation: {} }),
    ];
    const expected = await none.gradients(batch);
    for (const [name, values] of await zero.gradients(batch)) assertSameBits(name, values, expected.get(name)!);
    await none.dispose();
    await zero.dispose();
  },
);

defineOnce("augmentation: triplets, too", async (device) => {
  const trainer = await create(device, { loss: "triplet" });
  const { left: anchor, right: positive, leftSeeds, rightSeeds } = pairs(2, 7);
  const batch = { anchor, positive, negative: pairs(2, 8).left };
  const seeds = { anchorSeeds: leftSeeds, positiveSeeds: rightSeeds, negativeSeeds: Uint32Array.of(1, 2) };
  assert(Number.isFinite((await trainer.step({ ...batch, ...seeds })).loss), "the loss is not finite");
  await assertThrows("no seeds", async () => trainer.step({ ...batch, ...seeds, negativeSeeds: undefined }), [
    "negativeSeeds with 2 uint32; got none",
  ]);
  await trainer.dispose();
});

define("errors: invalid augmentation is named", async (device) => {
  const trainer = await create(device);
  const batch = pairs(2, 9);
  await assertThrows("seeds", async () => trainer.step({ ...batch, rightSeeds: [1, -2] }), ["rightSeeds", "1, -2"]);
  await assertThrows("size", async () => trainer.step({ ...batch, left: batch.left.slice(1) }), ["[2, 31, 29, 3]"]);
  await trainer.dispose();
  const wrong = (options: Partial<TrainerOptions>) => () => create(device, options);
  await assertThrows("range", wrong({ augmentation: { blur: 50 } }), ["blur 50", "within 0 to 5"]);
  await assertThrows("seed", wrong({ augmentation: { seed: 0.5 } }), ["seed is 0.5"]);
  await assertThrows("source", wrong({ sourceSize: [0, 4] }), ["`sourceSize` [0,4]", "positive integers"]);
});
