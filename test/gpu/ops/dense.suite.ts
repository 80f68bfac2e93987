import fc from "fast-check";
import { normal } from "../../random.ts";
import { checkOperation } from "../operation.ts";
import { defineKernel, forAll } from "../suite.ts";
import { deviceAs, kinds } from "../variants.ts";

const upTo = (max: number) => fc.integer({ min: 1, max });

const inputsOf = ([B, I, O]: readonly number[], bias = true) => ({
  x: normal([B, I], 1),
  kernel: normal([I, O], 2),
  ...(bias && { bias: normal([O], 3) }),
});

for (const kind of kinds) {
  defineKernel(`dense, kernels for ${kind}: random shapes, with and without bias and activation`, (device) =>
    forAll(
      fc.record({
        shape: fc.tuple(
          upTo(19),
          fc.oneof(
            upTo(150),
            upTo(37).map((n) => 4 * n),
          ), // multiples of 4 have separate kernels
          fc.oneof(upTo(70), fc.constantFrom(1, 16, 64)),
        ),
        bias: fc.boolean(),
        activation: fc.constantFrom(undefined, "sigmoid" as const, "relu" as const),
      }),
      10,
      ({ shape, bias, activation }) =>
        checkOperation(deviceAs(device, kind), "dense", inputsOf(shape, bias), { activation }),
    ),
  );
}

for (const [name, shape] of [
  ["1 x 1 x 1", [1, 1, 1]],
  ["batch 1", [1, 97, 41]],
  ["one output", [16, 1024, 1]],
  ["one input", [7, 1, 33]],
  ["primes", [13, 101, 67]],
  ["one past every tile", [33, 129, 65]],
  ["two rows, whole vec4s", [2, 52, 84]],
  ["three rows, one past a tile of vec4s", [3, 33, 68]],
  ["seven rows", [7, 20, 136]],
  ["a long inner sum", [4, 6272, 12]],
  ["a kernel gradient in two parts of an odd number of rows", [513, 32, 16]],
] as const) {
  defineKernel(`dense: ${name}`, async (device) => {
    for (const kind of kinds) await checkOperation(deviceAs(device, kind), "dense", inputsOf(shape));
  });
}
