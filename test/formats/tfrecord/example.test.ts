import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TwingradError } from "../../../src/errors.ts";
import { uncompressed } from "../../../src/formats/tfrecord/compression.ts";
import { readRecords } from "../../../src/formats/tfrecord/framing.ts";
import { recordCodec } from "../../../src/formats/tfrecord/recordCodec.ts";
import type { Example, FeatureValues } from "../../../src/formats/tfrecord/recordTypes.ts";
import { all, chunks, manifest, missing, readShared } from "../../data/sources/recordBytes.ts";

const codec = await recordCodec();
const hex = (text: string) => new Uint8Array(Buffer.from(text.replaceAll(" ", ""), "hex"));
const valuesOf = (example: Example) =>
  Object.fromEntries([...example].map(([name, feature]) => [name, [...feature.values()]]));

describe("writeExample", () => {
  // Worked out by hand from the schema and https://protobuf.dev/programming-guides/encoding.
  it.each<[string, Record<string, FeatureValues>, string]>([
    ["nothing", {}, "0a 00"],
    ["a packed int64 list", { a: [1n, -4n] }, "0a16 0a14 0a0161 120f 1a0d 0a0b 01 fcffffffffffffffff01"],
    ["a packed float list", { a: [1, -2] }, "0a13 0a11 0a0161 120c 120a 0a08 0000803f 000000c0"],
    ["bytes, one key each", { a: [hex("ff"), hex("")] }, "0a0e 0a0c 0a0161 1207 0a05 0a01ff 0a00"],
    ["an empty list, whose kind is not known", { a: [] }, "0a07 0a05 0a0161 1200"],
  ])("%s", (_, features, bytes) => {
    expect(codec.writeExample(new Map(Object.entries(features)))).toEqual(hex(bytes));
  });

  it("sorts names, and rejects values of two kinds", () => {
    const [ab, ba] = [
      [
        ["a", [1n]],
        ["b", [2n]],
      ],
      [
        ["b", [2n]],
        ["a", [1n]],
      ],
    ] as [string, FeatureValues][][];
    expect(codec.writeExample(new Map(ab))).toEqual(codec.writeExample(new Map(ba)));
    const mixed = new Map([["a", [1n, 2] as unknown as FeatureValues]]);
    expect(() => codec.writeExample(mixed)).toThrow(/feature "a": expected all values to be of one kind/);
  });
});

