import fc from "fast-check";
import { normal } from "../../random.ts";
import type { Conv2dOptions } from "../../reference/ops/conv2d.ts";
import { checkOperation } from "../operation.ts";
import { assert, defineKernel, forAll } from "../suite.ts";
import { deviceAs, deviceChoosing, deviceTaking, kinds } from "../variants.ts";

interface Shape extends Conv2dOptions {
  B: number;
  H: number;
  W: number;
  C: number;
  O: number;
  U: number;
  V: number;
  bias?: boolean;
}

const inputsOf = ({ B, H, W, C, O, U, V, bias = true }: Shape) => ({
  x: normal([B, H, W, C], 1),
  filter: normal([U, V, C, O], 2),
  ...(bias && { bias: normal([O], 3) }),
});

const upTo = (max: number) => fc.integer({ min: 1, max });

const shapes: fc.Arbitrary<Shape> = fc
  .record({
    B: upTo(4),
    H: upTo(17),
    W: upTo(17),
    C: fc.oneof(upTo(20), fc.constantFrom(3, 16, 32)),
    O: fc.oneof(upTo(36), fc.constantFrom(4, 16, 32)),
    U: upTo(5),
    V: upTo(5),
    stride: fc.oneof(upTo(3), fc.tuple(upTo(3), upTo(3))),
    padding: fc.constantFrom("same" as const, "valid" as const),
    bias: fc.boolean(),
  })
  .filter(({ H, W, U, V, padding }) => padding === "same" || (U <= H && V <= W));

for (const kind of kinds) {
  defineKernel(`conv2d, kernels for ${kind}: random shapes, strides and paddings`, (device) =>
    forAll(shapes, 10, (shape) => {
      const { stride, padding } = shape;
      return checkOperation(deviceAs(device, kind), "conv2d", inputsOf(shape), { stride, padding });
    }),
  );

  defineKernel(`conv2d, kernels for ${kind}: random 3x3 SAME stride 1, the networks' own case`, (device) =>
    forAll(
      shapes.map((shape) => ({ ...shape, U: 3, V: 3, stride: 1, padding: "same" as const })),
      8,
      (shape) => checkOperation(deviceAs(device, kind), "conv2d", inputsOf(shape), {}),
    ),
  );

  // At least 16 channels, in multiples of 4, as the faster algorithms require.
  defineKernel(`conv2d, kernels for ${kind}: random 3x3 with many channels`, (device) => {
    const vec4s = fc.integer({ min: 4, max: 9 }).map((n) => 4 * n);
    const many = fc.record({
      B: upTo(3),
      H: fc.integer({ min: 3, max: 13 }),
      W: fc.integer({ min: 3, max: 13 }),
      C: vec4s,
      O: vec4s,
      padding: fc.constantFrom("same" as const, "valid" as const),
      bias: fc.boolean(),
    });
    return forAll(many, 6, ({ padding, ...shape }) =>
      checkOperation(deviceAs(device, kind), "conv2d", inputsOf({ ...shape, U: 3, V: 3 }), { padding }),
    );
  });
}

// Candidates are correct wherever they fit, not only where the rules choose them: a tuner may use any of them.
for (const candidate of ["winograd", "uniform", "few", "tiled"]) {
  defineKernel(`conv2d, ${candidate} wherever it fits: random shapes`, (device) => {
    const many = candidate === "winograd"; // it is no candidate for fewer than 16 channels
    const vec4s = fc.integer({ min: many ? 4 : 1, max: many ? 6 : 5 }).map((n) => 4 * n);
    const small = fc.record({
      B: upTo(3),
      H: fc.integer({ min: 3, max: 9 }),
      W: fc.integer({ min: 3, max: 9 }),
      C: many ? vec4s : fc.oneof(vec4s, upTo(5)),
      O: vec4s,
      U: fc.constantFrom(3, 3, 2),
      V: fc.constant(3),
      stride: fc.constantFrom(1, 1, 2),
      padding: fc.constantFrom("same" as const, "valid" as const),
    });
    const choosing = deviceChoosing(device, candidate);
    return forAll(small, 8, ({ stride, padding, ...shape }) =>
      checkOperation(choosing, "conv2d", inputsOf(shape), { stride, padding }),
    );
  });
}

