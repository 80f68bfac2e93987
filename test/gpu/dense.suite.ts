import fc from "fast-check";
import { normal } from "../random.ts";
import { checkOperation } from "./operation.ts";
import { define, forAll } from "./suite.ts";

const inputsOf = ([B, I, O]: readonly number[], bias = true) => ({
  x: normal([B, I], 1),
  kernel: normal([I, O], 2),
  ...(bias && { bias: normal([O], 3) }),
});

define("dense: random shapes, with and without bias and activation", (device) =>
  forAll(
    fc.record({
      shape: fc.tuple(
        fc.integer({ min: 1, max: 19 }),
        fc.integer({ min: 1, max: 150 }),
        fc.oneof(fc.integer({ min: 1, max: 70 }), fc.constantFrom(1, 16, 64)),
      ),
      bias: fc.boolean(),
      activation: fc.constantFrom(undefined, "sigmoid" as const, "relu" as const),
    }),
    10,
    ({ shape, bias, activation }) => checkOperation(device, "dense", inputsOf(shape, bias), { activation }),
  ),
);

for (const [name, shape] of [
  ["1 x 1 x 1", [1, 1, 1]],
  ["batch 1", [1, 97, 41]],
  ["one output", [16, 1024, 1]],
  ["one input", [7, 1, 33]],
  ["primes", [13, 101, 67]],
  ["one past every tile", [33, 129, 65]],
  ["a long inner sum", [4, 6272, 12]],
] as const) {
  define(`dense: ${name}`, (device) => checkOperation(device, "dense", inputsOf(shape)));
}
