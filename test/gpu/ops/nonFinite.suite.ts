// NaN and infinities propagate through every operation, forward and backward, at any position and with every kernel:
// non-finite values of the float64 reference are the same on the GPU.
import {
  absDifference,
  batchHardTripletLoss,
  batchNorm,
  conv2d,
  type Device,
  dense,
  flatten,
  maxPool2d,
  packChanges,
  photometric,
  scale,
  semiHardTripletLoss,
  sigmoid,
  sigmoidCrossEntropy,
  standardize,
  sum,
  supervisedContrastiveLoss,
  Tape,
  type Tensor,
  tensor,
  valueAndGradients,
} from "../../../src/index.ts";
import { normal } from "../../random.ts";
import { type NdArray, type NdArrays, ndarray } from "../../reference/ndarray.ts";
import { type OperationName, referenceOf, references } from "../../reference/operations.ts";
import { evaluateOperation, toValue } from "../operation.ts";
import { assert, assertClose, assertEqual, defineKernel } from "../suite.ts";
import { deviceAs, deviceChoosing, kinds } from "../variants.ts";

const oddOnes = { NaN, Infinity, "-Infinity": -Infinity };

/** The array with `value` at these places. */
function withValue({ shape, data }: NdArray, value: number, places: readonly number[]): NdArray {
  return ndarray(
    shape,
    data.map((v, i) => (places.includes(i) ? value : v)),
  );
}

/** NaN where the reference is NaN, the same infinity where it is infinite, and close elsewhere. */
function assertAlike(what: string, actual: ArrayLike<number>, reference: ArrayLike<number>): void {
  const kind = (x: number) => (Number.isFinite(x) ? "finite" : String(x));
  for (let i = 0; i < reference.length; i++) {
    const [found, expected] = [kind(actual[i]), kind(reference[i])];
    assert(
      found === expected,
      `${what}: element ${i} of ${reference.length} is ${actual[i]}, expected ${reference[i]}`,
    );
  }
  const finite = Array.from(reference, (_, i) => i).filter((i) => Number.isFinite(reference[i]));
  assertClose(
    what,
    finite.map((i) => actual[i]),
    finite.map((i) => reference[i]),
  );
}

async function checkAlike(device: Device, op: OperationName, inputs: NdArrays, options: object = {}): Promise<void> {
  const value = referenceOf(op).value(inputs, options);
  const g = value.shape.length === 0 ? ndarray([], [1]) : normal(value.shape, 77);
  const gradients = referenceOf(op).gradients(inputs, options, g);
  const names = Object.keys(gradients);
  const found = await evaluateOperation(device, op, inputs, options, names, value.shape.length === 0 ? undefined : g);
  assertAlike(`${op} value`, found.value.data, value.data);
  for (const name of names) assertAlike(`${op} gradient of ${name}`, found.gradients[name].data, gradients[name].data);
}

for (const [name, value] of Object.entries(oddOnes)) {
  defineKernel(`${name} through relu, sigmoid, absDifference and l2Normalize`, async (device) => {
    const x = withValue(normal([4, 9], 1), value, [0, 13, 35]);
    await checkAlike(device, "relu", { x });
    await checkAlike(device, "sigmoid", { x });
    await checkAlike(device, "absDifference", { a: x, b: normal([4, 9], 2) });
    await checkAlike(device, "absDifference", { a: normal([4, 9], 2), b: x });
    if (Number.isNaN(value)) await checkAlike(device, "l2Normalize", { x });
  });

  // A compiler takes 0 * x for 0, whatever x is.
  defineKernel(`${name} through scale by 0 and by 2, and back`, async (device) => {
    const x = toValue(withValue(normal([3, 7], 1), value, [0, 11, 20]));
    for (const factor of [0, 2]) {
      const expected = Array.from(x.data, (v) => factor * v);
      const options = { gradientsOf: ["x"], outputGradient: x } as const;
      const found = await valueAndGradients(device, ({ x }) => scale(x, factor), { x }, options);
      assertAlike(`scale by ${factor}`, found.value.data, expected);
      assertAlike(`gradient of scale by ${factor}`, found.gradients.x.data, expected);
    }
  });

  defineKernel(`${name} through maxPool2d, at each place of the window`, async (device) => {
    for (const channels of [1, 4]) {
      const picture = normal([1, 6, 7, channels], 1);
      for (let pixel = 0; pixel < 42; pixel += channels === 1 ? 1 : 5) {
        const x = withValue(picture, value, [pixel * channels]);
        if (pixel < 9) await checkAlike(device, "maxPool2d", { x }, {});
        if (pixel < 9) await checkAlike(device, "maxPool2d", { x }, { size: 3, stride: 2, padding: "same" });
        const { value: alone } = await valueAndGradients(device, ({ x }) => maxPool2d(x), { x: toValue(x) });
        assertAlike("maxPool2d without a gradient", alone.data, references.maxPool2d.value({ x }, {}).data);
      }
    }
  });

  defineKernel(`${name} through dense and its activation`, async (device) => {
    for (const kind of kinds) {
      for (const [rows, inputs, outputs] of [
        [2, 8, 8],
        [3, 7, 5],
        [40, 64, 64],
      ]) {
        const x = withValue(normal([rows, inputs], 1), value, [inputs + 3]);
        const operands = { x, kernel: normal([inputs, outputs], 2), bias: normal([outputs], 3) };
        for (const activation of [undefined, "relu", "sigmoid"] as const) {
          const plain = references.dense.value(operands, {});
          const expected = activation ? references[activation].value({ x: plain }) : plain;
          const found = await valueAndGradients(
            deviceAs(device, kind),
            ({ x, kernel, bias }) => dense(x, kernel, { bias, activation }),
            { x: toValue(x), kernel: toValue(operands.kernel), bias: toValue(operands.bias) },
          );
          assertAlike(`dense, ${activation}`, found.value.data, expected.data);
        }
      }
    }
  });

  defineKernel(`${name} through conv2d`, async (device) => {
    for (const kind of kinds) {
      const x = withValue(normal([2, 7, 6, 3], 1), value, [3 * 20]);
      await checkAlike(deviceAs(device, kind), "conv2d", { x, filter: normal([3, 3, 3, 5], 2), bias: normal([5], 3) });
    }
  });

  for (const [kind, candidate] of [
    ["software adapters", "direct"],
    ["GPUs", "shared"],
    ["GPUs", "winograd"],
  ] as const) {
    defineKernel(`${name} through a block, ${candidate}`, async (device) => {
      for (const pixel of [0, 9, 10, 35]) await checkBlock(deviceAs(device, kind), candidate, value, pixel);
    });
  }
}

