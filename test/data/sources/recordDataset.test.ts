import { deflateSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { labelsOf, subset } from "../../../src/data/dataset.ts";
import { type RecordOptions, type RecordSource, recordDataset } from "../../../src/data/sources/recordDataset.ts";
import { CorruptRecordError, frame } from "../../../src/formats/tfrecord/framing.ts";
import { recordCodec } from "../../../src/formats/tfrecord/recordCodec.ts";
import type { FeatureValues } from "../../../src/formats/tfrecord/recordTypes.ts";
import { chunks, recordFile } from "./recordBytes.ts";

const codec = await recordCodec();
const utf8 = (text: string) => [new TextEncoder().encode(text)];
const jpeg = Uint8Array.of(0xff, 0xd8, 0xff, 0xe0, 1, 2, 3);

type Features = Record<string, FeatureValues>;

/** `bytes` may be changed between opening and reading. */
function source(name: string, bytes: Uint8Array): RecordSource & { bytes: Uint8Array; reads: number } {
  return {
    name,
    bytes,
    reads: 0,
    stream() {
      return chunks(this.bytes, 50);
    },
    async read(offset, length) {
      this.reads++;
      return this.bytes.slice(offset, offset + length);
    },
  };
}

const file = (name: string, examples: readonly Features[]) => source(name, recordFile(codec, examples));

/** Decoding is the identity here: what reaches the decoder is what is tested. */
async function open(sources: readonly RecordSource[], options: RecordOptions = {}) {
  const kept: Uint8Array[] = [];
  const dataset = await recordDataset(sources, options, {
    codec,
    decode: async (picture) => picture.bytes,
    keep: async (bytes) => {
      const copy = bytes.slice();
      kept.push(copy);
      return async () => copy;
    },
  });
  return { dataset, kept };
}

describe("recordDataset", () => {
  it("reads the article's features with a prefix, in the order of the files", async () => {
    const of = (label: bigint, addr: string, ...more: number[]): Features => ({
      "train/image": [Uint8Array.of(...jpeg, ...more)],
      "train/label": [label],
      "train/height": [4n],
      "train/width": [5n],
      "train/addr": utf8(addr),
    });
    const a = file("a.tfrecord", [of(10n, "x/1.jpg", 1), of(2n, "y/1.jpg", 2)]);
    const { dataset } = await open([a, file("b.tfrecord", [of(10n, "x/2.jpg", 3)])], { prefix: "train" });
    expect(dataset.identities).toEqual(["2", "10"]);
    expect([...labelsOf(dataset)]).toEqual([1, 0, 1]);
    expect(dataset.items.map((item) => item.name)).toEqual([
      "a.tfrecord: record 1: x/1.jpg",
      "a.tfrecord: record 2: y/1.jpg",
      "b.tfrecord: record 1: x/2.jpg",
    ]);
    expect(a.reads).toBe(0); // labels cost no picture
    expect(await dataset.items[1].decode([1, 1, 1])).toEqual(Uint8Array.of(...jpeg, 2));
    expect(await dataset.items[1].stored!()).toEqual({ bytes: Uint8Array.of(...jpeg, 2) });
    expect(a.reads).toBe(2);
    const other = subset(dataset, [1]);
    expect(await other.items[1].stored!()).toEqual({ bytes: Uint8Array.of(...jpeg, 3) });
    expect(await other.items[1].decode([1, 1, 1])).toEqual(Uint8Array.of(...jpeg, 3));
  });

  it("reads other names, text labels, and the names of numbered labels", async () => {
    const options = { features: { image: "image/encoded", label: "who" } };
    const text = await open([file("f", [{ "image/encoded": [jpeg], who: utf8("Zoë") }])], options);
    expect(text.dataset.identities).toEqual(["Zoë"]);
    const named = { image: [jpeg], label: [7n], name: utf8("Ada Lovelace") };
    expect((await open([file("f", [named])])).dataset.identities).toEqual(["Ada Lovelace"]);
    const slash = await open([file("f", [{ "a/b/image": [jpeg], "a/b/label": [-1n] }])], { prefix: "a/b/" });
    expect(slash.dataset.identities).toEqual(["-1"]);
  });

  it("says which labels one name makes one identity", async () => {
    const of = (label: bigint, name: string) => ({ image: [jpeg], label: [label], name: utf8(name) });
    const told: string[] = [];
    const records = [of(0n, "2"), of(1n, "1"), of(2n, ""), of(3n, "x"), of(3n, "x")];
    const { dataset } = await open([file("f", records)], { tell: (line) => told.push(line) });
    expect(dataset.identities).toEqual(["1", "2", "x"]);
    expect(told).toEqual(['labels 0 and 2 are one identity, as both are named "2"']);
  });

  it.each([1, 3, 4])("reads raw pixels with %i channels", async (channels) => {
    const pixels = Uint8Array.from({ length: 2 * 3 * channels }, (_, i) => i);
    const example = { image: [pixels], label: [0n], height: [2n], width: [3n] };
    const { dataset } = await open([file("f", [example])]);
    expect(await dataset.items[0].stored!()).toEqual({ bytes: pixels, raw: [2, 3, channels] });
  });

  it.each<[string, Features, RegExp]>([
    ["no image", { label: [0n] }, /it has no feature "image"; it has label$/],
    ["no label", { image: [jpeg] }, /it has no feature "label"; it has image$/],
    [
      "another prefix",
      { "train/image": [jpeg], "train/label": [0n] },
      /it has train\/image, train\/label: is the prefix "train"\?$/,
    ],
    ["no features", {}, /it has no features$/],
    ["two labels", { image: [jpeg], label: [0n, 1n] }, /"label" has several values; expected one$/],
    ["an empty label", { image: [jpeg], label: [] }, /"label" has no value/],
    ["a label that is a float", { image: [jpeg], label: [0.5] }, /"label" is a float; expected an integer or text/],
    ["a label that is no text", { image: [jpeg], label: [Uint8Array.of(0xff)] }, /"label" is not valid UTF-8 text/],
    ["an image that is a number", { image: [1n], label: [0n] }, /"image" must be bytes/],
    [
      "raw pixels without a size",
      { image: [Uint8Array.of(1)], label: [0n] },
      /not a JPEG.* the feature "height", required for raw pixels, is missing/,
    ],
    [
      "raw pixels of another size",
      { image: [Uint8Array.of(1)], label: [0n], height: [3n], width: [1n] },
      /its 1 bytes are not 3x1 pixels with 1, 3 or 4 channels/,
    ],
    [
      "a negative height",
      { image: [Uint8Array.of(1)], label: [0n], height: [-3n], width: [1n] },
      /"height" is not an integer from 1 to 65535/,
    ],
    [
      "a height of 2^40",
      { image: [Uint8Array.of(1)], label: [0n], height: [2n ** 40n], width: [1n] },
      /"height" is not an integer from 1 to 65535/,
    ],
  ])("%s: an error that says so, or a skipped record", async (_, features, reason) => {
    const good = { image: [jpeg], label: [5n] };
    const bytes = recordFile(codec, [good, features]);
    const error = await open([source("f.tfrecord", bytes)]).catch((e) => e);
    expect(error).toMatchObject({ code: "CORRUPT_RECORD", record: 2 });
    expect(error.message).toMatch(/^f\.tfrecord: record 2 at byte \d+: /);
    expect(error.reason).toMatch(reason);
    const skipped: CorruptRecordError[] = [];
    const { dataset } = await open([source("f.tfrecord", bytes)], { onCorrupt: (e) => skipped.push(e) });
    expect(dataset.items).toHaveLength(1);
    expect(skipped.map((e) => e.reason)).toEqual([error.reason]);
  });

  it("rejects data without any readable record", async () => {
    await expect(open([file("a", []), file("b", [])])).rejects.toThrow("a, b: there are no records");
    const wrong = open([file("a", [{ "train/image": [jpeg] }])], { onCorrupt: () => {} });
    await expect(wrong).rejects.toThrow(
      /a: every record was skipped; the first: a: record 1 .* is the prefix "train"\?/,
    );
  });

  it("continues with the next file where one is corrupt", async () => {
    const good = { image: [jpeg], label: [5n] };
    const cut = source("cut", recordFile(codec, [good, good]).slice(0, -3));
    const skipped: string[] = [];
    const { dataset } = await open([cut, file("whole", [good])], { onCorrupt: (e) => skipped.push(e.message) });
    expect(dataset.items.map((item) => item.name)).toEqual(["cut: record 1", "whole: record 1"]);
    expect(skipped).toEqual([expect.stringMatching(/^cut: record 2 at byte \d+: the file is truncated/)]);
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array]>([
    ["gzip", gzipSync],
    ["zlib", deflateSync],
  ])("stores the records of %s files separately", async (_, compress) => {
    const pictures = [1, 2, 3].map((n) => Uint8Array.of(...jpeg, n));
    const bytes = recordFile(
      codec,
      pictures.map((image, i) => ({ image: [image], label: [BigInt(i)] })),
    );
    const compressed = source("f.gz", new Uint8Array(compress(bytes)));
    const { dataset, kept } = await open([compressed]);
    expect(kept).toHaveLength(3);
    for (const [i, item] of dataset.items.entries()) expect(await item.decode([1, 1, 1])).toEqual(pictures[i]);
    expect(compressed.reads).toBe(0);
  });

  it("parses any mutated Example with valid checksums to a picture or throws a CorruptRecordError", async () => {
    const raw: Features = {
      image: [new Uint8Array(12).fill(9)],
      label: [3n],
      height: [2n],
      width: [2n],
      addr: utf8("a/1.jpg"),
    };
    const examples = [raw, { ...raw, image: [jpeg], name: utf8("Ada") }].map((features) =>
      codec.writeExample(new Map(Object.entries(features))),
    );
    const changes = fc.array(fc.tuple(fc.nat(120), fc.nat(255)), { minLength: 1, maxLength: 4 });
    await fc.assert(
      fc.asyncProperty(fc.nat(1), changes, async (which, flips) => {
        const bytes = examples[which].slice();
        for (const [at, value] of flips) bytes[at % bytes.length] = value;
        const errors: unknown[] = [];
        const onCorrupt = (error: CorruptRecordError) => errors.push(error);
        const good = recordFile(codec, [{ image: [jpeg], label: [0n] }]);
        const both = new Uint8Array(Buffer.concat([good, frame(bytes, codec.crc32c)]));
        const { dataset } = await open([source("f", both)], { onCorrupt });
        expect(dataset.items.length + errors.length).toBe(2);
        for (const error of errors) expect(error).toBeInstanceOf(CorruptRecordError);
        for (const item of dataset.items) {
          const { bytes, raw: size } = await item.stored!();
          if (size) expect(bytes.length).toBe(size[0] * size[1] * size[2]);
        }
      }),
      { numRuns: 2000, interruptAfterTimeLimit: 15_000 },
    );
  });

  it("detects and names a file that changes after it was opened", async () => {
    const changing = file("f", [{ image: [jpeg], label: [5n] }]);
    const { dataset } = await open([changing]);
    changing.bytes = changing.bytes.slice();
    changing.bytes[30] ^= 1;
    await expect(dataset.items[0].decode([1, 1, 1])).rejects.toThrow(
      "f: record 1: the file has changed since it was opened",
    );
    changing.bytes = changing.bytes.slice(0, 10);
    await expect(dataset.items[0].stored!()).rejects.toThrow("f: record 1: the file has changed since it was opened");
  });
});

describe("names in records", () => {
  const record = (label: bigint | string, name?: string): Features => ({
    image: [jpeg],
    label: typeof label === "bigint" ? [label] : utf8(label),
    ...(name !== undefined && { name: utf8(name) }),
  });
  const identities = async (...records: Features[]) => (await open([file("names", records)])).dataset.identities;

  it("treat an empty name as an absent one", async () => {
    expect(await identities(record(1n, ""), record(2n, ""), record(1n), record(3n, " \t"))).toEqual(["1", "2", "3"]);
    expect(await identities(record(1n, ""), record(2n, "Ada"))).toEqual(["1", "Ada"]);
    await expect(identities(record(""))).rejects.toThrow(/feature "label" is empty/);
  });

  it("are normalized", async () => {
    expect(await identities(record(1n, "Rene\u0301e"), record(2n, " Ren\u00e9e"), record("Rene\u0301e"))).toEqual([
      "Ren\u00e9e",
    ]);
    await expect(identities(record(1n, "A\u0000da"))).rejects.toThrow(/record 1 .*"A\\u0000da": it has invisible/);
  });

  it("omits an empty address from messages", async () => {
    const { dataset } = await open([file("names", [{ ...record(1n), addr: utf8("") }])]);
    expect(dataset.items[0].name).toBe("names: record 1");
  });

  it("names the type of a file that is not a record file", async () => {
    const png = source("a.png", Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 1, 2, 3));
    await expect(open([png])).rejects.toThrow(
      /this is a PNG picture, not a TFRecord file; for pictures, give the folder with one subfolder for each identity$/,
    );
    const pgm = source("1.pgm", new TextEncoder().encode("P5\n92 112\n255\n"));
    await expect(open([pgm])).rejects.toThrow(/this is a PGM or PPM picture, not .* one subfolder for each identity$/);
    const text = source("a.txt", new TextEncoder().encode("a list of names, one a line"));
    await expect(open([text])).rejects.toThrow(/this is a text file, not a TFRecord file/);
  });
});