const awkward: Record<string, Shape> = {
  "a 1x1 image, one channel in and out, batch 1": { B: 1, H: 1, W: 1, C: 1, O: 1, U: 3, V: 3 },
  "a 1x1 filter": { B: 2, H: 5, W: 7, C: 6, O: 10, U: 1, V: 1 },
  "one channel in": { B: 2, H: 9, W: 8, C: 1, O: 5, U: 3, V: 3 },
  "one channel out": { B: 1, H: 8, W: 9, C: 12, O: 1, U: 3, V: 3 },
  "primes everywhere": { B: 3, H: 13, W: 11, C: 7, O: 19, U: 3, V: 5 },
  "one past every tile": { B: 1, H: 17, W: 33, C: 17, O: 65, U: 3, V: 3 },
  "a filter larger than the image": { B: 2, H: 2, W: 3, C: 4, O: 8, U: 5, V: 7 },
  "VALID that leaves one output": { B: 2, H: 4, W: 4, C: 8, O: 12, U: 4, V: 4, padding: "valid" },
  "a stride larger than the filter": { B: 1, H: 10, W: 11, C: 3, O: 6, U: 2, V: 2, stride: 3, padding: "valid" },
  "an even filter": { B: 1, H: 7, W: 6, C: 2, O: 3, U: 2, V: 4 },
  "a single row": { B: 2, H: 1, W: 37, C: 5, O: 9, U: 3, V: 3 },
  "so many channels that Winograd's algorithm pays on GPUs, too": { B: 1, H: 5, W: 7, C: 144, O: 148, U: 3, V: 3 },
  "three channels at stride 2, as a first layer": { B: 2, H: 19, W: 23, C: 3, O: 16, U: 3, V: 3, stride: 2 },
};

for (const [name, shape] of Object.entries(awkward)) {
  defineKernel(`conv2d: ${name}`, async (device) => {
    const { stride = 1, padding = "same" } = shape;
    for (const kind of kinds)
      await checkOperation(deviceAs(device, kind), "conv2d", inputsOf(shape), { stride, padding });
  });
}

// Each candidate by its name, whatever the rules choose, with extents that leave tiles partly empty.
const candidates: [string, (typeof kinds)[number], Shape[]][] = [
  // Enough cells for the filter gradient's sums to be split into parts.
  ["winograd", "software adapters", [{ B: 513, H: 2, W: 1, C: 16, O: 20, U: 3, V: 3, bias: false }]],
  [
    "few",
    "GPUs",
    [1, 2, 3, 4].map((C) => ({
      B: 2,
      H: 6,
      W: 13,
      C,
      O: 20 + 23 * C,
      U: 3,
      V: 3,
      padding: C === 2 ? "valid" : "same",
    })),
  ],
  ["few", "GPUs", [{ B: 1, H: 7, W: 21, C: 3, O: 9, U: 2, V: 3 }]],
  ["tiled", "GPUs", [{ B: 2, H: 6, W: 7, C: 9, O: 11, U: 3, V: 3 }]],
  ["vec4", "software adapters", [{ B: 2, H: 6, W: 7, C: 20, O: 36, U: 3, V: 3 }]],
];

for (const [name, kind, shapes] of candidates) {
  for (const shape of shapes) {
    const { B, H, W, C, O, stride = 1, padding = "same" } = shape;
    defineKernel(
      `conv2d, the candidate "${name}": ${[B, H, W, C]} to ${O}, stride ${stride}, ${padding}`,
      async (device) => {
        const chosen = deviceTaking(device, kind, name);
        await checkOperation(chosen.device, "conv2d", inputsOf(shape), { stride, padding });
        assert(chosen.taken() > 0, `${name} was no candidate`);
      },
    );
  }
}
