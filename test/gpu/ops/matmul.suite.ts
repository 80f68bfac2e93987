import fc from "fast-check";
import { dense, matmul, relu, Tape } from "../../../src/index.ts";
import { normal } from "../../random.ts";
import { checkOperation } from "../operation.ts";
import { assertSameBits, assertThrows, define, defineKernel, forAll } from "../suite.ts";
import { deviceAs, kinds } from "../variants.ts";

const upTo = (max: number) => fc.integer({ min: 1, max });
/** Multiples of 4 have separate kernels. */
const extent = fc.oneof(
  upTo(70),
  upTo(17).map((n) => 4 * n),
);

const inputsOf = ([N, K, M]: readonly number[], batch: readonly number[] = []) => ({
  a: normal([...batch, N, K], 1),
  b: normal([...batch, K, M], 2),
});

for (const kind of kinds) {
  defineKernel(`matmul, kernels for ${kind}: random shapes, of two matrices and of a batch`, (device) =>
    forAll(fc.record({ shape: fc.tuple(extent, extent, extent), batch: fc.option(upTo(5)) }), 10, ({ shape, batch }) =>
      checkOperation(deviceAs(device, kind), "matmul", inputsOf(shape, batch === null ? [] : [batch])),
    ),
  );
}

for (const [name, shape, batch] of [
  ["1 x 1 x 1", [1, 1, 1], []],
  ["a batch of one", [3, 5, 7], [1]],
  ["a batch of row times column", [1, 33, 1], [6]],
  ["a batch of outer products", [9, 1, 17], [4]],
  ["a batch whose sums over rows are cut into parts", [600, 8, 4], [3]],
] as const) {
  defineKernel(`matmul: ${name}`, async (device) => {
    for (const kind of kinds) await checkOperation(deviceAs(device, kind), "matmul", inputsOf(shape, batch));
  });
}

define("matmul: two matrices have the bits of a dense layer without bias", async (device) => {
  const tape = new Tape(device);
  const [a, b] = [tape.input("a", [5, 12]), tape.input("b", [12, 8])];
  const program = await tape.compile({ outputs: { y: relu(matmul(a, b)), dense: relu(dense(a, b)) } });
  const [x, kernel] = [normal([5, 12], 1), normal([12, 8], 2)].map(({ data }) => Float32Array.from(data));
  const { y, dense: same } = await program.run({ a: x, b: kernel });
  assertSameBits("product", y, same);
  program.dispose();
});

define("errors: matmul of shapes that do not match", async (device) => {
  const tape = new Tape(device);
  const of = (...shape: number[]) => tape.input(shape.join(" x "), shape);
  for (const [a, b] of [
    [of(2, 3), of(2, 4)],
    [of(2, 3, 4), of(3, 4, 5)],
    [of(2, 3, 5), of(5, 6)],
    [of(7), of(7, 1)],
    [of(1, 2, 3, 4), of(1, 2, 4, 3)],
  ]) {
    await assertThrows(`${a.name}, ${b.name}`, () => matmul(a, b), ["matmul: got", "[N, K]"]);
  }
});
