// The liveness network through the Trainer: gradients, exact resuming, refusals, and a trained model in use.

import { decode } from "../../../src/formats/safetensors.ts";
import { withMetadata } from "../../../src/formats/seal.ts";
import {
  adam,
  type Device,
  LivenessModel,
  type LivenessOptions,
  liveness,
  Model,
  siamese,
  Trainer,
} from "../../../src/index.ts";
import { normal, uniform } from "../../random.ts";
import { map, type NdArrays, ndarray } from "../../reference/ndarray.ts";
import { liveness as reference } from "../../reference/network/livenessNetwork.ts";
import { standardize } from "../../reference/ops/images/standardize.ts";
import {
  assert,
  assertClose,
  assertEqual,
  assertSameBits,
  assertThrows,
  defineKernel,
  defineOnce,
  NETWORK_TOLERANCE,
} from "../suite.ts";

const options = { imageSize: [8, 8, 1], filters: [3], embedding: 5, seed: 2 } as const;
const B = 4;
const L2 = 0.01;

function batch(seed: number) {
  const random = uniform(seed);
  const images = Uint8Array.from({ length: B * 64 }, () => Math.floor(random() * 256));
  return { images, live: [1, 0, 1, 0], seeds: Uint32Array.from({ length: B }, (_, i) => 10 * seed + i) };
}

const create = (device: Device, more = {}, network: Partial<LivenessOptions> = options) =>
  Trainer.create(device, liveness({ ...options, ...network }), {
    batchSize: B,
    l2: L2,
    optimizer: adam({ learningRate: 0.01 }),
    ...more,
  });

const networks = {
  "a standardized batch": options,
  "patches as large as the picture, by central differences": { patch: 8, differences: 0.7, embedding: 3 },
} as const;

for (const [of, network] of Object.entries(networks)) {
  defineKernel(`liveness: loss and gradients of ${of} agree with the float64 reference`, async (device) => {
    const trainer = await create(device, { standardize: true }, network);
    const parameters: NdArrays = {};
    for (const [name, { shape, read, write }] of trainer.parameters()) {
      // Away from the initial zeros and ones, at which gradients of biases may vanish.
      if (/bias|norm\/(gamma|beta)/.test(name)) {
        await write(normal(shape, name.length, { deviation: 0.3, mean: name.endsWith("gamma") ? 1 : 0 }).data);
      }
      parameters[name] = ndarray(shape, Float64Array.from(await read()));
    }
    const { images, live, seeds } = batch(1);
    const pixels = standardize({
      x: ndarray(
        [B, 8, 8, 1],
        Float64Array.from(images, (value) => value / 255),
      ),
    });
    const expected = reference(
      parameters,
      { images: pixels, live: ndarray([B], live) },
      L2,
      trainer.network.options.differences,
    );
    const found = await trainer.gradients({ images, live, seeds });
    assertClose("liveness loss", found.get("loss")!, [expected.loss], { tolerance: NETWORK_TOLERANCE });
    for (const [name, { data }] of Object.entries(expected.gradients)) {
      // A bias before a batch-norm has no effect: both sides are rounding noise of the size of its kernel's.
      const kernel = expected.gradients[name.replace("bias", "kernel")];
      const scale = name.endsWith("conv/bias") ? Math.max(...map(kernel, Math.abs).data) : undefined;
      assertClose(`liveness gradient of ${name}`, found.get(name)!, data, { tolerance: NETWORK_TOLERANCE, scale });
    }
    await trainer.dispose();
  });
}

defineKernel("liveness: a picture's logit is the mean over a grid of its patches", async (device) => {
  const patches = { imageSize: [9, 12, 1], patch: 4, differences: 1, embedding: 3 } as const;
  const trainer = await create(device, { standardize: true }, patches);
  const random = uniform(3);
  const whole = Uint8Array.from({ length: 2 * 9 * 12 }, () => Math.floor(random() * 256));
  const seeds = [1, 2, 3, 4];
  const images = Uint8Array.from({ length: B * 9 * 12 }, () => Math.floor(random() * 256));
  for (let step = 0; step < 3; step++) await trainer.step({ images, live: [1, 0, 1, 0], seeds });
  const bytes = await trainer.save();
  await assertThrows("no seeds", () => trainer.step({ images, live: [1, 0, 1, 0] }), ["seeds"]);
  await trainer.dispose();
  const model = await LivenessModel.open(device, bytes);
  assertEqual("patch in the file", model.description.network.patch, 4);
  const found = await model.logits(whole);
  await model.dispose();

  const single = await LivenessModel.open(device, await asPatches(bytes));
  const [rows, columns] = [
    [0, 1, 3, 4, 5],
    [0, 2, 4, 6, 8],
  ];
  const parts = [0, 1].flatMap((n) =>
    rows.flatMap((y) =>
      columns.flatMap((x) =>
        Array.from({ length: 16 }, (_, i) => whole[n * 108 + (y + Math.floor(i / 4)) * 12 + x + (i % 4)]),
      ),
    ),
  );
  const each = await single.logits(Uint8Array.from(parts));
  await single.dispose();
  const means = [0, 1].map((n) => each.slice(25 * n, 25 * n + 25).reduce((sum, logit) => sum + logit / 25, 0));
  assertClose("logits", found, means);
});

