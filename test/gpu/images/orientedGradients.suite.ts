// Edges by direction against their float64 reference over random shapes, and a case computed by hand.
import fc from "fast-check";
import { type Device, mean, orientedGradients, tensor, valueAndGradients } from "../../../src/index.ts";
import { normal } from "../../random.ts";
import { map, type NdArray, ndarray } from "../../reference/ndarray.ts";
import { orientedGradients as reference } from "../../reference/ops/images/orientedGradients.ts";
import { assertClose, assertThrows, defineKernel, defineOnce, forAll } from "../suite.ts";

async function run(device: Device, x: NdArray) {
  const given = tensor(x.shape, Float32Array.from(x.data));
  return (await valueAndGradients(device, ({ x }) => orientedGradients(x), { x: given })).value.data;
}

const size = fc.integer({ min: 2, max: 23 });

defineKernel("orientedGradients: random shapes", (device) =>
  forAll(fc.tuple(fc.integer({ min: 1, max: 3 }), size, size, fc.integer({ min: 1, max: 4 })), 6, async (shape) => {
    const x = map(normal(shape, 1), Math.fround);
    assertClose("orientedGradients", await run(device, x), reference({ x }).data);
  }),
);

defineOnce("orientedGradients: a slope has one direction and its two neighbors' halves, by hand", async (device) => {
  const x = ndarray(
    [1, 8, 8, 1],
    Array.from({ length: 64 }, (_, i) => i % 8),
  );
  const found = await run(device, x);
  const cell = (3 * 4 + 2) * 9 - 9; // in the third row, the second cell: borders are far
  // d = (2, 0): h = (4 / 2.001, 2 / 2.001, 0, 0, 0, 0, 0, 2 / 2.001); at the left and right border d = (1, 0) in half of a cell.
  const [h, side] = [4 / 2.001, 2 / 2.001];
  const [inner, outer] = [h * h + 2 * side * side, ((h + 1 / 1.001) / 2) ** 2 + 2 * ((side + 0.5 / 1.001) / 2) ** 2];
  const n = Math.sqrt((outer + outer + inner + inner + outer) / 5) + 0.1; // columns -1, 0, 1, 2, 3; -1 repeats 0
  const expected = [h, side, 0, 0, 0, 0, 0, side].map((value) => Math.sqrt(value / n + 0.01));
  assertClose("a cell", found.slice(cell, cell + 9), [...expected, 2.5]);
});

defineOnce("orientedGradients: no gradient; refuses a single row", async (device) => {
  const picture = tensor(
    [1, 4, 4, 1],
    Array.from({ length: 16 }, (_, i) => i),
  );
  const gradients = () =>
    valueAndGradients(device, ({ x }) => mean(orientedGradients(x)), { x: picture }, { gradientsOf: ["x"] });
  await assertThrows("a gradient", gradients, ["orientedGradients", "no gradient"]);
  const line = () =>
    valueAndGradients(device, ({ x }) => orientedGradients(x), { x: tensor([1, 1, 4, 1], [0, 1, 2, 3]) });
  await assertThrows("a line", line, ["orientedGradients", "2 x 2"]);
});
