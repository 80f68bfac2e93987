// Blur, exposure and color, brightness and contrast, noise and erasing: each picture of a batch with its own numbers.

import fc from "fast-check";
import { type Device, type PhotometricChange, packChanges, photometric, Tape } from "../../../src/index.ts";
import { uniform } from "../../random.ts";
import { type NdArray, ndarray, sizeOf } from "../../reference/ndarray.ts";
import { byteSum, photometric as reference, wordOf } from "../../reference/ops/images/photometric.ts";
import { assert, assertClose, assertEqual, assertThrows, define, defineKernel, forAll } from "../suite.ts";

const streams = { seed: 2 ** 40 + 12345, noise: 14, fill: 15 };
const nothing: PhotometricChange = {
  gain: 1,
  offset: 0,
  noise: 0,
  blur: 0,
  seed: 0,
  erased: { top: 0, left: 0, bottom: 0, right: 0 },
};

function pictures(shape: readonly number[], seed: number): NdArray {
  const random = uniform(seed);
  return ndarray(
    shape,
    Float64Array.from({ length: sizeOf(shape) }, () => Math.fround(random())),
  );
}

async function run(device: Device, x: NdArray, changes: readonly PhotometricChange[]): Promise<Float32Array> {
  const tape = new Tape(device);
  const packed = packChanges(changes);
  const input = tape.input("changes", [changes.length, packed.length / changes.length], { dtype: "u8" });
  const y = photometric(tape.input("x", x.shape), input, streams);
  const program = await tape.compile({ outputs: { y } });
  const result = await program.run({ x: Float32Array.from(x.data), changes: packed });
  program.dispose();
  return result.y;
}

const upTo = (max: number) => fc.integer({ min: 1, max });
const within = (min: number, max: number) => fc.double({ min, max, noNaN: true }).map(Math.fround);
const change = (height: number, width: number): fc.Arbitrary<PhotometricChange> =>
  fc.record({
    gamma: fc.oneof(fc.constant(1), within(0.4, 2.5)),
    exposure: fc.tuple(within(0.2, 3), within(0.2, 3), within(0.2, 3)),
    gain: within(0, 2),
    offset: within(-0.6, 0.6),
    noise: fc.oneof(fc.constant(0), within(0, 0.3)),
    blur: fc.oneof(fc.constant(0), within(0.1, 2)),
    seed: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    erased: fc
      .tuple(fc.nat(height), fc.nat(width), fc.nat(height), fc.nat(width))
      .map(([top, left, bottom, right]) => ({ top, left, bottom, right })),
  });

defineKernel("photometric: every change together, over random shapes", (device) =>
  forAll(
    fc.tuple(upTo(3), upTo(15), upTo(15), upTo(6)).chain((shape) =>
      fc.record({
        shape: fc.constant(shape),
        changes: fc.array(change(shape[1], shape[2]), { minLength: shape[0], maxLength: shape[0] }),
      }),
    ),
    14,
    async ({ shape, changes }) => {
      const x = pictures(shape, 1);
      // The scale of what is added up before the last clamp, however little of it is left.
      assertClose("photometric", await run(device, x, changes), reference(x, changes, streams).data, { scale: 1 });
    },
  ),
);

defineKernel("photometric: without changes nothing changes", async (device) => {
  const x = pictures([2, 5, 7, 3], 2);
  assertEqual("pictures", [...(await run(device, x, [nothing, { ...nothing, seed: 9 }]))], [...x.data]);
});

defineKernel("photometric: exposure is clipped at full scale before contrast, black stays black", async (device) => {
  const x = ndarray([1, 1, 3, 3], [0, 0.2, 0.8, 0.4, 0.6, 0.1, 1, 0.5, 0.3]);
  const y = await run(device, x, [{ ...nothing, gamma: 2, exposure: [1, 2, 4], gain: 0.5, offset: 0.25 }]);
  const lit = [0, 0.08, 1, 0.16, 0.72, 0.04, 1, 0.5, 0.36];
  assertClose(
    "lit",
    y,
    lit.map((value) => 0.5 * value + 0.25),
    { scale: 1 },
  );
  const gray = ndarray([1, 1, 2, 1], [0.2, 0.8]);
  const dark = await run(device, gray, [{ ...nothing, exposure: [9, 0.5, 9] }]);
  assertClose("gray takes green's exposure", dark, [0.1, 0.4], { scale: 1 });
});

define("photometric: the random integers are those of Philox, on every adapter", async (device) => {
  const shape = [2, 6, 5, 7]; // five columns: two blocks of random words a row
  const gray = ndarray(shape, new Float64Array(sizeOf(shape)).fill(0.5));
  const noise = 2 ** -4;
  const seeds = [7, 2 ** 32 - 1];
  const wordsOf = (n: number, stream: number) =>
    Array.from({ length: 30 * 7 }, (_, i) => {
      const place = [Math.floor(i / 35), Math.floor(i / 7) % 5, i % 7];
      return wordOf(place, [6, 5], seeds[n], stream, streams.seed);
    });

  const noisy = await run(
    device,
    gray,
    seeds.map((seed) => ({ ...nothing, noise, seed })),
  );
  const sums = noisy.map((value) => Math.round(((value - 0.5) / noise) * Math.sqrt(21845) + 510));
  assertEqual(
    "sums of bytes",
    [...sums],
    [0, 1].flatMap((n) => wordsOf(n, streams.noise).map(byteSum)),
  );

  const all = { top: 0, left: 0, bottom: 6, right: 5 };
  const erased = await run(
    device,
    gray,
    seeds.map((seed) => ({ ...nothing, seed, erased: all })),
  );
  const filled = [0, 1].flatMap((n) => wordsOf(n, streams.fill).map((word) => word >>> 24));
  assertEqual("bytes", [...erased.map((value) => Math.round(value * 255))], filled);
});

defineKernel("photometric: the noise has the requested mean and deviation", async (device) => {
  const shape = [1, 100, 100, 3];
  const gray = ndarray(shape, new Float64Array(30_000).fill(0.5));
  const values = await run(device, gray, [{ ...nothing, noise: 0.05, seed: 3 }]);
  const mean = values.reduce((sum, v) => sum + v, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
  // Standard errors of 30,000 draws: 0.05 / 173 and, for a sum of four, less than 0.05 / 245.
  assert(Math.abs(mean - 0.5) < 5 * (0.05 / 173), `the mean is ${mean}`);
  assert(Math.abs(deviation - 0.05) < 5 * (0.05 / 245), `the deviation is ${deviation}`);
});

define("errors: mismatched changes are named", async (device) => {
  const tape = new Tape(device);
  const changes = tape.input("changes", [3, 56], { dtype: "u8" });
  const x = tape.input("x", [2, 5, 5, 3]);
  await assertThrows("count", () => photometric(x, changes, streams), ["photometric", "[3, 56]", "[2, 56]"]);
  const raw = tape.input("raw", [3, 5, 5, 3], { dtype: "u8" });
  await assertThrows("dtype", () => photometric(raw, changes, streams), ["u8 pictures", "f32 pictures"]);
});
