import { deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TwingradError } from "../../../src/errors.ts";
import { uncompressed } from "../../../src/formats/tfrecord/compression.ts";
import {
  CorruptRecordError,
  frame,
  framedLength,
  readRecords,
  unframe,
} from "../../../src/formats/tfrecord/framing.ts";
import { recordCodec } from "../../../src/formats/tfrecord/recordCodec.ts";
import { all, chunks, concatenated, manifest, missing, readShared } from "../../data/sources/recordBytes.ts";

const codec = await recordCodec();
const { crc32c } = codec;
const text = (value: string) => new TextEncoder().encode(value);
const three = [text("first"), new Uint8Array(0), text("the third record")].map((data) => frame(data, crc32c));
const file = concatenated(three);

/** All records' data and all errors, as with `--skip-corrupt`. */
async function read(bytes: Uint8Array, { chunk = 4096, largest = undefined as number | undefined } = {}) {
  const errors: CorruptRecordError[] = [];
  const { compression, bytes: stream } = await uncompressed(chunks(bytes, chunk), codec);
  const onCorrupt = (error: CorruptRecordError) => errors.push(error);
  const records = [];
  for await (const { number, offset, data } of readRecords(stream, { file: "f", crc32c, onCorrupt, largest })) {
    records.push({ number, offset, data: data.slice() });
  }
  return { compression, records, errors };
}

describe("crc32c", () => {
  // RFC 3720, B.4: the iSCSI test vectors.
  it.each<[string, Uint8Array, number]>([
    ["32 zeros", new Uint8Array(32), 0x8a9136aa],
    ["32 ones", new Uint8Array(32).fill(0xff), 0x62a8ab43],
    ["0 to 31", Uint8Array.from({ length: 32 }, (_, i) => i), 0x46dd794e],
    ["31 to 0", Uint8Array.from({ length: 32 }, (_, i) => 31 - i), 0x113fdb5c],
    ["nothing", new Uint8Array(0), 0],
  ])("%s", (_, bytes, crc) => {
    expect(crc32c(bytes)).toBe(crc);
  });
});

