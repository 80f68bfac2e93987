// Rules in whole programs: frozen ones, those with penalties and an optimizer, and networks of a user.

import {
  absDifference,
  adam,
  add,
  batchNorm,
  conv2d,
  type Device,
  dense,
  flatten,
  gradients,
  l2Penalty,
  maxPool2d,
  mean,
  relu,
  scale,
  scaleBytes,
  sigmoid,
  sigmoidCrossEntropy,
  Tape,
  type Tensor,
} from "../../../../src/index.ts";
import { compile } from "../../../../src/tape/compile.ts";
import { assert, assertClose, assertEqual, defineOnce, OPERATION_TOLERANCE } from "../../suite.ts";
import { cases, derived, rule, type Tensors, valuesOf } from "./rules.ts";

// ------------------------------------------------------------------------------------------- frozen programs

for (const filters of [8, 6]) {
  defineOnce(`rules: a frozen program leaves moving averages unchanged, ${filters} filters`, async (device) => {
    const tape = new Tape(device);
    const x = tape.input("x", [4, 8, 6, 4]);
    const filter = tape.parameter("filter", [3, 3, 4, filters], { initial: "glorot-uniform", seed: 1 });
    const vector = (name: string, initial: number, trainable = true) =>
      tape.parameter(name, [filters], { initial, trainable });
    const moving = { mean: vector("mean", 3, false), variance: vector("variance", 2, false) };
    const gamma = vector("gamma", 1);
    const y = relu(batchNorm(maxPool2d(conv2d(x, filter)), { gamma, beta: vector("beta", 0), moving }));
    const loss = mean(y);
    const [outputs, feed] = [{ y, g: gradients(loss, [filter])[0] }, { x: valuesOf("x", x.shape, 1) }];
    const read = async () => [...(await tape.store.read("mean")), ...(await tape.store.read("variance"))];
    const run = async (frozen: boolean) => {
      const program = await compile(tape, { loss, outputs, frozen });
      const result = await program.run(feed);
      program.dispose();
      return result as unknown as Record<"y" | "g", Float32Array>;
    };
    try {
      tape.store.place();
      const before = await read();
      const still = await run(true);
      assertEqual("averages", await read(), before);
      const moved = await run(false);
      assert(
        (await read()).every((v, i) => v !== before[i]),
        "the averages of a program that is not frozen move",
      );
      for (const name of ["y", "g"] as const) assertClose(name, still[name], moved[name], { tolerance: 1e-6 });
    } finally {
      tape.store.dispose();
    }
  });
}

// ------------------------------------------------------------------------------------------ L2 penalties and the optimizer

/**
 * Adam's first moment after one step is a tenth of the gradient. Both this gradient and the loss that the step reports
 * must include the penalties, as recorded.
 */
async function checkPenalties(
  device: Device,
  record: (tape: Tape, p: Tensors) => { loss: Tensor; outputs?: Tensors },
  dispatchesOfPenalties: number,
): Promise<void> {
  const build = (parameters?: Tape["store"]) => {
    const tape = new Tape(device, { parameters });
    const of = (name: string, shape: readonly number[], trainable = true) =>
      [name, tape.parameter(name, shape, { initial: "glorot-uniform", seed: 3, trainable })] as const;
    const p = Object.fromEntries([of("kernel", [5, 4]), of("second", [4, 3]), of("kept", [4, 3], false)]);
    return { tape, p, ...record(tape, p) };
  };
  const plain = build();
  const { store } = plain.tape;
  const trained = ["kernel", "second"];
  const found = gradients(
    plain.loss,
    trained.map((name) => plain.p[name]),
  );
  const outputs = { ...plain.outputs, ...Object.fromEntries(trained.map((name, i) => [name, found[i]])) };
  const unfused = await compile(plain.tape, { loss: plain.loss, outputs });
  const training = build(store);
  const program = await compile(training.tape, { loss: training.loss, outputs: training.outputs, optimizer: adam() });
  try {
    const feed = { x: valuesOf("x", [6, 5], 1) };
    const expected = (await unfused.run(feed)) as unknown as Record<string, Float32Array> & { loss: number };
    const result = (await program.run(feed)) as unknown as Record<string, Float32Array> & { loss: number };
    assertClose("loss", [result.loss], [expected.loss], { tolerance: 1e-6 });
    for (const name of Object.keys(plain.outputs ?? {}))
      assertClose(name, result[name], expected[name], { tolerance: 1e-6 });
    for (const name of trained) {
      const moment = await store.readState(name, "first moment");
      assertClose(
        `gradient of ${name}`,
        moment.map((m) => 10 * m),
        expected[name],
        { tolerance: 1e-6 },
      );
    }
    const kernels = program.graph.kernels.filter(({ operation }) => operation.startsWith("l2Penalty"));
    assertEqual("dispatches of l2Penalty", kernels.length, dispatchesOfPenalties);
  } finally {
    unfused.dispose();
    program.dispose();
    store.dispose();
  }
}

