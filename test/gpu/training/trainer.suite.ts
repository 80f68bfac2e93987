// The whole network through the Trainer: PyTorch's gradients and losses, resuming, inference, and the cost of a step.

import {
  adam,
  type Batch,
  balancedLiveness,
  balancedPairs,
  batches,
  classBatches,
  DecodedImages,
  type Device,
  type ImageSize,
  labelsOf,
  liveness,
  livenessBatches,
  perClass,
  siamese,
  Trainer,
  tripletBatches,
  triplets,
} from "../../../src/index.ts";
import type { FixtureNetwork } from "../../fixtures.ts";
import { normal, uniform } from "../../random.ts";
import { map, ndarray } from "../../reference/ndarray.ts";
import { siamese as referenceSiamese } from "../../reference/network/siamese.ts";
import { arraysWritten, countCalls, objectsMade } from "../calls.ts";
import {
  assert,
  assertClose,
  assertEqual,
  assertSameBits,
  assertThrows,
  define,
  defineKernel,
  defineOnce,
  defineWithFixtures,
  NETWORK_TOLERANCE,
} from "../suite.ts";
import { deviceAs, kinds } from "../variants.ts";

/** A bias before a batch-norm has no effect: its true gradient is 0 and both sides are rounding noise. */
const isIdle = (name: string) => /block\d+\/conv\/bias/.test(name);

async function stored(device: Device, network: FixtureNetwork) {
  const { imageSize, filters, embedding, batchSize, l2, learningRate } = network;
  const trainer = await Trainer.create(device, siamese({ imageSize, filters, embedding, seed: 1 }), {
    batchSize,
    loss: "cross-entropy",
    l2,
    optimizer: adam({ learningRate }),
  });
  const parameters = trainer.parameters();
  for (const [name, { data }] of Object.entries(network.parameters)) {
    const parameter = parameters.get(name);
    assert(parameter, `the trainer has no parameter "${name}", only ${[...parameters.keys()].join(", ")}`);
    await parameter.write(Float32Array.from(data));
  }
  const batch = {
    left: network.left,
    right: network.right,
    leftLabels: Int32Array.from(network.leftLabels),
    rightLabels: Int32Array.from(network.rightLabels),
  };
  return { trainer, batch };
}

for (const kind of kinds) {
  defineWithFixtures(
    `trainer, kernels for ${kind}: the network's gradients agree with PyTorch`,
    kind === "GPUs" ? "once" : "everywhere", // every compiler compares each of its kernels with its reference
    async (device, { network }) => {
      const { trainer, batch } = await stored(deviceAs(device, kind), network);
      const gradients = await trainer.gradients(batch);
      assertClose("loss", gradients.get("loss")!, [network.losses[0]]);
      const failures: string[] = [];
      for (const [name, { data }] of Object.entries(network.gradients)) {
        const kernel = network.gradients[name.replace("bias", "kernel")];
        const scale = isIdle(name) ? kernel.data.reduce((m, v) => Math.max(m, Math.abs(v)), 0) : undefined;
        try {
          assertClose(`network gradient of ${name}`, gradients.get(name)!, data, {
            tolerance: NETWORK_TOLERANCE,
            scale,
          });
        } catch (error) {
          failures.push((error as Error).message);
        }
      }
      assert(failures.length === 0, failures.join("\n"));
      const again = await trainer.gradients(batch);
      for (const [name, values] of gradients)
        assertSameBits(`gradient of ${name}, asked twice`, again.get(name)!, values);
      await trainer.dispose();
    },
  );
}

defineWithFixtures(
  "trainer: the loss over three Adam steps agrees with PyTorch",
  "everywhere",
  async (device, { network }) => {
    const { trainer, batch } = await stored(device, network);
    const losses: number[] = [];
    for (const _ of network.losses) losses.push((await trainer.step(batch)).loss);
    assertClose("losses", losses, network.losses);
    await trainer.dispose();
  },
);

// A network whose sizes fit no tile: odd image, primes for filters.
const IMAGE: [number, number, number] = [19, 23, 1];
const odd = () => siamese({ imageSize: IMAGE, filters: [5, 7, 11, 13], embedding: 17, seed: 3 });
const SIZE = IMAGE[0] * IMAGE[1] * IMAGE[2];

function oddBatch(pairs: number, seed: number) {
  const random = uniform(seed);
  const bytes = () => Uint8Array.from({ length: pairs * SIZE }, () => Math.floor(random() * 256));
  const labels = () => Int32Array.from({ length: pairs }, () => Math.floor(random() * 2));
  return { left: bytes(), right: bytes(), leftLabels: labels(), rightLabels: labels() };
}