describe("readRecords", () => {
  it.each([1, 3, 11, 12, 13, 4096])("reads what frame wrote, from chunks of %i bytes", async (chunk) => {
    const { records, errors } = await read(file, { chunk });
    expect(errors).toEqual([]);
    expect(records).toEqual([
      { number: 1, offset: 0, data: text("first") },
      { number: 2, offset: 21, data: text("") },
      { number: 3, offset: 37, data: text("the third record") },
    ]);
    expect(framedLength(5)).toBe(21);
  });

  it("reads any data in any chunks", async () => {
    const data = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(data, fc.integer({ min: 1, max: 500 }), async (written, chunk) => {
        const { records, errors } = await read(concatenated(written.map((bytes) => frame(bytes, crc32c))), { chunk });
        expect(errors).toEqual([]);
        expect(records.map((record) => record.data)).toEqual(written);
      }),
      { numRuns: 200 },
    );
  });

  it("without onCorrupt throws for the first corrupt record, with place and reason", async () => {
    const broken = file.slice();
    broken[21 + 12 + 16 + 12] ^= 1;
    const error = await all(readRecords(chunks(broken), { file: "faces.tfrecord", crc32c })).catch((e) => e);
    expect(error).toBeInstanceOf(CorruptRecordError);
    expect(error).toBeInstanceOf(TwingradError);
    expect(error).toMatchObject({ code: "CORRUPT_RECORD", file: "faces.tfrecord", record: 3, offset: 37 });
    expect(error.message).toMatch(
      /^faces\.tfrecord: record 3 at byte 37: the checksum of its data is wrong \(stored [0-9a-f]{8}, computed [0-9a-f]{8}\)$/,
    );
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array, number[], [number, number, RegExp][]]>([
    ["nothing", () => new Uint8Array(0), [], []],
    ["data changed", (b) => flipped(b, 14), [2, 3], [[1, 0, /checksum of its data/]]],
    ["data's checksum changed", (b) => flipped(b, 20), [2, 3], [[1, 0, /checksum of its data/]]],
    ["length changed", (b) => flipped(b, 21), [1], [[2, 21, /checksum of its length is wrong .* nothing after it/]]],
    ["length's checksum changed", (b) => flipped(b, 30), [1], [[2, 21, /checksum of its length/]]],
    ["cut in a length", (b) => b.slice(0, 40), [1, 2], [[3, 37, /truncated: expected 12 bytes of a header, got 3/]]],
    ["cut behind a length", (b) => b.slice(0, 49), [1, 2], [[3, 37, /16 bytes of data and 4 of checksum, got 0/]]],
    ["cut in data", (b) => b.slice(0, 60), [1, 2], [[3, 37, /truncated: expected 16 bytes .* got 11/]]],
    ["cut in a checksum", (b) => b.slice(0, -1), [1, 2], [[3, 37, /got 19/]]],
    ["text", () => text("this is no record file at all"), [], [[1, 0, /checksum of its length/]]],
  ])("%s", async (_, change, numbers, problems) => {
    const { records, errors } = await read(change(file), { chunk: 7 });
    expect(records.map((record) => record.number)).toEqual(numbers);
    expect(errors.map(({ record, offset }) => [record, offset])).toEqual(problems.map(([n, o]) => [n, o]));
    for (const [i, [, , reason]] of problems.entries()) expect(errors[i].reason).toMatch(reason);
  });

  it("skips a record longer than the limit", async () => {
    const { records, errors } = await read(file, { largest: 5, chunk: 2 });
    expect(records.map((record) => record.number)).toEqual([1, 2]);
    expect(errors[0]).toMatchObject({ record: 3, reason: "it is 16 bytes long; the limit is 5" });
  });

  it.each([2n ** 60n, 2n ** 64n - 1n, 2n ** 28n + 1n, 2n ** 28n - 1n])(
    "a length of %i allocates nothing",
    async (length) => {
      const header = new Uint8Array(17); // one byte of data and four more follow
      new DataView(header.buffer).setBigUint64(0, length, true);
      const crc = crc32c(header.subarray(0, 8));
      new DataView(header.buffer).setUint32(8, (((crc >>> 15) | (crc << 17)) + 0xa282ead8) >>> 0, true);
      const before = process.memoryUsage();
      const { records, errors } = await read(header);
      const after = process.memoryUsage();
      expect(records).toEqual([]);
      expect(errors).toHaveLength(1);
      expect(errors[0].reason).toBe(`the file is truncated: expected ${length} bytes of data and 4 of checksum, got 5`);
      expect(after.arrayBuffers - before.arrayBuffers).toBeLessThan(2 ** 20);
    },
  );

  it("closes its source when the reader stops early, and when it fails", async () => {
    let closed = 0;
    async function* source(bytes: Uint8Array) {
      try {
        yield* chunks(bytes, 8);
      } finally {
        closed++;
      }
    }
    for await (const { number } of readRecords(source(file), { file: "f", crc32c })) if (number === 2) break;
    expect(closed).toBe(1);
    await expect(all(readRecords(source(flipped(file, 14)), { file: "f", crc32c }))).rejects.toThrow(/record 1/);
    expect(closed).toBe(2);
  });

  it("passes on system errors", async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield file.subarray(0, 30);
      throw new Error("EIO: i/o error, read");
    }
    const reading = all(readRecords(failing(), { file: "f", crc32c, onCorrupt: () => {} }));
    await expect(reading).rejects.toThrow("EIO");
  });

  it("buffers only a chunk and a record of a stream of any length", async () => {
    const record = frame(new Uint8Array(200_000), crc32c);
    let written = 0;
    async function* endless() {
      for (; written < 2 ** 29; written += record.length) yield record.slice();
    }
    globalThis.gc?.();
    const start = process.memoryUsage();
    const held = () => {
      const now = process.memoryUsage();
      return now.heapUsed + now.arrayBuffers - start.heapUsed - start.arrayBuffers;
    };
    let most = 0;
    let count = 0;
    for await (const _ of readRecords(endless(), { file: "f", crc32c })) {
      if (++count % 50 === 0) most = Math.max(most, held());
    }
    expect(count).toBe(Math.ceil(2 ** 29 / record.length));
    // The collector decides when chunks that nobody holds go; half a gigabyte went by.
    expect(most).toBeLessThan(128 * 2 ** 20);
  });
});

describe("unframe", () => {
  it("returns the data of a framed record, and rejects one that changed", () => {
    expect(unframe(three[0], crc32c)).toEqual(text("first"));
    for (const at of [0, 9, 13, 19]) expect(() => unframe(flipped(three[0], at), crc32c)).toThrow(/has changed/);
    expect(() => unframe(three[0].subarray(0, 15), crc32c)).toThrow(/has changed/);
    expect(() => unframe(new Uint8Array(3), crc32c)).toThrow(/has changed/);
  });
});