const data = (tape: Tape, { kernel, second }: Tensors) =>
  mean(sigmoid(dense(relu(dense(tape.input("x", [6, 5]), kernel)), second)));

for (const [what, record, dispatches = 0] of [
  [
    "one each",
    (tape, p) => ({ loss: [p.kernel, p.second].reduce((l, w) => add(l, l2Penalty(w, 0.3)), data(tape, p)) }),
  ],
  [
    "two of one parameter",
    (tape, p) => ({ loss: add(add(l2Penalty(p.kernel, 0.3), data(tape, p)), l2Penalty(p.kernel, 0.5)) }),
  ],
  [
    "a sum that is used twice",
    (tape, p) => {
      const half = add(data(tape, p), l2Penalty(p.second, 0.3));
      return { loss: add(half, half) };
    },
  ],
  ["of a parameter that is not trained", (tape, p) => ({ loss: add(data(tape, p), l2Penalty(p.kept, 0.3)) }), 1],
  [
    "requested as an output",
    (tape, p) => {
      const penalty = l2Penalty(p.kernel, 0.3);
      const loss = add(data(tape, p), penalty);
      return { loss, outputs: { penalty, total: loss } };
    },
    1,
  ],
  // A term of another kind: its gradient takes two further launches.
  ["scaled", (tape, p) => ({ loss: add(data(tape, p), scale(l2Penalty(p.kernel, 0.3), 2)) }), 2],
  [
    "of a tensor that is not a parameter",
    (tape, p) => ({ loss: add(data(tape, p), l2Penalty(scale(p.kernel, 2), 0.3)) }),
    2,
  ],
  ["with the factor 0", (tape, p) => ({ loss: add(data(tape, p), l2Penalty(p.kernel, 0)) })],
] as [string, Parameters<typeof checkPenalties>[1], number?][]) {
  defineOnce(`rules: L2 penalties: ${what}`, (device) => checkPenalties(device, record, dispatches));
}

defineOnce("rules: L2 penalties: a loss of penalties only", async (device) => {
  const tape = new Tape(device);
  const w = tape.parameter("w", [7], { initial: Float32Array.from([1, -2, 3, 0, 5, -6, 7]) });
  const program = await tape.compile({ loss: add(l2Penalty(w, 0.5), l2Penalty(w, 1.5)), optimizer: adam() });
  try {
    assertClose("loss", [(await program.run()).loss as number], [124], { tolerance: 1e-6 });
    const moment = await tape.store.readState("w", "first moment");
    assertClose(
      "gradient",
      moment.map((m) => 10 * m),
      [2, -4, 6, 0, 10, -12, 14],
      { tolerance: 1e-6 },
    );
  } finally {
    program.dispose();
    tape.store.dispose();
  }
});

// --------------------------------------------------------------------------------------------- other networks

const own = {
  pixels: [2, 8, 8, 3],
  pixels2: [2, 8, 8, 3],
  pixels3: [2, 8, 8, 3],
  filter: [3, 3, 3, 8],
  gamma: [8],
  beta: [8],
  filter2: [3, 3, 8, 8],
  bias2: [8],
  kernel: [32, 6],
  offset: [6],
  head: [6, 1],
  bias: [1],
  labels: [2],
};

cases("networks of a user's own", {
  "three towers of one filter, a second filter of one of them, and a loss of three terms": [
    {
      inputs: own,
      tolerance: OPERATION_TOLERANCE,
      record: ({ pixels, pixels2, pixels3, labels, ...p }) => {
        const tower = (bytes: Tensor) => {
          const first = relu(
            batchNorm(maxPool2d(conv2d(scaleBytes(bytes), p.filter)), { gamma: p.gamma, beta: p.beta }),
          );
          const second = relu(maxPool2d(conv2d(first, p.filter2, { bias: p.bias2 })));
          return sigmoid(dense(flatten(second), p.kernel, { bias: p.offset }));
        };
        const [a, b, c] = [pixels, pixels2, pixels3].map(tower);
        const score = (u: Tensor, v: Tensor) => dense(absDifference(u, v), p.head, { bias: p.bias });
        const terms = [
          sigmoidCrossEntropy(score(a, b), labels),
          scale(sigmoidCrossEntropy(score(a, c), labels), 0.5),
          scale(mean(absDifference(b, c)), 0.1),
        ];
        const loss = terms.reduce(add);
        return derived(loss, p, { loss, a, b });
      },
    },
    ...[1, 2, 3].flatMap(() => [rule.reluIntoNorm, rule.block, rule.bytes, rule.bias, rule.dense]),
  ],
});
