// Resizing and affine resampling: each picture of a batch with its own map.

import fc from "fast-check";
import { type Device, type ResizeMethod, resample, resize, scaleBytes, Tape, type Tensor } from "../../../src/index.ts";
import { uniform } from "../../random.ts";
import { map, type NdArray, ndarray, sizeOf } from "../../reference/ndarray.ts";
import { resample as reference, resizeArea, resizeTf1 } from "../../reference/ops/images/resample.ts";
import { assertClose, assertEqual, assertSameBits, assertThrows, defineKernel, forAll } from "../suite.ts";

const upTo = (max: number) => fc.integer({ min: 1, max });
const shapes = fc.tuple(upTo(3), upTo(29), upTo(29), upTo(6));
const sizes = fc.tuple(upTo(29), upTo(29));
const methods = fc.constantFrom<ResizeMethod>("area", "tf1");

function bytes(shape: readonly number[], seed: number): Uint8Array {
  const random = uniform(seed);
  return Uint8Array.from({ length: sizeOf(shape) }, () => Math.floor(random() * 256));
}

const inUnits = (shape: readonly number[], pixels: Uint8Array) => map(ndarray(shape, pixels), (v) => v / 255);

/** The result of `compose` for pictures in bytes. */
async function run(
  device: Device,
  shape: readonly number[],
  pixels: Uint8Array | Float32Array,
  compose: (x: Tensor, tape: Tape) => Tensor,
): Promise<Float32Array> {
  const tape = new Tape(device);
  const dtype = pixels instanceof Uint8Array ? "u8" : "f32";
  const y = compose(tape.input("x", shape, { dtype }), tape);
  const program = await tape.compile({ outputs: { y } });
  const result = await program.run({ x: pixels });
  program.dispose();
  return result.y;
}

const transformsOf = (tape: Tape, transforms: NdArray) =>
  tape.constant("transforms", transforms.shape, Float32Array.from(transforms.data));

defineKernel("resize: area means, or bilinear when enlarging, over random shapes and sizes", (device) =>
  forAll(fc.tuple(shapes, sizes), 10, async ([shape, size]) => {
    const x = bytes(shape, 1);
    const y = await run(device, shape, x, (x) => resize(x, size));
    assertClose("resize area", y, resizeArea(inUnits(shape, x), size).data);
  }),
);

defineKernel("resize: tf1 is TF1-compatible bilinear, over random shapes and sizes", (device) =>
  forAll(fc.tuple(shapes, sizes), 10, async ([shape, size]) => {
    const x = bytes(shape, 2);
    const y = await run(device, shape, x, (x) => resize(x, size, { method: "tf1" }));
    assertClose("resize tf1", y, resizeTf1(inUnits(shape, x), size).data, { tolerance: 1e-6 });
  }),
);

defineKernel("resize: tf1 on a picture of the article's size", async (device) => {
  const shape = [1, 250, 250, 3];
  const x = bytes(shape, 3);
  const y = await run(device, shape, x, (x) => resize(x, [224, 224], { method: "tf1" }));
  assertClose("resize tf1 from 250 to 224", y, resizeTf1(inUnits(shape, x), [224, 224]).data, { tolerance: 1e-6 });
});

defineKernel("resize: tf1 has no half-pixel centers, and reads two of many rows", async (device) => {
  const column = Uint8Array.of(0, 51, 102, 255);
  const at = (method: ResizeMethod) => run(device, [1, 4, 1, 1], column, (x) => resize(x, [2, 1], { method }));
  assertClose("tf1", await at("tf1"), [0, 102 / 255]); // rows 0 and 2
  assertClose("area", await at("area"), [25.5 / 255, 178.5 / 255]); // means of two rows
});

/** Rotated, mirrored, scaled, shifted: any map with orthogonal columns. */
const transforms = (count: number) =>
  fc.array(
    fc.record({
      angle: fc.double({ min: -3.2, max: 3.2, noNaN: true }),
      y: fc.double({ min: 0.2, max: 3, noNaN: true }),
      x: fc.double({ min: -3, max: -0.2, noNaN: true }),
      origin: fc.tuple(fc.double({ min: -10, max: 30, noNaN: true }), fc.double({ min: -10, max: 30, noNaN: true })),
    }),
    { minLength: count, maxLength: count },
  );