describe("readExample", () => {
  it("reads back what was written", () => {
    const values = fc.oneof(
      fc.array(fc.uint8Array({ maxLength: 20 }), { minLength: 1 }),
      fc.array(fc.float({ noNaN: true }), { minLength: 1 }),
      fc.array(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), { minLength: 1 }),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: "grapheme" }), values), (features) => {
        const example = codec.readExample(codec.writeExample(new Map(Object.entries(features))));
        expect([...example.keys()].sort()).toEqual(Object.keys(features).sort());
        for (const [name, written] of Object.entries(features)) {
          expect([...example.get(name)!.values()]).toEqual(written);
        }
      }),
      { numRuns: 300 },
    );
  });

  it.each<[string, string, Record<string, unknown>]>([
    ["unpacked integers", "0a0d 0a0b 0a0161 1206 1a04 0801 0802", { a: [1n, 2n] }],
    ["unpacked floats", "0a0e 0a0c 0a0161 1207 1205 0d0000803f", { a: [1] }],
    ["packed and unpacked", "0a0e 0a0c 0a0161 1207 1a05 0a0101 0802", { a: [1n, 2n] }],
    ["a feature without a list", "0a07 0a05 0a0161 1200", { a: [] }],
    ["two lists of one kind, joined", "0a13 0a11 0a0161 120c 1a04 0a020102 1a04 0a020304", { a: [1n, 2n, 3n, 4n] }],
    ["two kinds: the last", "0a10 0a0e 0a0161 1209 1a03 0a0101 0a02 0a00", { a: [hex("")] }],
    ["one name twice: the last", "0a18 0a0a 0a0161 1205 1a03 0a0101 0a0a 0a0161 1205 1a03 0a0102", { a: [2n] }],
    [
      "two Features, merged",
      "0a0c 0a0a 0a0161 1205 1a03 0a0101 0a0c 0a0a 0a0162 1205 1a03 0a0102",
      { a: [1n], b: [2n] },
    ],
    ["fields of later versions", "1001 0a0f 10ff01 0a0a 0a0161 1205 1a03 0a0101", { a: [1n] }],
    ["no features", "", {}],
  ])("takes %s", (_, bytes, expected) => {
    expect(valuesOf(codec.readExample(hex(bytes)))).toEqual(expected);
  });

  it("keeps only the wanted features, without a copy", () => {
    const image = new Uint8Array(1000).fill(7);
    const bytes = codec.writeExample(
      new Map<string, FeatureValues>([
        ["image", [image]],
        ["label", [3n]],
      ]),
    );
    const example = codec.readExample(bytes, new Set(["image", "none"]));
    expect([...example.keys()]).toEqual(["image"]);
    const [value] = [...example.get("image")!.values()] as Uint8Array[];
    expect(value).toEqual(image);
    expect(value.buffer).toBe(bytes.buffer);
  });

  it.each<[string, string, RegExp]>([
    ["text", Buffer.from("a line of text").toString("hex"), /it is not a tf\.train\.Example: /],
    ["a length beyond the end", "0a7f00", /premature EOF/],
    ["a list that is no message", "0a07 0a05 0a0161 1005", /not a tf\.train\.Example/],
    ["a group without an end", "0b0b0b", /not a tf\.train\.Example/],
    ["a key that is no UTF-8", "0a07 0a05 0a01ff 1200", /not a tf\.train\.Example/],
    ["a varint without an end", "0affffffffffffffffffff01", /not a tf\.train\.Example/],
  ])("refuses %s", (_, bytes, reason) => {
    expect(() => codec.readExample(hex(bytes))).toThrow(reason);
  });

  it.each<[string, string]>([
    ["half a float", "0a0e 0a0c 0a0161 1207 1205 0a03 000080"],
    ["a varint that leaves its list", "0a0e 0a0c 0a0161 1207 1a05 0a01ff 0a00"],
    ["a packed list that leaves the message", "0a0c 0a0a 0a0161 1205 1a03 0a0501"],
    ["bytes where a number must be", "0a0d 0a0b 0a0161 1206 1204 0801 0802"],
  ])("an invalid list throws when its values are read: %s", (_, bytes) => {
    const feature = codec.readExample(hex(bytes)).get("a")!;
    const error = (() => {
      try {
        return [...feature.values()];
      } catch (error) {
        return error;
      }
    })();
    expect(error).toBeInstanceOf(TwingradError);
    expect((error as TwingradError).message).toMatch(/^its (float|int64) list is invalid: /);
  });

  it("rejects more features than a dataset has", () => {
    const features = new Map(Array.from({ length: 10_001 }, (_, i) => [`f${i}`, []] as [string, FeatureValues]));
    expect(() => codec.readExample(codec.writeExample(features))).toThrow(/more than 10000 features/);
  });

  it("a list of millions of numbers is decoded lazily, value by value", () => {
    const list = new Uint8Array(2 ** 24); // 16 million zeros
    const nested = (field: number, body: Uint8Array) => {
      const length = [];
      for (let rest = body.length; ; rest >>>= 7) {
        length.push((rest & 127) | (rest > 127 ? 128 : 0));
        if (rest <= 127) break;
      }
      return new Uint8Array(Buffer.concat([Uint8Array.of(field * 8 + 2, ...length), body]));
    };
    const feature = nested(2, nested(3, nested(1, list)));
    const bytes = nested(1, nested(1, new Uint8Array(Buffer.concat([hex("0a0161"), feature]))));
    const before = process.memoryUsage();
    let count = 0;
    for (const value of codec.readExample(bytes).get("a")!.values()) {
      if (value === 0n) count++;
      if (count === 100_000) break;
    }
    const after = process.memoryUsage();
    expect(count).toBe(100_000);
    expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(2 ** 25);
  });

  it("parses any mutation of an Example or throws a TwingradError", () => {
    const features: [string, FeatureValues][] = [
      ["train/image", [Uint8Array.of(255, 216, 255, 224)]],
      ["train/label", [5n]],
      ["train/height", [112n, -1n]],
      ["scores", [0.5, 2, 3]],
    ];
    const valid = codec.writeExample(new Map(features));
    const changes = fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(changes, fc.nat(valid.length), (flips, length) => {
        const bytes = valid.slice(0, length % 3 === 0 ? length : valid.length);
        for (const [at, value] of flips) if (at < bytes.length) bytes[at] = value;
        try {
          for (const feature of codec.readExample(bytes).values()) for (const _ of feature.values());
        } catch (error) {
          expect(error).toBeInstanceOf(TwingradError);
          expect((error as TwingradError).code).toBe("CORRUPT_FILE");
        }
      }),
      { numRuns: 5000, interruptAfterTimeLimit: 15_000 },
    );
  });
});

describe.skipIf(manifest.length === 0)("Examples of TensorFlow and others (../shared/data/tfrecord)", () => {
  const readable = manifest.filter((entry) => entry.firstExampleFeatures && entry.goodRecords);

  async function records(file: string): Promise<Uint8Array[]> {
    const { bytes } = await uncompressed(chunks(readShared(file)), codec);
    const found = await all(readRecords(bytes, { file, crc32c: codec.crc32c, onCorrupt: () => {} }));
    return found.map((record) => record.data);
  }

  it.each(readable)("$file: names, kinds, and all values", async (entry) => {
    const examples = (await records(entry.file)).map((data) => codec.readExample(data));
    const kinds = [...examples[0]].map(([name, feature]) => [name, feature.type]);
    expect(Object.fromEntries(kinds)).toEqual(entry.firstExampleFeatures);
    const isJpeg = (value: unknown) => value instanceof Uint8Array && value[0] === 0xff && value[1] === 0xd8;
    const jpegs = examples.filter((example) => Object.values(valuesOf(example)).flat().some(isJpeg));
    expect(jpegs).toHaveLength(entry.jpegs!);
  });

  it.each(readable)("$file: writing it again gives the same length and values", async (entry) => {
    for (const data of await records(entry.file)) {
      const example = codec.readExample(data);
      const values = new Map(Object.entries(valuesOf(example)).map(([name, v]) => [name, v as FeatureValues]));
      const written = codec.writeExample(values);
      expect(valuesOf(codec.readExample(written))).toEqual(valuesOf(example));
      // Empty lists with a kind are written without it.
      if ([...values].every(([name, v]) => v.length > 0 || example.get(name)!.type === "empty")) {
        expect(written.length).toBe(data.length);
      }
    }
  });

  it("records that are not Examples are rejected", async () => {
    const texts = await records("valid/grain_morris.tfrecord");
    for (const data of texts.slice(0, 4)) {
      expect(() => codec.readExample(data)).toThrow(/it is not a tf\.train\.Example/);
    }
    // "1 1 1 2 2 1" happens to be well-formed protobuf: two fields that an Example does not know.
    expect(codec.readExample(texts[4]).size).toBe(0);
  });
});
if (manifest.length === 0) it.skip(missing, () => {});