/** The same network, for pictures of the size of its patches. */
async function asPatches(bytes: Uint8Array): Promise<Uint8Array> {
  const { metadata } = decode(bytes);
  const { network, ...rest } = JSON.parse(metadata.twingrad);
  const small = { ...network, imageSize: [4, 4, 1] };
  return withMetadata(bytes, { twingrad: JSON.stringify({ ...rest, network: small }) });
}

defineOnce("liveness: invalid patches are refused", async () => {
  const make = (more: object) => () => liveness({ ...options, embedding: 3, ...more });
  await assertThrows("larger than the picture", make({ patch: 9 }), ["patch is 9", "8 x 8"]);
  await assertThrows("too small for the blocks", make({ patch: 2, filters: [3, 3, 3] }), ["3 blocks", "2 x 2"]);
  await assertThrows("an embedding", make({ patch: 4, embedding: 5 }), ["embedding is 5", "filters, 3"]);
  await assertThrows("edges", make({ patch: 4, towers: ["edges"] }), ["edges"]);
  await assertThrows("theta", make({ differences: 1.5 }), ["differences is 1.5"]);
  await assertThrows("pairs", () => siamese({ ...options, patch: 4, embedding: 3 }), ["patch is for liveness"]);
});

defineOnce("liveness: resumes from a saved state to the same bits, with augmentation", async (device) => {
  const more = { augmentation: { flip: 0.5, brightness: 0.2, seed: 5 }, standardize: true };
  const whole = await create(device, more);
  for (let step = 1; step <= 6; step++) await whole.step(batch(step));
  const half = await create(device, more);
  for (let step = 1; step <= 3; step++) await half.step(batch(step));
  const rest = await create(device, more);
  await rest.load(await half.save());
  for (let step = 4; step <= 6; step++) await rest.step(batch(step));
  for (const [name, { read }] of whole.parameters()) {
    assertSameBits(name, await rest.parameters().get(name)!.read(), await read());
  }
  for (const trainer of [whole, half, rest]) await trainer.dispose();
});

defineOnce("liveness: learns, and its file opens only as a liveness model", async (device) => {
  const trainer = await create(device, { l2: 0 });
  // Bona fide pictures have an edge, attacks have no edge.
  const images = Uint8Array.from({ length: B * 64 }, (_, i) => (Math.floor(i / 64) % 2 === 0 && i % 8 > 3 ? 200 : 90));
  const live = [1, 0, 1, 0];
  for (let step = 0; step < 60; step++) await trainer.step({ images, live });
  const bytes = await trainer.save();
  const model = await LivenessModel.open(device, bytes);
  assertEqual("threshold before calibration", model.threshold, 0.5);
  const scores = await model.scores(images.subarray(0, 128));
  assert(scores[0] > 0.8 && scores[1] < 0.2, `the two kinds score ${scores.join(" and ")}`);
  const logits = await model.logits(images.subarray(0, 128));
  assertClose(
    "liveness score",
    scores,
    Array.from(logits, (z) => 1 / (1 + Math.exp(-z))),
  );
  await model.dispose();

  const mismatch = ["This is a liveness model", "expected a recognition model, which compares identities"];
  await assertThrows("a liveness model to recognize people with", () => Model.open(device, bytes), mismatch);
  const pairs = await Trainer.create(device, siamese(options), { batchSize: 2 });
  const before = await pairs.parameters().get("head/kernel")!.read();
  await assertThrows("a liveness state for a Siamese network", () => pairs.load(bytes), mismatch);
  assertSameBits("head of the network that refused", await pairs.parameters().get("head/kernel")!.read(), before);
  const other = await pairs.save();
  const reverse = ["This is a recognition model", "expected a liveness model, which detects presentation attacks"];
  await assertThrows("a Siamese state for a liveness network", () => trainer.load(other), reverse);
  await assertThrows("a Siamese network as liveness model", () => LivenessModel.open(device, other), reverse);
  for (const one of [trainer, pairs]) await one.dispose();
});

defineOnce("liveness: refuses other losses, batches and labels, and has no scorer", async (device) => {
  await assertThrows("a triplet loss", () => create(device, { loss: "triplet" }), [
    "liveness",
    "cross-entropy",
    "triplet",
  ]);
  const trainer = await create(device);
  const { images } = batch(1);
  const pair = { left: images, right: images, leftLabels: [0, 1, 2, 3], rightLabels: [0, 1, 2, 3] };
  await assertThrows("pairs", () => trainer.step(pair), ["a liveness network takes batches of images and live"]);
  await assertThrows("a label of 2", () => trainer.step({ images, live: [0, 1, 2, 1] }), [
    "0 or 1",
    "got 4 values 0, 1, 2",
  ]);
  await assertThrows("too few labels", () => trainer.step({ images, live: [0, 1] }), ["got 2 values"]);
  await assertThrows("a comparison", () => trainer.scorer(), ["LivenessModel"]);
  await trainer.dispose();
});
