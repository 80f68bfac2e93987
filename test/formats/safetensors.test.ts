import { existsSync, readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decode, encode, float32, SafetensorsError } from "../../src/formats/safetensors.ts";

const folder = resolve(import.meta.dirname, "../../../shared/data/safetensors");

/** A file from a header's text and the data's bytes. */
function file(header: string | Uint8Array, data = new Uint8Array(0), declared?: bigint): Uint8Array {
  const text = typeof header === "string" ? new TextEncoder().encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, declared ?? BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}
const tensor = (offsets: string, shape = "[1]", dtype = "F32") =>
  `{"dtype":"${dtype}","shape":${shape},"data_offsets":${offsets}}`;

describe("safetensors", () => {
  it("decodes bit for bit what was encoded, and is deterministic", () => {
    const names = fc.uniqueArray(fc.string({ unit: "binary" }).filter((name) => !name.startsWith("__")));
    fc.assert(
      fc.property(
        names,
        fc.dictionary(
          fc.string().filter((key) => key !== "__proto__"),
          fc.string(),
        ),
        fc.nat(),
        (keys, metadata, seed) => {
          const tensors = new Map(
            keys.map((name, index) => {
              const shape = [(seed + index) % 4, 1 + (seed % 3)];
              const data = Float32Array.from(
                { length: shape[0] * shape[1] },
                (_, i) => Math.sin(seed + i) * 10 ** (i - 3),
              );
              return [name, { dtype: "F32" as const, shape, data }];
            }),
          );
          const bytes = encode(tensors, metadata);
          const read = decode(bytes);
          expect(read.metadata).toEqual({ ...metadata });
          expect([...read.tensors.keys()].sort()).toEqual([...keys].sort());
          for (const [name, { shape, data }] of tensors) {
            expect(read.tensors.get(name)!.shape).toEqual(shape);
            expect(float32(read, name)).toEqual(data);
          }
          expect(encode(tensors, metadata)).toEqual(bytes);
          expect(Number(new DataView(bytes.buffer).getBigUint64(0, true)) % 8).toBe(0);
        },
      ),
    );
  });

  it.each([
    ["an ONNX model", "\x08\x08\x12\x08twingrad\x3a\x90\x01"],
    ["a NumPy array", "\x93NUMPY\x01\x00v\x00{'descr'"],
    ["a ZIP archive", "PK\x03\x04\x14\x00\x00\x00\x08\x00"],
    ["a PNG picture", "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"],
    ["a TFRecord file", "\x0b\x01\x00\x00\x00\x00\x00\x00\x99\x12\xab\xcd\x0a\x88\x02"],
    ["a JSON file", '{"format": "twingrad-gallery"}'],
    ["an HTML page", "<!doctype html><title>Sign in</title>"],
    ["a Git LFS pointer", "version https://git-lfs.github.com/spec/v1"],
    ["a text file", "Hello\n"],
    ["an empty file", ""],
  ])("says that a file is %s", (kind, start) => {
    const error = new SafetensorsError(`this is ${kind}, not a safetensors file`);
    expect(() => decode(new Uint8Array(Buffer.from(start, "latin1")))).toThrow(error);
  });

  it("keeps signed zeros, infinities and subnormals", () => {
    const data = new Float32Array([-0, 0, Infinity, -Infinity, 1e-45, 3.4028235e38]);
    const read = float32(decode(encode(new Map([["x", { dtype: "F32", shape: [6], data }]]), {})), "x");
    expect(Object.is(read[0], -0)).toBe(true);
    expect(read).toEqual(data);
  });

  it("reads a view into a larger buffer", () => {
    const bytes = encode(new Map([["x", { dtype: "F32", shape: [1], data: new Float32Array([5]) }]]), {});
    const larger = new Uint8Array(bytes.length + 3);
    larger.set(bytes, 3);
    expect(float32(decode(larger.subarray(3)), "x")[0]).toBe(5);
  });

  it("copies out of a Buffer, whose slices are views", () => {
    const tensors = new Map([["x", { dtype: "F32" as const, shape: [2], data: new Float32Array([5, 6]) }]]);
    const buffer = Buffer.from(encode(tensors, {}));
    const read = decode(buffer);
    buffer.fill(0);
    expect(float32(read, "x")).toEqual(Float32Array.of(5, 6));
  });

  it("rejects what no reader could decode", () => {
    const one = { dtype: "F32" as const, shape: [2], data: new Float32Array(1) };
    expect(() => encode(new Map([["x", one]]), {})).toThrow(/"x" of shape \[2\] has 1 values/);
    expect(() => encode(new Map([["__metadata__", { ...one, shape: [1] }]]), {})).toThrow(/is reserved/);
  });

  it("names a tensor that is missing or of another type", () => {
    const read = decode(file(`{"a":${tensor("[0,4]", "[1]", "I32")}}`, new Uint8Array(4)));
    expect(() => float32(read, "a")).toThrow('"a" is I32, not F32');
    expect(() => float32(read, "b")).toThrow('"b" is missing');
  });

  const four = new Uint8Array(4);
  const eight = new Uint8Array(8);
  it.each<[string, Uint8Array, RegExp]>([
    ["nothing", new Uint8Array(0), /this is an empty file, not a safetensors file/],
    ["half a length", new Uint8Array(7), /7 bytes is too short/],
    ["a length of 2^64 - 1", file("{}", four, 2n ** 64n - 1n), /claims 18446744073709551615 bytes/],
    ["a length beyond the file", file("{}", four, 7n), /claims 7 bytes where 6 follow/],
    ["no header", file(""), /does not begin with "{"/],
    ["an array", file("[]"), /does not begin with "{"/],
    ["a leading space", file(" {}"), /does not begin with "{"/],
    ["a byte-order mark", file(new Uint8Array([0xef, 0xbb, 0xbf, 0x7b, 0x7d])), /does not begin with "{"/],
    ["broken UTF-8", file(new Uint8Array([0x7b, 0xff, 0x7d])), /not UTF-8/],
    ["broken JSON", file("{,}"), /not JSON/],
    ["a tensor twice", file(`{"a":${tensor("[0,4]")},"a":${tensor("[4,8]")}}`, eight), /"a" twice/],
    ["a tensor twice, once escaped", file(`{"a":${tensor("[0,4]")},"\\u0061":${tensor("[4,8]")}}`, eight), /"a" twice/],
    [
      "a field twice",
      file('{"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', four),
      /"dtype" twice/,
    ],
    ["a metadata key twice", file('{"__metadata__":{"k":"1","k":"2"}}'), /"k" twice/],
    ["__proto__", file(`{"__proto__":${tensor("[0,4]")}}`, four), /"__proto__"/],
    ["__proto__, escaped, in metadata", file('{"__metadata__":{"\\u005f_proto__":"x"}}'), /"__proto__"/],
    ["metadata that is no object", file('{"__metadata__":"x"}'), /__metadata__ is not an object/],
    ["metadata with a number", file('{"__metadata__":{"k":1}}'), /"k" is not a string/],
    ["a tensor that is no object", file('{"a":1}'), /description is not an object/],
    ["an unknown dtype", file(`{"a":${tensor("[0,4]", "[1]", "F31")}}`, four), /unknown dtype "F31"/],
    ["a dtype of Object's", file(`{"a":${tensor("[0,4]", "[1]", "toString")}}`, four), /unknown dtype/],
    ["a negative extent", file(`{"a":${tensor("[0,4]", "[-1]")}}`, four), /shape is not/],
    ["a fractional extent", file(`{"a":${tensor("[0,4]", "[1.5]")}}`, four), /shape is not/],
    ["a shape whose product overflows", file(`{"a":${tensor("[0,4]", "[4294967296,4294967296]")}}`, four), /too large/],
    ["offsets that are three", file(`{"a":${tensor("[0,4,8]")}}`, four), /data_offsets/],
    ["offsets in reverse", file(`{"a":${tensor("[4,0]")}}`, four), /after its end/],
    ["offsets beyond the data", file(`{"a":${tensor("[0,4]")}}`), /ends at byte 4 of the data, which has 0/],
    ["a shape of another length", file(`{"a":${tensor("[0,4]", "[2]")}}`, four), /takes 8 bytes; data_offsets span 4/],
    [
      "sub-byte values that fill no byte",
      file(`{"a":${tensor("[0,1]", "[1]", "F4")}}`, new Uint8Array(1)),
      /0\.5 bytes/,
    ],
    ["an overlap", file(`{"a":${tensor("[0,4]")},"b":${tensor("[0,4]")}}`, four), /overlaps/],
    ["a hole", file(`{"a":${tensor("[0,4]")},"b":${tensor("[8,12]")}}`, new Uint8Array(12)), /gap/],
    ["a hole at the start", file(`{"a":${tensor("[4,8]")}}`, eight), /gap/],
    ["bytes behind the last tensor", file(`{"a":${tensor("[0,4]")}}`, eight), /take 4 bytes; the file has 8/],
  ])("refuses %s", (_, bytes, reason) => {
    expect(() => decode(bytes)).toThrow(SafetensorsError);
    expect(() => decode(bytes)).toThrow(reason);
  });

  it("treats braces, quotes and colons inside strings as text", () => {
    const metadata = { 'a"}:{"': '{"a":1,"a":2}', "\\": '\\":' };
    expect(decode(encode(new Map(), metadata)).metadata).toEqual(metadata);
  });

  it("parses any mutation of a valid file or throws a SafetensorsError", () => {
    const valid = encode(new Map([["tower/x", { dtype: "F32", shape: [2, 2], data: new Float32Array(4) }]]), {
      k: "v",
    });
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(valid.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }),
        fc.nat(valid.length),
        (changes, length) => {
          const mutated = valid.slice(0, length);
          for (const [position, value] of changes) if (position < length) mutated[position] = value;
          try {
            for (const { bytes } of decode(mutated).tensors.values()) expect(bytes.length).toBeLessThanOrEqual(length);
          } catch (error) {
            expect(error).toBeInstanceOf(SafetensorsError);
          }
        },
      ),
      { numRuns: 3000 },
    );
  });

  it("parses any header or throws a SafetensorsError, and reads nothing outside the file", () => {
    const data = new Uint8Array(16);
    const number = fc.oneof(fc.nat(20), fc.constantFrom(-1, 0.5, 2 ** 31, 2 ** 53, 1e308), fc.jsonValue());
    const description = fc.oneof(
      fc.record(
        {
          dtype: fc.oneof(fc.constantFrom("F32", "F64", "U8", "BOOL", "F4", "__proto__", "length"), fc.jsonValue()),
          shape: fc.oneof(fc.array(number, { maxLength: 3 }), fc.jsonValue()),
          data_offsets: fc.oneof(fc.tuple(number, number), fc.array(number), fc.jsonValue()),
        },
        { requiredKeys: [] },
      ),
      fc.jsonValue(),
    );
    const name = fc.oneof(fc.constantFrom("a", "b", "__metadata__", "__proto__", "constructor"), fc.string());
    const header = fc
      .array(fc.tuple(name, description), { maxLength: 4 })
      .map((entries) => `{${entries.map(([key, one]) => `${JSON.stringify(key)}:${JSON.stringify(one)}`).join(",")}}`);
    let read = 0;
    fc.assert(
      fc.property(
        header,
        fc.constantFrom(undefined, 0n, 2n, 2n ** 32n, 2n ** 53n, 2n ** 64n - 1n),
        (text, declared) => {
          try {
            const { tensors } = decode(file(text, data, declared));
            read++;
            const covered = [...tensors.values()].reduce((sum, { bytes }) => sum + bytes.length, 0);
            if (declared === undefined) expect(covered).toBe(data.length);
          } catch (error) {
            expect(error).toBeInstanceOf(SafetensorsError);
          }
        },
      ),
      { numRuns: 3000, examples: [[`{"a":${tensor("[0,16]", "[4]")}}`, undefined]] },
    );
    expect(read).toBeGreaterThan(0);
    expect(({} as { dtype?: unknown }).dtype).toBeUndefined();
  });

  describe.skipIf(!existsSync(folder))("files of other writers (../shared/data/safetensors)", () => {
    interface Entry {
      file: string;
      expect: string;
      metadata?: Record<string, string> | null;
      tensors?: Record<string, string>;
    }
    const manifest: Entry[] = existsSync(folder) ? JSON.parse(readFileSync(`${folder}/manifest.json`, "utf8")) : [];

    it("has a manifest of every file", () => {
      const files = ["valid", "invalid"].flatMap((part) =>
        readdirSync(`${folder}/${part}`).map((name) => `${part}/${name}`),
      );
      expect(manifest.map((entry) => entry.file).sort()).toEqual(files.sort());
    });

    it.each(manifest.filter((entry) => entry.expect === "ok"))("reads $file", (entry) => {
      const { tensors, metadata } = decode(new Uint8Array(readFileSync(`${folder}/${entry.file}`)));
      const described = [...tensors].map(([name, { dtype, shape }]) => [name, `${dtype}[${shape.join(", ")}]`]);
      expect(Object.fromEntries(described)).toEqual(entry.tensors);
      expect(metadata).toEqual(entry.metadata ?? {});
    });

    it.each(manifest.filter((entry) => entry.expect !== "ok"))("refuses $file", (entry) => {
      expect(() => decode(new Uint8Array(readFileSync(`${folder}/${entry.file}`)))).toThrow(SafetensorsError);
    });
  });
});
