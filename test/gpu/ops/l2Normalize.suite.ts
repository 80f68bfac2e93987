import fc from "fast-check";
import { normal } from "../../random.ts";
import { ndarray, zeros } from "../../reference/ndarray.ts";
import { checkOperation } from "../operation.ts";
import { defineKernel, forAll } from "../suite.ts";

defineKernel("l2Normalize: random shapes", (device) =>
  forAll(fc.tuple(fc.integer({ min: 1, max: 17 }), fc.integer({ min: 2, max: 140 })), 6, (shape) =>
    checkOperation(device, "l2Normalize", { x: normal(shape, 1) }),
  ),
);

defineKernel("l2Normalize: rows of one value become 1 or -1 and have no gradient", (device) => {
  // The gradient is the difference of two terms of size g / |x|, so the error is measured against those.
  const x = ndarray([3, 1], [2, -4, 0.5]);
  return checkOperation(device, "l2Normalize", { x }, {}, { scale: { x: 2 } });
});

defineKernel("l2Normalize: a row of zeros stays zero, its gradient is finite", (device) =>
  checkOperation(device, "l2Normalize", { x: zeros([2, 5]) }, {}),
);

defineKernel("l2Normalize: below a large epsilon a row is only scaled", (device) =>
  checkOperation(device, "l2Normalize", { x: normal([4, 6], 1, { deviation: 0.01 }) }, { epsilon: 0.25 }),
);
