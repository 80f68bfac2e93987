import fc from "fast-check";
import { globalAveragePool, tensor, valueAndGradients } from "../../../../src/index.ts";
import { normal } from "../../../random.ts";
import { checkOperation } from "../../operation.ts";
import { assertThrows, define, defineKernel, forAll } from "../../suite.ts";

const upTo = (max: number) => fc.integer({ min: 1, max });

defineKernel("globalAveragePool: random shapes", (device) =>
  forAll(fc.tuple(upTo(5), upTo(9), upTo(9), upTo(140)), 8, (shape) =>
    checkOperation(device, "globalAveragePool", { x: normal(shape, 1, { mean: 1 }) }),
  ),
);

define("errors: globalAveragePool takes four axes", async (device) => {
  const x = tensor([2, 3], new Float32Array(6));
  const record = () => valueAndGradients(device, (t) => globalAveragePool(t.x), { x }, {});
  await assertThrows("rank", record, ["globalAveragePool", "[2, 3]"]);
});
