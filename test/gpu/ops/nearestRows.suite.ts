// One embedding against a gallery on the GPU: exactly the rows from sorting all float64 distances.

import fc from "fast-check";
import { type Device, Gallery, GalleryIndex } from "../../../src/index.ts";
import { normal, uniform } from "../../random.ts";
import * as reference from "../../reference/ops/nearestRows.ts";
import { assert, assertClose, assertEqual, assertThrows, define, forAll } from "../suite.ts";
import { deviceWithin } from "../variants.ts";

const plain = (score: number) => score;

interface Question {
  rows: Float32Array;
  probe: Float32Array;
  k: number;
  weights?: Float32Array;
  /** Rows appended at a time. */
  steps?: number;
}

async function search(device: Device, { rows, probe, k, weights, steps }: Question) {
  const index = new GalleryIndex(device, probe.length, { weights, distanceOf: plain });
  const step = (steps ?? rows.length / probe.length) * probe.length;
  for (let at = 0; at < rows.length; at += step) await index.add(rows.subarray(at, at + step));
  const found = await index.search(probe, k);
  const all = await index.distances(probe);
  const { parts } = index;
  await index.dispose();
  return { found, all, parts };
}

/** Small integers, exact in float32: rows must agree exactly, ties included. */
const questions = fc
  .record({
    length: fc.integer({ min: 1, max: 40 }),
    count: fc.integer({ min: 1, max: 1500 }),
    k: fc.oneof(fc.integer({ min: 1, max: 30 }), fc.constant(200)),
    values: fc.constantFrom(2, 5, 100),
    weighted: fc.boolean(),
    steps: fc.constantFrom(1500, 700, 100),
    seed: fc.nat(),
  })
  .map(({ length, count, k, values, weighted, steps, seed }): Question => {
    const random = uniform(seed);
    const draw = (n: number) => Float32Array.from({ length: n }, () => Math.floor(random() * values));
    const weights = weighted ? draw(length).map((w) => w - Math.floor(values / 2)) : undefined;
    return { rows: draw(count * length), probe: draw(length), k, weights, steps };
  });

define("match: the same rows as sorting, in several parts, with ties, and with k above the number of rows", (given) =>
  forAll(questions, 12, async (question) => {
    const { rows, probe, k, weights } = question;
    const blockBytes = 256 * Math.ceil(probe.length / 4) * 16;
    const limits = { maxStorageBufferBindingSize: Math.max(2 * blockBytes, 64 * 1024), maxBufferSize: 2 ** 24 };
    const { found, all } = await search(deviceWithin(given, limits), question);
    const expected = reference.nearestRows(probe, rows, k, weights);
    assertEqual(
      "rows",
      found.map(({ row }) => row),
      expected.map(({ row }) => row),
    );
    assertEqual(
      "distances",
      found.map(({ distance }) => distance),
      expected.map(({ score }) => score),
    );
    const scores = Array.from(all, (_, row) => reference.score(probe, rows, row, weights));
    assertEqual("all distances", [...all], scores);
  }),
);

for (const weighted of [false, true]) {
  const metric = weighted ? "weighted" : "Euclidean";
  define(`match: ${metric} distances of 128 values agree with float64`, async (device) => {
    const [count, length] = [5000, 128];
    const rows = Float32Array.from(normal([count, length], 1).data);
    const probe = Float32Array.from(normal([length], 2).data);
    const weights = weighted ? Float32Array.from(normal([length], 3).data) : undefined;
    const { found, all } = await search(device, { rows, probe, k: 50, weights });
    const expected = reference.nearestRows(probe, rows, 50, weights);
    assertEqual(
      "rows",
      found.map(({ row }) => row),
      expected.map(({ row }) => row),
    );
    const scores = Float64Array.from(all, (_, row) => reference.score(probe, rows, row, weights));
    const scale = Math.max(...scores.map(Math.abs));
    assertClose(`match, ${metric}`, all, scores);
    assertClose(
      `match, ${metric}: nearest`,
      found.map((f) => f.distance),
      expected.map((e) => e.score),
      { scale },
    );
  });
}

define("match: selection goes through several levels, and splits rows over parts", async (given) => {
  const count = 21_000; // six chunks of 1,024 kept, then two, then one
  const rows = Float32Array.from(normal([count, 2], 4).data);
  const probe = Float32Array.of(0.1, -0.2);
  const most = 6000 * 16; // of float32, the values filled up to four
  const device = deviceWithin(given, { maxStorageBufferBindingSize: most, maxBufferSize: most });
  const { found, parts } = await search(device, { rows, probe, k: 1024, steps: 9000 });
  assert(parts === 4, `${parts} parts`);
  assertEqual(
    "rows",
    found.map(({ row }) => row),
    reference.nearestRows(probe, rows, 1024).map(({ row }) => row),
  );
});