const create = (device: Device, batchSize = 3) =>
  Trainer.create(device, odd(), {
    batchSize,
    loss: "cross-entropy",
    l2: 0.01,
    optimizer: adam({ learningRate: 1e-3 }),
  });

defineKernel("trainer: a network of odd sizes agrees with the float64 reference", async (device) => {
  const trainer = await create(device);
  const batch = oddBatch(3, 8);
  const parameters = Object.fromEntries(
    await Promise.all(
      [...trainer.parameters()].map(async ([name, p]) => [name, ndarray(p.shape, await p.read())] as const),
    ),
  );
  const image = (bytes: Uint8Array) => map(ndarray([3, ...IMAGE], bytes), (pixel) => pixel / 255);
  const same = [...batch.leftLabels].map((label, i) => (label === batch.rightLabels[i] ? 1 : 0));
  const pairs = { left: image(batch.left), right: image(batch.right), same: ndarray([3], same) };
  const expected = referenceSiamese(parameters, pairs, 0.01);
  const actual = await trainer.gradients(batch);
  assertClose("loss", actual.get("loss")!, [expected.loss]);
  for (const [name, { data }] of Object.entries(expected.gradients)) {
    const kernel = expected.gradients[name.replace("bias", "kernel")];
    const scale = isIdle(name) ? kernel.data.reduce((m, v) => Math.max(m, Math.abs(v)), 0) : undefined;
    assertClose(`odd network's gradient of ${name}`, actual.get(name)!, data, { tolerance: NETWORK_TOLERANCE, scale });
  }
  await trainer.dispose();
});

define("trainer: the same seed and data give the same bits", async (device) => {
  const run = async () => {
    const trainer = await create(device);
    for (let n = 0; n < 3; n++) await trainer.step(oddBatch(3, n));
    const bytes = await trainer.save();
    await trainer.dispose();
    return bytes;
  };
  const [first, second] = [await run(), await run()];
  assert(first.length === second.length && first.every((byte, i) => byte === second[i]), "the saved states differ");
});

define("trainer: a resumed run gives the bits of an unbroken one", async (device) => {
  const unbroken = await create(device);
  for (let n = 0; n < 2; n++) await unbroken.step(oddBatch(3, n));
  const saved = await unbroken.save();
  const resumed = await create(device);
  await resumed.load(saved);
  for (let n = 2; n < 4; n++) {
    const a = await unbroken.step(oddBatch(3, n));
    const b = await resumed.step(oddBatch(3, n));
    assertEqual("step and loss", b, a);
  }
  for (const [name, parameter] of unbroken.parameters()) {
    assertSameBits(name, await resumed.parameters().get(name)!.read(), await parameter.read());
  }
  await unbroken.dispose();
  await resumed.dispose();
});

define("trainer: a step makes no GPU object and submits once; steps in flight keep their order", async (device) => {
  const trainer = await create(device);
  await trainer.step(oddBatch(3, 0));
  const steps: number[] = [];
  const counts = await countCalls(device, async () => {
    const pending = [1, 2, 3, 4, 5, 6].map((n) => trainer.step(oddBatch(3, n)));
    for (const { step } of await Promise.all(pending)) steps.push(step);
  });
  assertEqual("steps", steps, [2, 3, 4, 5, 6, 7]);
  assertEqual("objects created", objectsMade(counts), []);
  assertEqual("submits", counts.submit, 6);
  await trainer.dispose();
});

define("trainer: gradients change nothing", async (device) => {
  const trainer = await create(device);
  const before = await trainer.save();
  await trainer.gradients(oddBatch(3, 1));
  const after = await trainer.save();
  assert(before.length === after.length && before.every((byte, i) => byte === after[i]), "the state changed");
  await trainer.dispose();
});

defineOnce("trainer: bytes and floats in [0, 1] are the same pictures", async (device) => {
  const trainer = await create(device);
  const batch = oddBatch(3, 5);
  const floats = (bytes: Uint8Array) => Float32Array.from(bytes, (pixel) => pixel / 255);
  const fromBytes = await trainer.gradients(batch);
  const fromFloats = await trainer.gradients({ ...batch, left: floats(batch.left), right: floats(batch.right) });
  for (const [name, values] of fromBytes) {
    if (!isIdle(name))
      assertClose(`gradient of ${name}`, fromFloats.get(name)!, values, { tolerance: NETWORK_TOLERANCE });
  }
  await trainer.dispose();
});

/** Twelve noise pictures of four identities; every other one is bona fide. */
const noise = {
  identities: ["a", "b", "c", "d"],
  items: Array.from({ length: 12 }, (_, n) => ({
    identity: n % 4,
    name: `picture ${n}`,
    live: n % 8 < 4,
    decode: async ([height, width, channels]: ImageSize) => {
      const random = uniform(n + 1);
      return Uint8Array.from({ length: height * width * channels }, () => Math.floor(random() * 256));
    },
  })),
};

