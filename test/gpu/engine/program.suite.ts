// The compiled program: its results over several steps, the objects of a step, and several steps in flight.

import {
  adam,
  add,
  batchNorm,
  type Device,
  dense,
  flatten,
  l2Penalty,
  learningRateSchedule,
  mean,
  scale,
  scaleBytes,
  sigmoid,
  sigmoidCrossEntropy,
  sum,
  Tape,
} from "../../../src/index.ts";
import { binary, normal } from "../../random.ts";
import { map, type NdArrays, ndarray, scalar } from "../../reference/ndarray.ts";
import { adam as referenceAdam } from "../../reference/network/adam.ts";
import { references } from "../../reference/operations.ts";
import { movingAverages } from "../../reference/ops/batchNorm.ts";
import { countCalls, objectsMade } from "../calls.ts";
import {
  assert,
  assertClose,
  assertEqual,
  assertSameBits,
  assertThrows,
  define,
  defineOnce,
  NETWORK_TOLERANCE,
} from "../suite.ts";

/** Logistic regression: the smallest program with inputs, parameters, a loss and an update. */
async function regression(device: Device, rows = 33, columns = 7) {
  const tape = new Tape(device);
  const x = tape.input("x", [rows, columns]);
  const y = tape.input("y", [rows]);
  const w = tape.parameter("w", [columns, 1], { initial: "glorot-uniform", seed: 5 });
  const b = tape.parameter("b", [1], { initial: 0.25 });
  const logits = dense(x, w, { bias: b });
  const loss = sigmoidCrossEntropy(flatten(logits), y);
  const step = await tape.compile({ loss, optimizer: adam({ learningRate: 0.05 }), outputs: { logits } });
  const batch = (n: number) => ({
    x: Float32Array.from(normal([rows, columns], 100 + n).data),
    y: Float32Array.from(binary([rows], 200 + n).data),
  });
  return { step, w, b, batch };
}

define("program: ten Adam steps follow the float64 reference", async (device) => {
  const { step, w, b, batch } = await regression(device);
  const parameters = { w: ndarray([7, 1], await w.read()), b: ndarray([1], await b.read()) };
  assertEqual("initial bias", [...parameters.b.data], [0.25]);
  const update = referenceAdam({ learningRate: 0.05 });
  for (let n = 0; n < 10; n++) {
    const { x, y } = batch(n);
    const inputs = { x: ndarray([33, 7], x), kernel: parameters.w, bias: parameters.b };
    const logits = references.dense.value(inputs, {});
    const entropy = { logits, labels: ndarray([33, 1], y) };
    const expectedLoss = references.sigmoidCrossEntropy.value(entropy).data[0];
    const result = await step.run({ x, y });
    assertClose("loss", [result.loss], [expectedLoss]);
    assertClose("output", result.logits, logits.data);
    const entropyGradients = references.sigmoidCrossEntropy.gradients(entropy, {}, scalar(1));
    const { kernel, bias } = references.dense.gradients(inputs, {}, entropyGradients.logits);
    update(parameters, { w: kernel, b: bias });
  }
  assertClose("weights after ten steps", await w.read(), parameters.w.data, { tolerance: NETWORK_TOLERANCE });
  assertClose("bias after ten steps", await b.read(), parameters.b.data, { tolerance: NETWORK_TOLERANCE });
  step.dispose();
});

define("program: a step creates no GPU object and submits once", async (device) => {
  const { step, batch } = await regression(device);
  await step.run(batch(0));
  const counts = await countCalls(device, async () => {
    for (let n = 0; n < 3; n++) await step.run(batch(n));
  });
  assertEqual("objects created", objectsMade(counts), []);
  assertEqual("submits in three steps", counts.submit, 3);
  step.dispose();
});

