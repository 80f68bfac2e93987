import fc from "fast-check";
import { gradients, maxPool2d, sum, Tape, type Tensor } from "../../../src/index.ts";
import { normal } from "../../random.ts";
import { ndarray } from "../../reference/ndarray.ts";
import { checkOperation } from "../operation.ts";
import { assertEqual, defineKernel, forAll } from "../suite.ts";
import { deviceWithAllKernels } from "../variants.ts";

const upTo = (max: number) => fc.integer({ min: 1, max });

defineKernel("maxPool2d: random shapes, sizes, strides and paddings", (device) =>
  forAll(
    fc
      .record({
        shape: fc.tuple(upTo(3), upTo(15), upTo(15), upTo(20)),
        size: upTo(4),
        stride: fc.option(upTo(4), { nil: undefined }),
        padding: fc.constantFrom("same" as const, "valid" as const),
      })
      .filter(({ shape: [, H, W], size, padding }) => padding === "same" || size <= Math.min(H, W)),
    10,
    ({ shape, ...options }) => checkOperation(device, "maxPool2d", { x: normal(shape, 1) }, options),
  ),
);

defineKernel("maxPool2d: the defaults, 2x2 VALID, drop an odd last row and column", (device) =>
  checkOperation(device, "maxPool2d", { x: normal([3, 7, 5, 13], 1) }, {}),
);

defineKernel("maxPool2d: windows and strides that differ by axis", async (device) => {
  const x = normal([2, 9, 13, 5], 1);
  await checkOperation(device, "maxPool2d", { x }, { size: [2, 3] });
  await checkOperation(device, "maxPool2d", { x }, { size: [3, 1], stride: [1, 4], padding: "same" });
});

defineKernel("maxPool2d: a 1x1 image", (device) =>
  checkOperation(device, "maxPool2d", { x: normal([1, 1, 1, 1], 1) }, { size: 1 }),
);

defineKernel("maxPool2d: overlapping windows add up their gradients", (device) =>
  checkOperation(device, "maxPool2d", { x: normal([2, 11, 9, 4], 1) }, { size: 3, stride: 1, padding: "same" }),
);

defineKernel("maxPool2d: among equal values the first in row-major order takes the gradient", async (device) => {
  const x = normal([2, 8, 8, 6], 1);
  const coarse = { ...x, data: x.data.map((value) => Math.round(value)) }; // many ties in each window
  await checkOperation(device, "maxPool2d", { x: coarse }, {});
  await checkOperation(device, "maxPool2d", { x: coarse }, { size: 3, stride: 2, padding: "same" });
});

defineKernel("maxPool2d: 2x2 windows inside the picture, whole vec4s of channels", (device) =>
  forAll(
    fc.record({
      shape: fc.tuple(
        upTo(3),
        fc.integer({ min: 2, max: 13 }),
        fc.integer({ min: 2, max: 13 }),
        upTo(20).map((n) => 4 * n),
      ),
      stride: fc.option(fc.tuple(upTo(3), upTo(3)), { nil: undefined }),
      ties: fc.boolean(),
    }),
    10,
    ({ shape, stride, ties }) => {
      const x = normal(shape, 1);
      const data = ties ? x.data.map((value) => Math.round(value)) : x.data;
      return checkOperation(device, "maxPool2d", { x: { ...x, data } }, { stride });
    },
  ),
);

defineKernel("maxPool2d: stores the positions of its maxima only if a gradient is requested", async (given) => {
  const device = deviceWithAllKernels(given);
  const write = async (withGradient: boolean) => {
    const tape = new Tape(device);
    const x = tape.input("x", [1, 4, 4, 8]);
    const y = maxPool2d(x);
    const outputs: Record<string, Tensor> = withGradient ? { y, gradient: gradients(sum(y), [x])[0] } : { y };
    const program = await tape.compile({ outputs });
    const kernels = program.launches.map(({ kernel }) => kernel);
    const values = (await program.run({ x: Float32Array.from(normal([1, 4, 4, 8], 1).data) })).y;
    program.dispose();
    return { kernels, values };
  };
  const alone = await write(false);
  const trained = await write(true);
  assertEqual("kernels without a gradient", alone.kernels, ["maxPool2d.values"]);
  assertEqual("the first kernel with a gradient", trained.kernels[0], "maxPool2d.argmax");
  assertEqual("values", [...trained.values], [...alone.values]);
});

defineKernel("maxPool2d: padding is never the maximum, also of negative values", (device) =>
  checkOperation(
    device,
    "maxPool2d",
    {
      x: ndarray(
        [1, 5, 5, 1],
        Float64Array.from({ length: 25 }, (_, i) => -1 - i),
      ),
    },
    { size: 3, stride: 1, padding: "same" },
  ),
);
