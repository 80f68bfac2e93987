// Each rule of src/ops/fused/rules.ts: it matches its pattern, does not match if something else reads a tensor that it
// removes, and in both cases values and gradients equal those of the unfused operations.

import {
  type conv2d,
  type Device,
  gradients,
  type maxPool2d,
  sigmoid,
  sum,
  Tape,
  type Tensor,
} from "../../../../src/index.ts";
import { rules } from "../../../../src/ops/fused/rules.ts";
import { compile } from "../../../../src/tape/compile.ts";
import { planProgram } from "../../../../src/tape/plan.ts";
import type { Rule } from "../../../../src/tape/rewrite.ts";
import { binary, normal } from "../../../random.ts";
import { assert, assertClose, assertEqual, defineOnce, OPERATION_TOLERANCE } from "../../suite.ts";

/** For the same sums in another order. A block also sums batch statistics, whose gradients are a small remainder. */
const toleranceOf = (rules: readonly Rule[]) => (rules.includes(rule.block) ? OPERATION_TOLERANCE : 1e-6);

export type ConvOptions = Parameters<typeof conv2d>[2];
export type PoolOptions = Parameters<typeof maxPool2d>[1];
export type Tensors = Record<string, Tensor>;

export interface Network {
  readonly inputs: Readonly<Record<string, readonly number[]>>;
  /** For all comparisons; see `toleranceOf`. */
  readonly tolerance?: number;
  /** The outputs that are read back. */
  record(t: Tensors): Tensors;
}

const named = (start: string): Rule => rules.find(({ name }) => name.startsWith(start))!;

export const rule = {
  reluIntoNorm: named("batchNorm + relu"),
  block: named("block"),
  inferenceBlock: named("inference block"),
  bytes: named("bytes"),
  bias: named("bias gradient"),
  dense: named("dense + activation"),
  pairLoss: named("pair loss: "),
  layer: named("pair loss after"),
  loss: named("loss from"),
};

/** Values by name: pixels are bytes, labels zeros and ones, filters and kernels small, gammas about 1. */
export function valuesOf(name: string, shape: readonly number[], seed: number): Float32Array | Uint8Array {
  const size = shape.reduce((a, b) => a * b, 1);
  if (name.startsWith("pixels")) return Uint8Array.from({ length: size }, (_, i) => (i * 37 + seed) % 256);
  if (name.startsWith("labels")) return Float32Array.from(binary(shape, seed).data);
  if (name.startsWith("variance")) return new Float32Array(size).fill(1.5);
  const fan = size / shape[shape.length - 1];
  const weights = name.startsWith("filter") || name.startsWith("kernel");
  const options = weights
    ? { deviation: 1 / Math.sqrt(fan) }
    : { mean: name.startsWith("gamma") ? 1 : 0, deviation: 0.5 };
  return Float32Array.from(normal(shape, seed, weights || name.startsWith("gamma") ? options : {}).data);
}

/** The results of a step without the given rules, and the rules that were applied. */
export async function step(device: Device, { inputs, record }: Network, unused: readonly Rule[]) {
  const tape = new Tape(device);
  const entries = Object.entries(inputs);
  const tensors = entries.map(([name, shape]) => {
    const dtype = name.startsWith("pixels") ? "u8" : "f32";
    return [name, tape.input(name, shape, { dtype })] as const;
  });
  const outputs = record(Object.fromEntries(tensors));
  const applied = planProgram(tape, { outputs }, unused).stages.rewrites.map((r) => r.rule);
  const program = await compile(tape, { outputs }, unused);
  try {
    const feed = entries.map(([name, shape], i) => [name, valuesOf(name, shape, i + 1)] as const);
    return { applied, results: (await program.run(Object.fromEntries(feed))) as Record<string, Float32Array> };
  } finally {
    program.dispose();
    tape.store.dispose();
  }
}

async function check(device: Device, network: Network, expected: readonly Rule[]): Promise<void> {
  const fused = await step(device, network, []);
  assertEqual("applied", fused.applied.map((r) => r.name).sort(), expected.map((r) => r.name).sort());
  for (const unused of [...[...new Set(expected)].map((r) => [r]), rules]) {
    const { applied, results } = await step(device, network, unused);
    assert(!applied.some((r) => unused.includes(r)), `applied: ${applied.map((r) => r.name)}`);
    const tolerance = network.tolerance ?? toleranceOf(unused === rules ? expected : unused);
    for (const [name, values] of Object.entries(results)) {
      assert(
        values.some((v) => v !== 0),
        `${name} is zero everywhere`,
      );
      assertClose(name, fused.results[name], values, { tolerance });
    }
  }
}

export const cases = (of: string, list: Readonly<Record<string, readonly [Network, ...Rule[]]>>) => {
  for (const [what, [network, ...expected]] of Object.entries(list)) {
    defineOnce(`rules: ${of}: ${what}`, (device) => check(device, network, expected));
  }
};

/** The gradients of a loss by name, and other results. */
export function derived(loss: Tensor, wrt: Tensors, more: Tensors = {}): Tensors {
  const found = gradients(loss, Object.values(wrt));
  return { ...more, ...Object.fromEntries(Object.keys(wrt).map((name, i) => [`gradient of ${name}`, found[i]])) };
}

/** Gradients of the sum of y's sigmoids, so that no two elements have the same. */
export function withGradients(y: Tensor, wrt: Tensors, more: Tensors = {}): Tensors {
  return derived(sum(sigmoid(y)), wrt, more);
}
