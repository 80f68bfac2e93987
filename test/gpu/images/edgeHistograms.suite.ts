// Histograms of edges against their float64 reference over random shapes.
import fc from "fast-check";
import { edgeHistograms, mean, tensor, valueAndGradients } from "../../../src/index.ts";
import { normal } from "../../random.ts";
import { map } from "../../reference/ndarray.ts";
import { edgeHistograms as reference } from "../../reference/ops/images/edgeHistograms.ts";
import { assertClose, assertEqual, assertThrows, defineKernel, defineOnce, forAll } from "../suite.ts";

const size = fc.integer({ min: 4, max: 13 });

defineKernel("edgeHistograms: random shapes", (device) =>
  forAll(fc.tuple(fc.integer({ min: 1, max: 3 }), size, size, fc.integer({ min: 8, max: 12 })), 6, async (shape) => {
    const edges = map(normal(shape, 1), Math.fround);
    const given = tensor(shape, Float32Array.from(edges.data));
    const found = (await valueAndGradients(device, ({ edges }) => edgeHistograms(edges), { edges: given })).value;
    const expected = reference({ edges });
    assertEqual("shape", [...found.shape], [...expected.shape]);
    assertClose("edgeHistograms", found.data, expected.data);
  }),
);

defineOnce("edgeHistograms: no gradient; refuses fewer than 4 x 4 cells or 8 directions", async (device) => {
  const edges = (shape: number[]) => tensor(shape, new Float32Array(shape.reduce((a, b) => a * b)));
  const run = (shape: number[]) => valueAndGradients(device, ({ x }) => edgeHistograms(x), { x: edges(shape) });
  const gradients = () =>
    valueAndGradients(device, ({ x }) => mean(edgeHistograms(x)), { x: edges([1, 4, 4, 8]) }, { gradientsOf: ["x"] });
  await assertThrows("a gradient", gradients, ["edgeHistograms", "no gradient"]);
  await assertThrows("three rows", () => run([1, 3, 8, 9]), ["edgeHistograms", "[1, 3, 8, 9]", "4 x 4"]);
  await assertThrows("too few directions", () => run([1, 4, 4, 3]), ["edgeHistograms", "8 directions"]);
});
