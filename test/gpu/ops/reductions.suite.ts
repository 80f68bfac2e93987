// sum, mean and l2Penalty: all elements to one number, where float32 loses digits if the order is careless.

import fc from "fast-check";
import { normal } from "../../random.ts";
import { checkOperation } from "../operation.ts";
import { defineKernel, forAll } from "../suite.ts";

const extent = fc.integer({ min: 1, max: 23 });
const shapes = fc.oneof(fc.tuple(extent), fc.tuple(extent, extent), fc.tuple(extent, extent, extent));

for (const op of ["sum", "mean"] as const) {
  defineKernel(`${op}: random shapes`, (device) =>
    forAll(shapes, 6, (shape) => checkOperation(device, op, { x: normal(shape, 1, { mean: 1 }) })),
  );
  defineKernel(`${op}: a million values`, (device) =>
    checkOperation(device, op, { x: normal([1009, 997], 1, { mean: 1 }) }, {}, { tolerance: 1e-6 }),
  );
}

defineKernel("l2Penalty: random shapes and factors", (device) =>
  forAll(fc.tuple(shapes, fc.constantFrom(0.1, 0.5, 2)), 6, ([shape, factor]) =>
    checkOperation(device, "l2Penalty", { parameter: normal(shape, 1) }, { factor }),
  ),
);

defineKernel("l2Penalty: a dense layer's worth of weights", (device) =>
  checkOperation(device, "l2Penalty", { parameter: normal([1568, 257], 1) }, { factor: 0.1 }),
);