define("match: among equal rows the first ones, whatever their parts", async (device) => {
  const rows = new Float32Array(3 * 5000).fill(7);
  const { found } = await search(device, { rows, probe: Float32Array.of(7, 7, 9), k: 20, steps: 1111 });
  assertEqual(
    "rows",
    found.map(({ row }) => row),
    Array.from({ length: 20 }, (_, n) => n),
  );
  assert(
    found.every(({ distance }) => distance === 4),
    "distances",
  );
});

define("match: searches in flight keep their initial rows; disposal frees the memory", async (given) => {
  const device = deviceWithin(given, {});
  const before = device.live();
  const index = new GalleryIndex(device, 2, { distanceOf: Math.sqrt });
  assertEqual("nothing", await index.search(Float32Array.of(0, 0), 3), []);
  await index.add(Float32Array.of(3, 4, 6, 8));
  const probe = Float32Array.of(0, 0);
  const searches = [index.search(probe, 1), index.search(probe, 2), index.search(probe, 1)];
  await index.add(Float32Array.of(0, 1));
  const [a, b, c] = await Promise.all(searches);
  assertEqual("the first", [a[0].distance, c[0].distance, b.length], [5, 5, 2]);
  assertEqual("after", await index.search(probe, 9), [
    { row: 2, distance: 1 },
    { row: 0, distance: 5 },
    { row: 1, distance: 10 },
  ]);
  assertEqual("size", [index.rows, index.parts], [3, 1]);
  await index.dispose();
  await index.dispose();
  assertEqual("live", device.live(), before);
  await assertThrows("disposed", () => index.search(probe, 1), ["disposed"]);
});

define("match: a large gallery gives the same identities with and without a device", async (device) => {
  const [people, embedding] = [900, 1024];
  const counts = Array.from({ length: people }, (_, person) => 1 + Number(person % 7 === 0) * 2);
  const values = Float32Array.from(normal([counts.reduce((a, b) => a + b), embedding], 8).data);
  const indexes: GalleryIndex[] = [];
  const model = {
    fingerprint: "rows",
    embedding,
    threshold: 30,
    embed: async (images: Uint8Array | Float32Array) => Float32Array.from(images),
    distances: (a: Float32Array, b: Float32Array) => {
      const rows = Array.from({ length: a.length / embedding }, (_, row) => row * embedding);
      return Float64Array.from(rows, (at) =>
        Math.sqrt(reference.score(a.subarray(at, at + embedding), b.subarray(at, at + embedding), 0)),
      );
    },
    probability: () => 1,
  };
  const index = () => {
    indexes.push(new GalleryIndex(device, embedding, { distanceOf: Math.sqrt }));
    return indexes[indexes.length - 1];
  };
  const [with_, without] = [new Gallery({ ...model, index }), new Gallery(model)];
  let row = 0;
  for (const [person, count] of counts.entries()) {
    const own = values.subarray(row * embedding, (row + count) * embedding);
    for (const gallery of [with_, without]) await gallery.enroll(`person ${person}`, own);
    row += count;
  }
  const before = device.live().buffers;
  for (const [match, candidates] of [
    ["nearest", 5],
    ["nearest", 600],
    ["mean", 5],
  ] as const) {
    for (const probe of [normal([embedding], 9).data, values.subarray(0, embedding)]) {
      const asked = Float32Array.from(probe);
      const options = { match, candidates };
      const [found, expected] = [await with_.identify(asked, options), await without.identify(asked, options)];
      assertEqual(`${match}, ${candidates} candidates`, found, expected);
    }
  }
  assertEqual(
    "indexes made",
    indexes.map(({ rows }) => rows),
    [0, people],
  ); // the second replaced the first
  assert(with_.remove("person 0"), "nobody was removed");
  const probe = values.subarray(0, embedding);
  assert(without.remove("person 0"), "nobody was removed");
  assertEqual("after removal", await with_.identify(probe), await without.identify(probe));
  with_.dispose();
  await Promise.all(indexes.map((own) => own.dispose()));
  assert(device.live().buffers <= before, "buffers are left on the device");
});

define("match: invalid rows and probes are refused", async (given) => {
  const index = new GalleryIndex(given, 3, { distanceOf: plain });
  await assertThrows("half a row", () => index.add(Float32Array.of(1, 2)), [
    "got 2 values",
    "a multiple of 3 finite values",
  ]);
  await assertThrows("NaN", () => index.add(Float32Array.of(1, 2, Number.NaN)), [
    "got NaN in row 0",
    "of at most 1000000000000000",
  ]);
  await index.add(Float32Array.of(1, 2, 3));
  await assertThrows("a short probe", () => index.search(Float32Array.of(1), 1), [
    "Invalid probe",
    "expected 3 values",
  ]);
  await assertThrows("k", () => index.search(Float32Array.of(1, 2, 3), 0), ["Invalid k 0", "1 to 1024"]);
  await index.dispose();
  const small = deviceWithin(given, { maxStorageBufferBindingSize: 4096 });
  const wide = new GalleryIndex(small, 5, { distanceOf: plain });
  await assertThrows("a block too large", () => wide.add(new Float32Array(5)), [
    "binds at most 4 KiB",
    "smaller embedding",
  ]);
});