defineOnce("trainer: stacked batches are written as they are; others may be overwritten at once", async (device) => {
  const labels = labelsOf(noise);
  const images = new DecodedImages(noise, [8, 8, 1]);
  const options = { imageSize: [8, 8, 1], filters: [3], embedding: 5, seed: 2 } as const;
  const drawn = { batchSize: 4 };
  const towers = siamese({ ...options, towers: ["pixels", "pixels"] });
  for (const { stream, network, fields, training } of [
    {
      stream: batches(images, balancedPairs(labels, { seed: 1 }), drawn),
      network: siamese(options),
      fields: ["left", "right"],
      training: { batchSize: 4, augmentation: { flip: 0.5, brightness: 0.2, seed: 5 } },
    },
    {
      stream: tripletBatches(images, triplets(labels, { seed: 1 }), drawn),
      network: siamese(options),
      fields: ["anchor", "positive", "negative"],
      training: { batchSize: 4, loss: "triplet" },
    },
    {
      stream: classBatches(
        [images, images],
        perClass(labels, { seed: 1, identitiesPerBatch: 2, picturesPerIdentity: 2 }),
        { together: 2 },
      ),
      network: towers,
      fields: ["images"],
      training: { batchSize: 8, loss: "supervised-contrastive" },
    },
    {
      stream: livenessBatches(images, balancedLiveness(noise, { seed: 1 }), drawn),
      network: liveness(options),
      fields: ["images"],
      training: { batchSize: 4 },
    },
  ] as const) {
    const trainer = await Trainer.create(device, network, training);
    const first = await trainer.save();
    const loaded: (Batch & { stacked: Uint8Array })[] = [];
    for (let n = 0; n < 6; n++) loaded.push((await stream.next()).value);
    const expected: number[] = [];
    const written = await arraysWritten(device, async () => {
      for (const { loss } of await Promise.all(loaded.map((batch) => trainer.step(batch)))) expected.push(loss);
    });
    const what = fields.join(" and ");
    assertEqual(
      `${what}, written without a copy`,
      loaded.map(({ stacked }) => written.has(stacked)),
      loaded.map(() => true),
    );
    assert(new Set(expected).size === 6, `${what}: the losses are ${expected.join(", ")}`);

    await trainer.load(first);
    const steps = loaded.map(({ stacked, ...batch }) => {
      const whole = stacked.slice(); // its parts lie side by side, but it is not said to be a stack
      const length = whole.length / fields.length;
      const parts = fields.map((field, i) => [field, whole.subarray(i * length, (i + 1) * length)]);
      const step = trainer.step({ ...batch, ...Object.fromEntries(parts) } as Batch);
      whole.fill(0);
      return step;
    });
    assertEqual(
      `losses of ${what}`,
      (await Promise.all(steps)).map(({ loss }) => loss),
      expected,
    );
    await trainer.dispose();
  }
});

define("trainer: any number of pictures is embedded, each on its own", async (device) => {
  const trainer = await create(device);
  for (let n = 0; n < 3; n++) await trainer.step(oddBatch(3, n)); // moves the moving statistics
  const embed = await trainer.embedder();
  const pictures = oddBatch(11, 9).left;
  const all = await embed(pictures);
  assertEqual("size", all.length, 11 * 17);
  for (const i of [0, 4, 10]) {
    const alone = await embed(pictures.slice(i * SIZE, (i + 1) * SIZE));
    assertClose(`picture ${i}`, all.slice(i * 17, (i + 1) * 17), alone);
  }
  assert(
    all.every((value) => value > 0 && value < 1),
    "sigmoid embeddings lie in (0, 1)",
  );
  const score = await trainer.scorer();
  const [bias] = await trainer.parameters().get("head/bias")!.read();
  const first = all.slice(0, 17);
  assertClose("a picture against itself scores the head's bias", [score(first, first)], [bias], { scale: 1 });
  await trainer.dispose();
});

defineOnce("trainer: contrastive loss on the embeddings lets the network learn", async (device) => {
  const trainer = await Trainer.create(device, odd(), {
    batchSize: 4,
    loss: "contrastive",
    margin: 1,
    l2: 0,
    optimizer: adam({ learningRate: 5e-3 }),
  });
  const batch = oddBatch(4, 2);
  const { loss: first } = await trainer.step(batch);
  let last = first;
  for (let n = 0; n < 30; n++) ({ loss: last } = await trainer.step(batch));
  assert(last < 0.5 * first, `the loss on one batch went from ${first} to ${last} in 30 steps`);
  await trainer.dispose();
});