defineKernel("resample: any rotation, mirror, scale and shift, of bytes and of floats", (device) =>
  forAll(
    fc.tuple(shapes, sizes, methods).chain(([shape, size, method]) =>
      fc.record({
        shape: fc.constant(shape),
        size: fc.constant(size),
        method: fc.constant(method),
        maps: transforms(shape[0]),
        floats: fc.boolean(),
      }),
    ),
    16,
    async ({ shape, size, method, maps, floats }) => {
      const rows = maps.flatMap(({ angle, y, x, origin }) => [
        Math.cos(angle) * y,
        -Math.sin(angle) * y,
        Math.sin(angle) * x,
        Math.cos(angle) * x,
        ...origin,
      ]);
      const maps32 = ndarray([shape[0], 6], rows.map(Math.fround));
      const pixels = bytes(shape, 4);
      const x = inUnits(shape, pixels);
      const input = floats ? Float32Array.from(x.data) : pixels;
      const y = await run(device, shape, input, (x, tape) => resample(x, transformsOf(tape, maps32), size, { method }));
      assertClose(`resample ${method}`, y, reference(x, maps32, size, method).data);
    },
  ),
);

defineKernel(
  "resample: an identity, a mirror, a rotation by 90 degrees and a shift by whole pixels copy bits",
  async (device) => {
    const shape = [4, 7, 7, 3];
    const x = bytes(shape, 5);
    const maps = ndarray([4, 6], [1, 0, 0, 1, 0, 0, 1, 0, 0, -1, 0, 6, 0, 1, -1, 0, 6, 0, 1, 0, 0, 1, -2, 3]);
    const plain = await run(device, shape, x, (x) => scaleBytes(x));
    const looks = [
      (i: number, j: number) => [i, j],
      (i: number, j: number) => [i, 6 - j],
      (i: number, j: number) => [6 - j, i],
      (i: number, j: number) => [Math.max(i - 2, 0), Math.min(j + 3, 6)], // the border repeats
    ];
    const expected = new Float32Array(plain.length);
    looks.forEach((look, n) => {
      for (let i = 0; i < 7; i++)
        for (let j = 0; j < 7; j++) {
          const [row, column] = look(i, j);
          const from = ((n * 7 + row) * 7 + column) * 3;
          expected.set(plain.subarray(from, from + 3), ((n * 7 + i) * 7 + j) * 3);
        }
    });
    for (const method of ["area", "tf1"] as const) {
      const y = await run(device, shape, x, (x, tape) => resample(x, transformsOf(tape, maps), [7, 7], { method }));
      assertSameBits(method, y, expected);
    }
  },
);

defineKernel("resample: a uniform picture stays uniform under any map", (device) =>
  forAll(fc.tuple(methods, transforms(1)), 4, async ([method, [{ angle, y, x, origin }]]) => {
    const [c, s] = [Math.cos(angle), Math.sin(angle)];
    const row = ndarray([1, 6], [c * y, -s * y, s * x, c * x, ...origin]);
    const gray = new Uint8Array(5 * 9 * 2).fill(77);
    const made = await run(device, [1, 5, 9, 2], gray, (x, tape) =>
      resample(x, transformsOf(tape, row), [11, 6], { method }),
    );
    assertClose("uniform picture", made, new Float64Array(132).fill(77 / 255), { tolerance: 1e-6 });
  }),
);

defineKernel("errors: invalid arguments of resample and resize are named", async (device) => {
  const tape = new Tape(device);
  const x = tape.input("x", [2, 5, 5, 3], { dtype: "u8" });
  await assertThrows("size", () => resize(x, [0, 5]), ["[0, 5]", "positive integers"]);
  await assertThrows("rank", () => resize(tape.input("flat", [5, 5]), [2, 2]), ["resize", "[5, 5]"]);
  const cubic = "cubic" as ResizeMethod;
  await assertThrows("method", () => resize(x, [2, 2], { method: cubic }), ['"cubic"', "area or tf1"]);
  const maps = tape.input("maps", [3, 6]);
  await assertThrows("transforms", () => resample(x, maps, [2, 2]), ["transforms", "[3, 6]", "[2, 6]"]);
  assertEqual("shape", resize(x, [4, 2]).shape, [2, 4, 2, 3]);
});
