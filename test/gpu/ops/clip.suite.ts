// Clipping by the global norm against float64, from vanishing gradients to ones whose squares overflow float32; and the
// report of a non-finite loss or gradient.

import fc from "fast-check";
import { adam, add, type Device, dense, l2Penalty, scale, sum, Tape, type Tensor } from "../../../src/index.ts";
import { normal } from "../../random.ts";
import { map, type NdArrays, ndarray } from "../../reference/ndarray.ts";
import { adam as referenceAdam } from "../../reference/network/adam.ts";
import { clip } from "../../reference/network/clip.ts";
import {
  assertClose,
  assertEqual,
  assertSameBits,
  assertThrows,
  define,
  defineKernel,
  forAll,
  NETWORK_TOLERANCE,
} from "../suite.ts";

/** loss = sum of x_i . p_i + 0.1 |p_0|^2 / 2: the gradient of p_i is x_i, p_0's with its penalty. */
async function linear(device: Device, sizes: readonly number[], clipNorm?: number, learningRate = 0.01) {
  const tape = new Tape(device);
  const terms: Tensor[] = [];
  const parameters = sizes.map((size, i) => {
    const p = tape.parameter(`p${i}`, [size, 1], { initial: Float32Array.from(normal([size, 1], i).data) });
    terms.push(sum(dense(tape.input(`x${i}`, [1, size]), p)));
    return p;
  });
  terms.push(l2Penalty(parameters[0], 0.1));
  const loss = terms.reduce((a, b) => add(a, b));
  const step = await tape.compile({ loss, optimizer: adam({ clipNorm, learningRate }) });
  return { tape, step, parameters };
}

/** The values of each x, of the given norm. */
const inputs = (sizes: readonly number[], seed: number, size: number) =>
  Object.fromEntries(
    sizes.map((n, i) => [`x${i}`, Float32Array.from(normal([1, n], seed + 17 * i).data, (v) => v * size)]),
  );

const example = fc.record({
  sizes: fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 4 }),
  clipNorm: fc.constantFrom(0.01, 1, 5),
  size: fc.constantFrom(1e-30, 1e-3, 1, 1e3, 1e25, 1e34),
});

defineKernel("clip: the first moment after a step is that of the clipped gradients, as in float64", (device) =>
  forAll(example, 8, async ({ sizes, clipNorm, size }) => {
    const { tape, step, parameters } = await linear(device, sizes, clipNorm);
    const given = inputs(sizes, 1, size);
    const gradients: NdArrays = {};
    for (const [i, p] of parameters.entries()) {
      const w = await p.read();
      gradients[p.name] = map(ndarray(p.shape, given[`x${i}`]), (g, k) => g + (i === 0 ? 0.1 * w[k] : 0));
    }
    await step.run(given);
    const clipped = clip(gradients, clipNorm);
    for (const p of parameters) {
      const expected = clipped[p.name].data.map((g) => (1 - 0.9) * g);
      assertClose("clipped gradient", await tape.store.readState(p.name, "first moment"), expected);
    }
    step.dispose();
    tape.store.dispose();
  }),
);

defineKernel("clip: ten clipped Adam steps follow the float64 reference", async (device) => {
  const sizes = [67, 130];
  const { tape, step, parameters } = await linear(device, sizes, 2, 0.05);
  const values: NdArrays = {};
  for (const p of parameters) values[p.name] = ndarray(p.shape, await p.read());
  const update = referenceAdam({ learningRate: 0.05 });
  for (let n = 0; n < 10; n++) {
    const given = inputs(sizes, n, n % 2 ? 0.01 : 3); // some below the norm, some above
    await step.run(given);
    const gradients = Object.fromEntries(
      sizes.map((size, i) => {
        const w = values[`p${i}`].data;
        const g = map(ndarray([size, 1], given[`x${i}`]), (v, k) => v + (i === 0 ? 0.1 * w[k] : 0));
        return [`p${i}`, g];
      }),
    );
    update(values, clip(gradients, 2));
  }
  for (const p of parameters) {
    assertClose("weights after clipped steps", await p.read(), values[p.name].data, { tolerance: NETWORK_TOLERANCE });
  }
  step.dispose();
  tape.store.dispose();
});

define("clip: a norm above that of the gradients changes no bit", async (device) => {
  const sizes = [67, 130];
  const free = await linear(device, sizes);
  const loose = await linear(device, sizes, 1e6);
  for (let n = 0; n < 3; n++) for (const { step } of [free, loose]) await step.run(inputs(sizes, n, 1));
  for (const [i, p] of free.parameters.entries()) {
    assertSameBits(p.name, await loose.parameters[i].read(), await p.read());
  }
  for (const { step, tape } of [free, loose]) {
    step.dispose();
    tape.store.dispose();
  }
});

define("errors: an invalid clipNorm", async () => {
  for (const clipNorm of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) {
    await assertThrows(`clipNorm ${clipNorm}`, () => adam({ clipNorm }), ["adam: clipNorm", String(clipNorm)]);
  }
});

define("program: a step reports whether its loss and gradients are finite", async (device) => {
  for (const size of [1, 63, 66]) {
    const tape = new Tape(device);
    const x = tape.input("x", [1, size]);
    const p = tape.parameter("p", [size, 1], { initial: 0 });
    // d loss / d p = 1e30 x: infinite for an x of 1e20, while the loss stays 0 with p.
    const loss = scale(sum(dense(x, p)), 1e30);
    const step = await tape.compile({ loss, optimizer: adam() });
    const at = (position: number, value: number) => {
      const values = new Float32Array(size);
      values[position] = value;
      return { x: values };
    };
    const runs = [at(0, 1e-30), at(size - 1, 1e20), at(0, 1e-30), at(0, Number.NaN)];
    const told: boolean[] = [];
    const losses: number[] = [];
    for (const run of runs) {
      const { loss, finite } = await step.run(run);
      told.push(finite);
      losses.push(loss);
      p.write(new Float32Array(size));
      for (const moment of ["first moment", "second moment"]) {
        tape.store.writeState("p", moment, new Float32Array(size));
      }
    }
    assertEqual(`finite, ${size} elements`, told, [true, false, true, false]);
    assertEqual("losses", losses.slice(0, 3), [0, 0, 0]);
    step.dispose();
    tape.store.dispose();
  }
});