/** A block with moving averages, which normalize each value alone, so that each position of a window is tested. */
async function checkBlock(device: Device, candidate: string, odd: number, pixel: number): Promise<void> {
  const [batch, height, width, channels] = [2, 6, 6, 16];
  const inputs: NdArrays = {
    x: withValue(normal([batch, height, width, channels], 1), odd, [pixel * channels + 2]),
    filter: normal([3, 3, channels, channels], 2, { deviation: 0.1 }),
    bias: normal([channels], 3),
    gamma: normal([channels], 4, { mean: 1, deviation: 0.2 }),
    beta: normal([channels], 5),
    mean: normal([channels], 6),
    variance: ndarray([channels], new Float64Array(channels).fill(1.5)),
  };
  const { x, filter, bias, gamma, beta, mean, variance } = inputs;
  const convolved = references.conv2d.value({ x, filter, bias }, {});
  const pooled = references.maxPool2d.value({ x: convolved }, {});
  const norm = { x: pooled, gamma, beta, mean, variance };
  const expected = references.relu.value({ x: references.batchNorm.value(norm, { training: false }) });
  const compose = (t: Record<string, Tensor>) =>
    batchNorm(maxPool2d(conv2d(t.x, t.filter, { bias: t.bias })), {
      gamma: t.gamma,
      beta: t.beta,
      moving: { mean: t.mean, variance: t.variance },
      training: false,
      activation: "relu",
    });
  const values = Object.fromEntries(Object.entries(inputs).map(([name, array]) => [name, toValue(array)]));
  const { value } = await valueAndGradients(deviceChoosing(device, candidate), compose, values);
  if (candidate !== "winograd") {
    assertAlike(`block, pixel ${pixel}`, value.data, expected.data);
    return;
  }
  // Winograd's transforms subtract values of one tile from each other: there an infinity, too, makes NaN of the whole tile.
  expected.data.forEach((e, i) => {
    const lost = Number.isNaN(odd) && Number.isNaN(e) && !Number.isNaN(value.data[i]);
    assert(!lost, `block by Winograd, pixel ${pixel}: element ${i} is ${value.data[i]}, expected ${e}`);
  });
  assert(
    value.data.some((v) => !Number.isFinite(v)),
    "a non-finite pixel has no effect",
  );
}

defineKernel("NaN through a block's statistics and gradients: its group is NaN, the other is not", async (device) => {
  const [height, width, channels] = [6, 6, 16];
  const compose = (t: Record<string, Tensor>) =>
    batchNorm(maxPool2d(conv2d(t.x, t.filter)), { gamma: t.gamma, beta: t.beta, groups: 2, activation: "relu" });
  for (const [kind, candidate] of [
    ["software adapters", "direct"],
    ["GPUs", "shared"],
    ["GPUs", "winograd"],
  ] as const) {
    const x = withValue(normal([4, height, width, channels], 1), NaN, [channels * 8]);
    const { value, gradients } = await valueAndGradients(
      deviceChoosing(deviceAs(device, kind), candidate),
      (t) => sum(compose(t)),
      {
        x: toValue(x),
        filter: toValue(normal([3, 3, channels, channels], 2)),
        gamma: toValue(normal([channels], 3)),
        beta: toValue(normal([channels], 4)),
      },
      { gradientsOf: ["x", "filter", "gamma", "beta"] },
    );
    assert(Number.isNaN(value.data[0]), `${candidate}: the sum is ${value.data[0]}`);
    assert(gradients.filter.data.every(Number.isNaN), `${candidate}: gradients of the filter are finite`);
    assert(gradients.gamma.data.every(Number.isNaN), `${candidate}: gradients of gamma are finite`);
    const half = gradients.x.data.length / 2;
    assert(
      gradients.x.data.subarray(half).every(Number.isFinite),
      `${candidate}: the other group's gradients are not finite`,
    );
    assert(gradients.x.data.subarray(0, half).some(Number.isNaN), `${candidate}: the group's gradients are finite`);
  }
});