describe("compression", () => {
  const gzip = (bytes: Uint8Array) => new Uint8Array(gzipSync(bytes));
  it.each<[string, Uint8Array, string]>([
    ["none", file, "none"],
    ["gzip", gzip(file), "gzip"],
    ["zlib", new Uint8Array(deflateSync(file)), "zlib"],
    ["zlib, level 9", new Uint8Array(deflateSync(file, { level: 9 })), "zlib"],
    ["zlib, a small window", new Uint8Array(deflateSync(file, { windowBits: 9 })), "zlib"],
    ["gzip of two members", concatenated([gzip(file.subarray(0, 25)), gzip(file.subarray(25))]), "gzip"],
    [
      "gzip of three members, one empty",
      concatenated([gzip(file.subarray(0, 37)), gzip(new Uint8Array(0)), gzip(file.subarray(37))]),
      "gzip",
    ],
    ["gzip with zeros behind", concatenated([gzip(file), new Uint8Array(100)]), "gzip"],
  ])("detects %s by content", async (_, bytes, expected) => {
    for (const chunk of [1, 2, 10, 5000]) {
      const { compression, records, errors } = await read(bytes, { chunk });
      expect(errors).toEqual([]);
      expect(compression).toBe(expected);
      expect(records.map((record) => record.data.length)).toEqual([5, 0, 16]);
    }
  });

  it("an uncompressed file whose first length looks like the GZIP magic number is not compressed", async () => {
    const record = frame(new Uint8Array(0x08_8b1f), crc32c);
    expect(Array.from(record.subarray(0, 3))).toEqual([0x1f, 0x8b, 8]);
    expect(await read(record)).toMatchObject({ compression: "none", errors: [], records: [{ number: 1 }] });
  });

  it.each<[string, Uint8Array, number, RegExp]>([
    ["cut short", gzip(file).slice(0, -4), 3, /^Invalid gzip data: they are truncated$/],
    ["a wrong checksum", flipped(gzip(file), -8), 3, /^Invalid gzip data: incorrect data check$/],
    ["a wrong length", flipped(gzip(file), -1), 3, /incorrect length check/],
    ["garbage behind", concatenated([gzip(file), text("garbage")]), 3, /incorrect header check/],
    ["zlib with bytes behind", concatenated([new Uint8Array(deflateSync(file)), text("x")]), 3, /bytes follow its end/],
    ["zlib cut short", new Uint8Array(deflateSync(file)).slice(0, -2), 3, /Invalid zlib data: they are truncated/],
    ["the first bytes alone", gzip(file).slice(0, 5), 0, /truncated/],
  ])("broken: %s", async (_, bytes, good, reason) => {
    const { records, errors } = await read(bytes, { chunk: 10 });
    expect(records).toHaveLength(good);
    expect(errors).toHaveLength(1);
    expect(errors[0].reason).toMatch(reason);
    expect(errors[0].offset).toBe(good === 3 ? file.length : 0);
  });

  it("a decompression bomb is inflated piece by piece", async () => {
    const bomb = new Uint8Array(gzipSync(new Uint8Array(2 ** 26)));
    const before = process.memoryUsage().arrayBuffers;
    let most = 0;
    let total = 0;
    for await (const piece of codec.inflate(chunks(bomb, bomb.length), "gzip")) {
      total += piece.length;
      most = Math.max(most, piece.length);
    }
    expect(total).toBe(2 ** 26);
    expect(most).toBeLessThanOrEqual(2 ** 16);
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 26);
  });
});

describe("mutations of valid files", () => {
  it("give records or a CorruptRecordError, and never extra records", async () => {
    const sources = [file, new Uint8Array(gzipSync(file)), new Uint8Array(deflateSync(file))];
    const changes = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 6 });
    await fc.assert(
      fc.asyncProperty(
        fc.nat(2),
        changes,
        fc.nat(),
        fc.integer({ min: 1, max: 64 }),
        async (which, flips, cut, chunk) => {
          const bytes = sources[which].slice(
            0,
            sources[which].length - (cut % 3 === 0 ? cut % sources[which].length : 0),
          );
          for (const [at, value] of flips) if (bytes.length > 0) bytes[at % bytes.length] = value;
          const { records, errors } = await read(bytes, { chunk });
          for (const error of errors) expect(error).toBeInstanceOf(CorruptRecordError);
          const total = records.reduce((sum, record) => sum + record.data.length, 0);
          expect(total).toBeLessThanOrEqual(2 ** 20);
        },
      ),
      { numRuns: 3000, interruptAfterTimeLimit: 15_000 },
    );
  });
});

describe.skipIf(manifest.length === 0)("files of TensorFlow and others (../shared/data/tfrecord)", () => {
  it.each(manifest)("$file", async (entry) => {
    const { compression, records, errors } = await read(readShared(entry.file));
    expect(compression).toBe(entry.compression);
    if (entry.decompress) {
      expect(errors.map((error) => error.reason)).toEqual(["Invalid gzip data: incorrect data check"]);
      return;
    }
    expect(records).toHaveLength(entry.goodRecords!);
    const expected = entry.problems!.filter((problem) => !problem.startsWith("example parse"));
    const kinds: [RegExp, string][] = [
      [/checksum of its data/, "BADDATA"],
      [/checksum of its length/, "BADLEN"],
      [/12 bytes of a header/, "TRUNC header"],
      [/bytes of data and 4 of checksum/, "TRUNC data"],
    ];
    const found = errors.map((e) => `${kinds.find(([reason]) => reason.test(e.reason))?.[1]} at ${e.offset}`);
    expect(found).toEqual(expected);
    // Framing equals theirs byte for byte.
    if (compression === "none" && errors.length === 0) {
      const framed = Buffer.concat(records.map((record) => frame(record.data, crc32c)));
      expect(framed.equals(readShared(entry.file))).toBe(true);
    }
  });
});
if (manifest.length === 0) it.skip(missing, () => {});

function flipped(bytes: Uint8Array, at: number): Uint8Array {
  const changed = bytes.slice();
  changed[(at + bytes.length) % bytes.length] ^= 1;
  return changed;
}