defineOnce("trainer: triplet loss on the embeddings lets the network learn", async (device) => {
  const trainer = await Trainer.create(device, odd(), {
    batchSize: 3,
    loss: "triplet",
    margin: 0.3,
    optimizer: adam({ learningRate: 5e-3 }),
  });
  const { left: anchor, right: positive } = oddBatch(3, 4);
  const batch = { anchor, positive, negative: oddBatch(3, 6).left };
  const { loss: first } = await trainer.step(batch);
  let last = first;
  for (let n = 0; n < 30; n++) ({ loss: last } = await trainer.step(batch));
  assert(first > 0 && last < 0.5 * first, `the loss on one batch went from ${first} to ${last} in 30 steps`);
  await assertThrows("pairs for triplets", async () => trainer.step(oddBatch(3, 1)), ["triplet", "anchor"]);
  await trainer.dispose();
});

for (const loss of ["triplet", "supervised-contrastive"] as const) {
  define(`trainer: ${loss} loss over whole batches lets the network learn`, async (device) => {
    const linear = siamese({ ...odd().options, embeddingActivation: "linear" });
    const mining = loss === "triplet" ? "batch-hard" : undefined;
    const optimizer = adam({ learningRate: 5e-3 });
    const trainer = await Trainer.create(device, linear, { batchSize: 6, loss, mining, optimizer });
    const batch = { images: oddBatch(6, 4).left, labels: [1e9, 3, -5, 3, 1e9, -5] };
    const { loss: first } = await trainer.step(batch);
    let last = first;
    for (let n = 0; n < 30; n++) ({ loss: last } = await trainer.step(batch));
    assert(first > 0 && last < 0.5 * first, `the loss on one batch went from ${first} to ${last} in 30 steps`);
    const few = async () => trainer.step({ ...batch, labels: [1, 2] });
    await assertThrows("too few labels", few, ["expected 6 labels; got 2"]);
    await assertThrows("pairs", async () => trainer.step(oddBatch(6, 1)), [loss, "images and labels"]);
    await trainer.dispose();
  });
}

define("errors: invalid combinations of loss options are named", async (device) => {
  for (const [options, part] of [
    [{ mining: "batch-hard" }, "mining requires the triplet loss"],
    [{ loss: "triplet", margin: "soft" }, "a soft margin requires mining"],
    [{ loss: "triplet", margin: Number.NaN }, "margin is NaN"],
    [{ loss: "supervised-contrastive", temperature: 0 }, "temperature is 0"],
  ] as const) {
    await assertThrows(part, () => Trainer.create(device, odd(), { batchSize: 4, ...options }), [part]);
  }
});

define("trainer: a profile names every launch of a step, and counts as one", async (device) => {
  const trainer = await create(device);
  const launches = (await trainer.launches()).map(({ kernel }) => kernel);
  if (!device.gpu.features.has("timestamp-query")) {
    await assertThrows("profile", () => trainer.profile(oddBatch(3, 1)), ["timestamp"]);
    return trainer.dispose();
  }
  const profile = await trainer.profile(oddBatch(3, 1));
  assertEqual(
    "kernels",
    profile.map(({ kernel }) => kernel),
    launches,
  );
  assert(
    profile.every(({ nanoseconds }) => nanoseconds >= 0) && profile.some(({ nanoseconds }) => nanoseconds > 0),
    `times are ${profile.map(({ nanoseconds }) => nanoseconds)}`,
  );
  assertEqual("the next step's number", (await trainer.step(oddBatch(3, 2))).step, 2);
  await trainer.dispose();
});

define("errors: a mismatched batch or checkpoint is named", async (device) => {
  const trainer = await create(device);
  const batch = oddBatch(3, 1);
  await assertThrows("pictures", async () => trainer.step({ ...batch, left: batch.left.slice(1) }), [
    "[3, 19, 23, 1]",
    "1310",
  ]);
  const other = await Trainer.create(
    device,
    siamese({ imageSize: IMAGE, filters: [5, 7, 11, 12], embedding: 17, seed: 3 }),
    { batchSize: 3, loss: "cross-entropy", l2: 0, optimizer: adam({ learningRate: 1e-3 }) },
  );
  const saved = await other.save();
  const before = normal([1], 1).data[0]; // any value: what was loaded must not stay half-written
  const bias = trainer.parameters().get("head/bias")!;
  await bias.write(Float32Array.of(before));
  await assertThrows("checkpoint", () => trainer.load(saved), ["tower/block4/conv/kernel"]);
  assertEqual("head/bias after a refused checkpoint", [...(await bias.read())], [before]);
  await trainer.dispose();
  await other.dispose();
});
