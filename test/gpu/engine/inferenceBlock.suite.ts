// The inference block with each of its kernels, against the three separate operations.
import { batchNorm, conv2d, type Device, maxPool2d, Tape } from "../../../src/index.ts";
import { rules } from "../../../src/ops/fused/rules.ts";
import { compile } from "../../../src/tape/compile.ts";
import { normal } from "../../random.ts";
import { assert, assertClose, assertEqual, defineKernel, defineOnce } from "../suite.ts";
import { deviceAs, deviceTaking, deviceWithin } from "../variants.ts";

interface Shape {
  readonly x: readonly [number, number, number, number];
  readonly filters: readonly number[];
}

/** Consecutive blocks, with scales of either sign and averages far from 0. */
async function run(device: Device, { x: shape, filters }: Shape, fused: boolean) {
  const tape = new Tape(device);
  const feed: Record<string, Float32Array> = {};
  const input = (name: string, of: readonly number[], seed: number, options = {}) => {
    feed[name] = Float32Array.from(normal(of, seed, options).data);
    return tape.input(name, of);
  };
  let y = input("x", shape, 1);
  for (const [i, count] of filters.entries()) {
    const channels = y.shape[3];
    const filter = input(`filter ${i}`, [3, 3, channels, count], 2 + i, { deviation: 1 / Math.sqrt(9 * channels) });
    const bias = input(`bias ${i}`, [count], 3 + i);
    const [gamma, beta, mean] = ["gamma", "beta", "mean"].map((name, j) => input(`${name} ${i}`, [count], 4 + i + j));
    const variance = input(`variance ${i}`, [count], 9 + i);
    feed[`variance ${i}`] = feed[`variance ${i}`].map((v) => 0.5 + v * v);
    const norm = { gamma, beta, moving: { mean, variance }, training: false } as const;
    y = batchNorm(maxPool2d(conv2d(y, filter, { bias })), { ...norm, activation: "relu" });
  }
  const program = await compile(tape, { outputs: { y } }, fused ? [] : rules);
  try {
    const { y } = (await program.run(feed)) as Record<string, Float32Array>;
    const { largestBinding } = program.memory();
    return { kernels: program.launches.map(({ kernel }) => kernel), largestBinding, y };
  } finally {
    program.dispose();
    tape.store.dispose();
  }
}

const shapes: readonly Shape[] = [
  { x: [3, 15, 9, 16], filters: [20, 16] },
  { x: [2, 3, 6, 1], filters: [8] }, // a row of windows
  { x: [2, 6, 3, 5], filters: [8] }, // a column
  { x: [3, 3, 3, 16], filters: [12] }, // a single one
];

for (const [kind, candidate, kernel] of [
  ["software adapters", "direct", "conv2d.pool"],
  ["GPUs", "shared", "conv2d.pool.shared"],
  ["GPUs", "winograd", "winograd.pool"],
] as const) {
  defineKernel(
    `inference block, ${candidate} for ${kind}: agrees with the operations by themselves`,
    async (device) => {
      for (const shape of candidate === "winograd" ? shapes.slice(0, 1) : shapes) {
        const found = await run(deviceTaking(device, kind, candidate).device, shape, true);
        assert(found.kernels.includes(kernel), `it launched ${found.kernels}`);
        const expected = await run(device, shape, false);
        assertClose(`y of ${shape.x}`, found.y, expected.y);
      }
    },
  );
}

defineOnce("inference block: a batch too large for one binding is split into parts", async (device) => {
  const shape: Shape = { x: [5, 16, 16, 4], filters: [32, 12] };
  const software = deviceAs(device, "software adapters");
  const whole = await run(software, shape, true);
  const limit = 24 * 1024; // the pictures, and two images of the first block's output
  assert(whole.largestBinding > limit, `nothing to split: ${whole.largestBinding} bytes`);
  const split = await run(deviceWithin(software, { maxStorageBufferBindingSize: limit }), shape, true);
  assert(split.largestBinding <= limit, `a binding of ${split.largestBinding} bytes`);
  assertEqual("launches", [whole.kernels.length, split.kernels.length], [4, 8]);
  assertEqual("y", [...split.y], [...whole.y]);
});
