// Every function that returns a tensor has a gradient that agrees with finite differences, or refuses to be
// differentiated: no parameter silently fails to train.
import { add, type Device, gradients, scale, sum, Tape, type Tensor } from "../../../src/index.ts";
import { normal } from "../../random.ts";
import { ndarray, sizeOf } from "../../reference/ndarray.ts";
import { assert, assertThrows, defineOnce } from "../suite.ts";
import { type Example, examples } from "./tensorFunctions.ts";

/** The example on a tape, with x + step * direction for each input x. */
async function withExample<T>(
  device: Device,
  { of, inputs, values }: Example,
  step: number,
  work: (tape: Tape, tensors: Record<string, Tensor>, output: Tensor) => Promise<T>,
  moved?: string,
): Promise<T> {
  const tape = new Tape(device);
  const tensors = Object.fromEntries(
    Object.entries(inputs).map(([name, shape], i) => {
      const given = values?.[name] ? ndarray(shape, values[name]) : normal(shape, 11 + i);
      const at = (kind: string, data: Float64Array) =>
        tape.constant(`${kind} of ${name}`, shape, Float32Array.from(data));
      const direction = at("direction", normal(shape, 31 + i).data);
      return [name, add(at("value", given.data), scale(direction, name === moved ? step : 0))];
    }),
  );
  try {
    return await work(tape, tensors, of(tensors));
  } finally {
    tape.store.dispose();
  }
}

async function run(tape: Tape, outputs: Record<string, Tensor>) {
  const program = await tape.compile({ outputs });
  try {
    return await program.run({});
  } finally {
    program.dispose();
  }
}

for (const [name, example] of Object.entries(examples)) {
  const { inputs, gradientsOf = [], refuses = [] } = example;
  if (gradientsOf.length > 0) {
    defineOnce(`gradients of everything: ${name}`, async (device) => {
      for (const wrt of gradientsOf) {
        const weighted = (tape: Tape, y: Tensor) => {
          // A weight for each element, so that no gradient is 0 by symmetry.
          const weights = normal(y.shape, 51).data;
          return { y, seed: tape.constant("seed", y.shape, Float32Array.from(weights)), weights };
        };
        const found = await withExample(device, example, 0, async (tape, tensors, output) => {
          const { y, seed } = weighted(tape, output);
          return (await run(tape, { g: gradients(y, [tensors[wrt]], seed)[0] })).g as Float32Array;
        });
        const at = (step: number) =>
          withExample(
            device,
            example,
            step,
            async (tape, _, output) => {
              const { y, weights } = weighted(tape, output);
              const values = (await run(tape, { y })).y as Float32Array | number;
              const list = typeof values === "number" ? [values] : [...values];
              return list.reduce((total, value, i) => total + value * weights[i], 0);
            },
            wrt,
          );
        const step = 2 ** -9;
        const byDifferences = ((await at(step)) - (await at(-step))) / (2 * step);
        const index = Object.keys(inputs).indexOf(wrt);
        const direction = normal(inputs[wrt], 31 + index).data;
        const byGradient = direction.reduce((total, d, i) => total + d * found[i], 0);
        const size = Math.sqrt(found.reduce((total, g) => total + g * g, 0) * sizeOf(inputs[wrt]));
        assert(size > 0, `${name} by ${wrt}: the gradient is 0`);
        assert(
          Math.abs(byGradient - byDifferences) <= 0.02 * size,
          `${name} by ${wrt}: along a direction the gradient is ${byGradient}, by differences ${byDifferences}`,
        );
      }
    });
  }
  for (const wrt of refuses) {
    defineOnce(`gradients of everything: ${name} refuses gradients with respect to ${wrt}`, (device) =>
      withExample(device, example, 0, async (tape, tensors, output) => {
        const refused = () => tape.compile({ outputs: { g: gradients(sum(output), [tensors[wrt]])[0] } });
        await assertThrows(name, refused, ["gradient"]);
      }),
    );
  }
}