defineKernel("NaN through batchNorm: its channel and group are NaN, the others are not", async (device) => {
  const x = withValue(normal([4, 5, 5, 3], 1), NaN, [4]);
  for (const training of [true, false]) {
    const averages = { mean: normal([3], 4), variance: ndarray([3], [1, 2, 3]) };
    const inputs = { x, gamma: normal([3], 2), beta: normal([3], 3), ...(training ? {} : averages) };
    await checkAlike(device, "batchNorm", inputs, { groups: 2, training });
  }
});

defineKernel("NaN through the losses on pairs and triplets", async (device) => {
  const a = withValue(normal([4, 3], 1), NaN, [4]);
  const b = normal([4, 3], 2);
  await checkAlike(device, "contrastiveLoss", { a, b, same: ndarray([4], [1, 0, 1, 0]) });
  await checkAlike(device, "contrastiveLoss", { a, b, same: ndarray([4], [1, 1, 0, 0]) });
  await checkAlike(device, "tripletLoss", { anchor: a, positive: b, negative: normal([4, 3], 3) });
  await checkAlike(device, "tripletLoss", { anchor: b, positive: normal([4, 3], 3), negative: a });
  for (const label of [0, 1]) {
    const logits = ndarray([3], [0.5, NaN, -2]);
    await checkAlike(device, "sigmoidCrossEntropy", { logits, labels: ndarray([3], [1, label, 0]) });
  }
});

defineKernel("NaN through the losses on whole batches, also of an identity with one picture", async (device) => {
  const embeddings = withValue(normal([5, 3], 1), NaN, [12]);
  const labels = tensor([5], [0, 0, 1, 1, 2]);
  for (const loss of [
    batchHardTripletLoss,
    (e: Tensor, l: Tensor) => batchHardTripletLoss(e, l, { margin: "soft" }),
    semiHardTripletLoss,
    supervisedContrastiveLoss,
  ]) {
    const { value, gradients } = await valueAndGradients(
      device,
      ({ embeddings, labels }) => loss(embeddings, labels),
      { embeddings: toValue(embeddings), labels },
      { gradientsOf: ["embeddings"] },
    );
    assert(Number.isNaN(value.data[0]), `the loss is ${value.data[0]}`);
    assert(gradients.embeddings.data.some(Number.isNaN), "the gradients are finite");
  }
});

defineKernel("NaN through the head and its loss in one pass", async (device) => {
  const embeddings = withValue(normal([4, 6], 1), NaN, [8]);
  const { value, gradients } = await valueAndGradients(
    device,
    ({ a, b, kernel, labels }) =>
      sigmoidCrossEntropy(flatten(dense(absDifference(sigmoid(a), sigmoid(b)), kernel)), labels),
    {
      a: toValue(embeddings),
      b: toValue(normal([4, 6], 2)),
      kernel: toValue(normal([6, 1], 3)),
      labels: tensor([4], [1, 0, 1, 0]),
    },
    { gradientsOf: ["a", "kernel"] },
  );
  assert(Number.isNaN(value.data[0]), `the loss is ${value.data[0]}`);
  assert(gradients.kernel.data.some(Number.isNaN), "the kernel's gradient is finite");
  assertEqual(
    "rows of a whose gradient is NaN",
    [...gradients.a.data.keys()].filter((i) => Number.isNaN(gradients.a.data[i])).map((i) => Math.floor(i / 6)),
    [1, 1, 1, 1, 1, 1],
  );
});

defineKernel("NaN through photometric and standardize", async (device) => {
  const tape = new Tape(device);
  const nothing = { gain: 1, offset: 0, noise: 0, blur: 0, seed: 0, erased: { top: 0, left: 0, bottom: 0, right: 0 } };
  const packed = packChanges([nothing]);
  const x = tape.input("x", [1, 4, 4, 1]);
  const changes = tape.input("changes", [1, packed.length], { dtype: "u8" });
  const outputs = { changed: photometric(x, changes, { seed: 1, noise: 2, fill: 3 }), standardized: standardize(x) };
  const program = await tape.compile({ outputs });
  const given = Float32Array.from({ length: 16 }, (_, i) => (i === 5 ? NaN : i / 16));
  const { changed, standardized } = await program.run({ x: given, changes: packed });
  program.dispose();
  assertEqual("NaN of photometric", [...(changed as Float32Array)].map(Number.isNaN).indexOf(true), 5);
  assert((standardized as Float32Array).every(Number.isNaN), "standardize drops NaN");
});
