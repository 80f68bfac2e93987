// Constant folding: launches that depend on parameters alone run once, and again after the parameters change.
import {
  adam,
  add,
  batchNorm,
  conv2d,
  dense,
  flatten,
  maxPool2d,
  mean,
  ParameterStore,
  type Program,
  scale,
  sigmoid,
  Tape,
  type Tensor,
} from "../../../src/index.ts";
import { assertClose, assertEqual, define, defineOnce } from "../suite.ts";

const constantOf = ({ graph }: Program) => graph.kernels.filter(({ constant }) => constant).map(({ kernel }) => kernel);

define("constants: are computed once, and again after a parameter changes", async (device) => {
  const tape = new Tape(device);
  const x = tape.input("x", [4]);
  const w = tape.parameter("w", [4], { initial: 1 });
  const program = await tape.compile({ outputs: { y: add(x, sigmoid(scale(w, 3))) } });
  assertEqual("constant", constantOf(program), ["scale.forward", "sigmoid.forward"]);
  assertEqual(
    "of each step",
    program.launches.map(({ kernel }) => kernel),
    ["add.forward"],
  );
  const logistic = (v: number) => 1 / (1 + Math.exp(-v));
  for (const value of [1, 1, -2]) {
    if (value !== 1) w.write([value, value, value, value]);
    const { y } = await program.run({ x: [1, 2, 3, 4] });
    assertClose(
      `with ${value}`,
      y,
      [1, 2, 3, 4].map((v) => v + logistic(3 * value)),
    );
  }
  w.write([0, 0, 0, 0]);
  program.prepare();
  const { y } = await program.run({ x: [0, 0, 0, 0] });
  assertClose("prepared", y, [0.5, 0.5, 0.5, 0.5]);
  program.dispose();
  tape.store.dispose();
});

define("constants: follow the steps of a program that trains the same parameters", async (device) => {
  const parameters = new ParameterStore(device);
  const record = () => {
    const tape = new Tape(device, { parameters });
    const x = tape.input("x", [2, 4]);
    const doubled = scale(tape.parameter("w", [4, 1], { initial: 1 }), 2);
    return { tape, y: dense(x, doubled) };
  };
  const training = record();
  const step = await training.tape.compile({ loss: mean(training.y), optimizer: adam({ learningRate: 0.25 }) });
  assertEqual("constant in training", constantOf(step), []);
  const inference = record();
  const program = await inference.tape.compile({ outputs: { y: inference.y } });
  assertEqual("constant in inference", constantOf(program), ["scale.forward"]);
  const x = new Float32Array(8).fill(1);
  for (const expected of [8, 6, 4]) {
    assertClose("y", (await program.run({ x })).y, [expected, expected]);
    await step.run({ x });
  }
  step.dispose();
  program.dispose();
  parameters.dispose();
});

/** An inference tower; its parameters are named, so that they are parameters, not inputs. */
function tower(tape: Tape, x: Tensor, filters: readonly number[]): Tensor {
  let y = x;
  for (const [i, count] of filters.entries()) {
    const parameter = (name: string, shape: number[]) =>
      tape.parameter(`${name}${i}`, shape, { initial: name === "filter" ? "glorot-uniform" : 1 });
    const moving = { mean: parameter("mean", [count]), variance: parameter("variance", [count]) };
    const norm = { gamma: parameter("gamma", [count]), beta: parameter("beta", [count]), moving };
    const pooled = maxPool2d(conv2d(y, parameter("filter", [3, 3, y.shape[3], count])));
    y = batchNorm(pooled, { ...norm, training: false, activation: "relu" });
  }
  return dense(flatten(y), tape.parameter("kernel", [y.size / y.shape[0], 8], { initial: 0.1 }));
}

defineOnce(
  "constants: include transformed filters and batch-norm's scales, and no transposed filter",
  async (device) => {
    const tape = new Tape(device);
    const program = await tape.compile({ outputs: { y: tower(tape, tape.input("x", [1, 28, 28, 16]), [16, 32]) } });
    const constant = constantOf(program);
    const filters = device.portable ? [] : ["winograd.filter"]; // Winograd is not among the portable kernels.
    assertEqual("constant", constant.sort(), ["batchNorm.fold", "batchNorm.fold", ...filters]);
    const { activations } = program.memory();
    const turned = program.graph.buffers
      .flatMap(({ tensors }) => tensors)
      .filter(({ name }) => /transposed/.test(name));
    assertEqual(
      "bytes of transposed filters",
      turned.reduce((sum, { bytes }) => sum + bytes, 0),
      device.portable ? 0 : 16,
    );
    assertEqual("some memory", activations > 0, true);
    program.dispose();
    tape.store.dispose();
  },
);

defineOnce("constants: nothing is folded with fold: false", async (device) => {
  const tape = new Tape(device);
  const w = tape.parameter("w", [4], { initial: 1 });
  const program = await tape.compile({ outputs: { y: scale(w, 2) }, fold: false });
  assertEqual("of each step", program.launches.length, 1);
  program.dispose();
  tape.store.dispose();
});