define("program: ten steps in flight give the results of ten awaited steps, in order", async (device) => {
  const awaited = await regression(device);
  const inFlight = await regression(device);
  const expected: number[] = [];
  for (let n = 0; n < 10; n++) expected.push((await awaited.step.run(awaited.batch(n))).loss);
  const order: number[] = [];
  const pending = expected.map((_, n) =>
    inFlight.step.run(inFlight.batch(n)).then(({ loss }) => {
      order.push(n);
      return loss;
    }),
  );
  assertEqual("losses", await Promise.all(pending), expected);
  assertEqual("order of results", order, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  assertSameBits("weights", await inFlight.w.read(), await awaited.w.read());
  awaited.step.dispose();
  inFlight.step.dispose();
});

define("program: two parameters with one gradient are both updated", async (device) => {
  const tape = new Tape(device);
  const p = tape.parameter("p", [6], { initial: 1 });
  const q = tape.parameter("q", [6], { initial: 2 });
  const step = await tape.compile({ loss: sum(add(p, q)), optimizer: adam({ learningRate: 0.5 }) });
  assertEqual("loss", (await step.run({})).loss, 18);
  // 1 - 0.999 computed in float32 would show here as 7e-6.
  assertClose("p", await p.read(), new Array(6).fill(0.5), { tolerance: 1e-6 });
  assertClose("q", await q.read(), new Array(6).fill(1.5));
  step.dispose();
});

define("program: parameters of any size do not overlap in the arena", async (device) => {
  const tape = new Tape(device);
  const sizes = [1, 2, 3, 5, 63, 64, 65, 127];
  const parameters = sizes.map((size) => tape.parameter(`p${size}`, [size], { initial: size }));
  const loss = parameters.map((p, i) => scale(sum(p), i % 2 ? 1 : -1)).reduce((a, b) => add(a, b));
  const step = await tape.compile({ loss, optimizer: adam({ learningRate: 0.25 }) });
  await step.run({});
  for (const [i, p] of parameters.entries()) {
    const expected = new Array(sizes[i]).fill(sizes[i] + (i % 2 ? -0.25 : 0.25));
    assertClose(`parameter of ${sizes[i]}`, await p.read(), expected);
  }
  step.dispose();
});

define("program: L2 penalties of any size, number and place in the loss", async (device) => {
  const tape = new Tape(device);
  const shapes = { once: [3, 15], twice: [67], scaled: [5, 1], alone: [129], free: [6] };
  const names = Object.keys(shapes) as (keyof typeof shapes)[];
  const all = names.map((name) => tape.parameter(name, shapes[name], { initial: "glorot-uniform", seed: 4 }));
  const [once, twice, scaled, alone, free] = all;
  const terms = [
    mean(sigmoid(dense(once, tape.parameter("kernel", [15, 1], { initial: 0.5 })))),
    l2Penalty(once, 0.1),
    l2Penalty(twice, 0.2),
    sum(twice),
    l2Penalty(twice, 0.3),
    scale(l2Penalty(scaled, 0.5), 3),
    l2Penalty(alone, 0.7),
    sum(free),
  ];
  const loss = terms.reduce((a, b) => add(a, b));
  const step = await tape.compile({ loss, optimizer: adam({ learningRate: 0.1 }) });
  const values: NdArrays = Object.fromEntries(
    await Promise.all(all.map(async (p) => [p.name, ndarray(p.shape, await p.read())] as const)),
  );
  values.kernel = ndarray([15, 1], new Array(15).fill(0.5));
  const update = referenceAdam({ learningRate: 0.1 });
  const penalty = (name: string, factor: number) => references.l2Penalty.value({ parameter: values[name] }, { factor });
  for (let n = 0; n < 3; n++) {
    const layer = { x: values.once, kernel: values.kernel };
    const activated = references.dense.value(layer, { activation: "sigmoid" });
    const expected = [
      references.mean.value({ x: activated }),
      penalty("once", 0.1),
      penalty("twice", 0.5),
      references.sum.value({ x: values.twice }),
      penalty("scaled", 1.5),
      penalty("alone", 0.7),
      references.sum.value({ x: values.free }),
    ].reduce((total, { data }) => total + data[0], 0);
    assertClose("loss with penalties", [(await step.run({})).loss], [expected]);
    const third = ndarray([3, 1], [1 / 3, 1 / 3, 1 / 3]);
    const { x, kernel } = references.dense.gradients(layer, { activation: "sigmoid" }, third);
    update(values, {
      once: map(x, (g, i) => g + 0.1 * values.once.data[i]),
      twice: map(values.twice, (w) => 1 + 0.5 * w),
      scaled: map(values.scaled, (w) => 1.5 * w),
      alone: map(values.alone, (w) => 0.7 * w),
      free: map(values.free, () => 1),
      kernel,
    });
  }
  for (const p of all) {
    assertClose(`${p.name} after three steps`, await p.read(), values[p.name].data, { tolerance: NETWORK_TOLERANCE });
  }
  step.dispose();
});

define("program: parameters that the loss does not depend on are unchanged", async (device) => {
  const tape = new Tape(device);
  const p = tape.parameter("p", [3], { initial: 1 });
  const kept = tape.parameter("kept", [3], { initial: 7, trainable: false });
  const idle = tape.parameter("idle", [3], { initial: 9 });
  const step = await tape.compile({ loss: sum(add(p, kept)), optimizer: adam({ learningRate: 0.1 }) });
  await step.run({});
  assertEqual("not trainable", [...(await kept.read())], [7, 7, 7]);
  assertEqual("unused", [...(await idle.read())], [9, 9, 9]);
  step.dispose();
});

for (const groups of [1, 2]) {
  define(`program: moving averages over three steps, ${groups} groups`, async (device) => {
    const tape = new Tape(device);
    const shape = [6, 5, 4, 3];
    const C = 3;
    const x = tape.input("x", shape);
    const gamma = tape.parameter("gamma", [C], { initial: 1 });
    const beta = tape.parameter("beta", [C], { initial: 0 });
    const movingMean = tape.parameter("moving_mean", [C], { initial: 0, trainable: false });
    const movingVariance = tape.parameter("moving_variance", [C], { initial: 1, trainable: false });
    const moving = { mean: movingMean, variance: movingVariance, momentum: 0.9 };
    const y = batchNorm(x, { gamma, beta, groups, moving });
    const step = await tape.compile({ outputs: { y: mean(y) } });
    let expected = { mean: ndarray([C], [0, 0, 0]), variance: ndarray([C], [1, 1, 1]) };
    for (let n = 0; n < 3; n++) {
      const values = normal(shape, n, { mean: n + 2, deviation: 3 });
      await step.run({ x: Float32Array.from(values.data) });
      expected = movingAverages({ x: values, ...expected }, { groups, momentum: 0.9 });
    }
    assertClose("moving mean", await movingMean.read(), expected.mean.data);
    assertClose("moving variance", await movingVariance.read(), expected.variance.data);
    step.dispose();
  });
}

define("program: a parameter used twice is one parameter, under either call", async (device) => {
  const tape = new Tape(device);
  const x = tape.input("x", [5, 4]);
  const options = { initial: "glorot-uniform", seed: 2 } as const;
  const first = tape.parameter("w", [4, 4], options);
  const second = tape.parameter("w", [4, 4], options);
  const loss = mean(dense(dense(x, first), second));
  const step = await tape.compile({ loss, optimizer: adam({ learningRate: 0.1 }) });
  const values = { x: normal([5, 4], 1), kernel: ndarray([4, 4], await first.read()) };
  const hidden = references.dense.value(values, {});
  const g = map(hidden, () => 1 / 20);
  const after = references.dense.gradients({ x: hidden, kernel: values.kernel }, {}, g);
  const before = references.dense.gradients(values, {}, after.x);
  const parameters = { w: values.kernel };
  referenceAdam({ learningRate: 0.1 })(parameters, { w: map(after.kernel, (v, i) => v + before.kernel.data[i]) });
  await step.run({ x: Float32Array.from(values.x.data) });
  assertClose("shared weights after a step", await second.read(), parameters.w.data);
  step.dispose();
});

define("program: each step uses its scheduled rate, and creates no GPU object", async (device) => {
  const learningRate = learningRateSchedule({
    learningRate: 0.1,
    kind: "cosine",
    steps: 8,
    warmUp: 3,
    finalRate: 0.01,
  });
  const tape = new Tape(device);
  const w = tape.parameter("w", [4, 1], { initial: 0 });
  const loss = sum(dense(tape.input("x", [1, 4]), w)); // its gradient is x
  const step = await tape.compile({ loss, optimizer: adam({ learningRate }) });
  const parameters = { w: ndarray([4, 1], [0, 0, 0, 0]) };
  const update = referenceAdam({ learningRate });
  const inputs = Array.from({ length: 10 }, (_, n) => normal([4, 1], n));
  await step.run({ x: Float32Array.from(inputs[0].data) });
  const counts = await countCalls(device, async () => {
    for (const x of inputs.slice(1)) await step.run({ x: Float32Array.from(x.data) });
  });
  for (const x of inputs) update(parameters, { w: x });
  assertClose("weights after ten steps", await w.read(), parameters.w.data);
  assertEqual("objects created", objectsMade(counts), []);
  step.dispose();
});

define("program: parameters can be read and written between steps", async (device) => {
  const { step, w, batch } = await regression(device);
  const values = Float32Array.from(normal([7, 1], 50).data);
  w.write(values);
  assertSameBits("weights", await w.read(), values);
  const { loss } = await step.run(batch(0));
  w.write(values);
  const { loss: second } = await step.run(batch(1));
  assert(loss !== second, "two batches gave one loss");
  await assertThrows("write", () => w.write([1, 2]), ["w", "[7, 1]", "2"]);
  step.dispose();
});

define("program: it reports its launches and its memory", async (device) => {
  const { step } = await regression(device);
  assert(step.launches.length > 0, "no launches");
  for (const { kernel, workgroups, reads, writes } of step.launches) {
    assert(
      kernel && workgroups.length === 3 && writes.length > 0,
      `launch ${kernel}: ${workgroups}, ${reads}, ${writes}`,
    );
  }
  const memory = step.memory();
  const parts = memory.parameters + memory.optimizer + memory.activations + memory.gradients + memory.staging;
  assertEqual("total", memory.total, parts);
  assert(memory.parameters >= 8 * 4 && memory.optimizer >= 2 * 8 * 4, `parameters ${memory.parameters} bytes`);
  assert(memory.buffers > 0, "no buffers");
  step.dispose();
});

define(
  "errors: a program names inputs that are missing, mis-sized or unknown, and refuses to run when disposed",
  async (device) => {
    const { step, batch } = await regression(device);
    const { x, y } = batch(0);
    await assertThrows("missing", () => step.run({ x }), ["y"]);
    await assertThrows("mis-sized", () => step.run({ x, y: y.slice(1) }), ["y", "33", "32"]);
    await assertThrows("unknown", () => step.run({ x, y, z: y }), ["z"]);
    step.dispose();
    await assertThrows("disposed", () => step.run({ x, y }), ["disposed"]);
  },
);

defineOnce("run: arrays of a wrong type are refused, others are read as numbers", async (device) => {
  const tape = new Tape(device);
  const program = await tape.compile({
    outputs: {
      bytes: scaleBytes(tape.input("bytes", [4], { dtype: "u8" })),
      floats: scale(tape.input("floats", [4]), 2),
    },
  });
  const run = (bytes: unknown, floats: unknown) => program.run({ bytes, floats } as Parameters<typeof program.run>[0]);
  const numbers = [0, 51, 102, 255];
  for (const bytes of [Uint8Array.from(numbers), Uint8ClampedArray.from(numbers), numbers]) {
    for (const floats of [Float32Array, Float64Array, Int32Array, Uint16Array].map((Type) => Type.from(numbers))) {
      const found = await run(bytes, floats);
      assertClose("bytes", found.bytes as Float32Array, [0, 0.2, 0.4, 1]);
      assertClose("floats", found.floats as Float32Array, [0, 102, 204, 510]);
    }
  }
  for (const [Type, values] of [
    ["Uint16Array", Uint16Array.from(numbers)],
    ["Float32Array", Float32Array.from(numbers)],
    ["Array", [0, 0.5, 1, 256]],
  ]) {
    await assertThrows(`${Type} as bytes`, () => run(values, numbers), ['"bytes"', "Uint8Array", `${Type}`]);
  }
  await assertThrows("BigInt64Array as floats", () => run(numbers, new BigInt64Array(4)), ['"floats"', "Float32Array"]);
  await assertThrows("words as floats", () => run(numbers, ["0", "1", "2", "3"]), ['"floats"', "Float32Array"]);
  program.dispose();
});
