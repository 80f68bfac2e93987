// A sealed file reads back as written; any other bits and any other content give a typed error with the reason.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { TwingradError } from "../../src/errors.ts";
import { decode, encode } from "../../src/formats/safetensors.ts";
import { decodeSealed, encodeSealed, withMetadata } from "../../src/formats/seal.ts";
import { openSaved } from "../../src/model/modelFile.ts";

const tensors = new Map([
  ["x", { dtype: "F32" as const, shape: [2, 3], data: Float32Array.of(1, 2, 3, -4, 5.5, 1e-40) }],
]);
const network = { imageSize: [4, 4, 1], filters: [1], embedding: 2, seed: 1 };
const description = { version: 2, step: 7, network, loss: "cross-entropy", margin: 1 };
const weights = new Map([["w", { dtype: "F32" as const, shape: [40], data: new Float32Array(40) }]]);
const saved = (change: object = {}) =>
  encodeSealed(weights, { twingrad: JSON.stringify({ ...description, ...change }) });

/** The code of the TwingradError that `work` throws. */
async function codeOf(work: Promise<unknown>): Promise<string> {
  const error = await work.then(
    () => undefined,
    (error) => error,
  );
  if (error === undefined) return "none";
  if (!(error instanceof TwingradError)) throw error;
  return error.code;
}

describe("a sealed file", () => {
  it("is a safetensors file like any other, the same for the same input", async () => {
    const bytes = await encodeSealed(tensors, { a: "1" });
    const { metadata } = decode(bytes);
    expect(metadata).toEqual({ a: "1", sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(await encodeSealed(tensors, { a: "1" })).toEqual(bytes);
    expect(await decodeSealed(bytes)).toEqual(decode(bytes));
  });

  it("is rejected when any single bit is flipped", async () => {
    const bytes = await encodeSealed(tensors, { twingrad: "{}" });
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const flipped = bytes.slice();
      flipped[bit >> 3] ^= 1 << (bit & 7);
      // A flipped bit in the digest's key hides the digest: openSaved, which requires one, rejects that.
      const file = await decodeSealed(flipped).catch((error) => error);
      if (file instanceof Error) expect(file).toBeInstanceOf(TwingradError);
      else expect(file.metadata.sha256, `bit ${bit}`).toBeUndefined();
    }
  });

  it("says that it was damaged where a weight was changed", async () => {
    const bytes = await encodeSealed(tensors, {});
    bytes[bytes.length - 5] ^= 1;
    await expect(decodeSealed(bytes)).rejects.toThrow(/damaged after it was written: the SHA-256 of its content is/);
  });

  it("accepts added or replaced metadata, with a new digest", async () => {
    const changed = await withMetadata(await encodeSealed(tensors, { a: "1", b: "2" }), { b: "3", c: "4" });
    const { metadata, tensors: kept } = await decodeSealed(changed);
    expect(metadata).toMatchObject({ a: "1", b: "3", c: "4" });
    expect(kept).toEqual(decode(encode(tensors, {})).tensors);
  });

  it("treats the digest's key inside a string as text", async () => {
    const metadata = { note: '"sha256":"0000"' };
    expect((await decodeSealed(await encodeSealed(tensors, metadata))).metadata.note).toBe(metadata.note);
  });
});

describe("openSaved", () => {
  it("reads the description of a valid file; older files default to recognition and sigmoid embeddings", async () => {
    const { version: _, ...rest } = description;
    const batchNorm = { batchNormEpsilon: 1e-3, batchNormMomentum: 0.99 };
    const whole = { patch: 0, differences: 0 };
    const network = { ...rest.network, embeddingActivation: "sigmoid", ...batchNorm, towers: ["pixels"], ...whole };
    expect((await openSaved(await saved())).description).toEqual({
      ...rest,
      network,
      task: "recognition",
      optimizer: "adam",
    });
  });

  it("rejects every single flipped bit, every truncation and every repetition", async () => {
    const bytes = await saved();
    const changes = fc.oneof(
      fc
        .nat(bytes.length * 8 - 1)
        .map((bit) => bytes.map((byte, i) => (i === bit >> 3 ? byte ^ (1 << (bit & 7)) : byte))),
      fc.nat(bytes.length - 1).map((length) => bytes.slice(0, length)),
      fc.nat(100).map((more) => Uint8Array.of(...bytes, ...bytes.slice(0, more + 1))),
    );
    await fc.assert(
      fc.asyncProperty(changes, async (changed) => {
        expect(await codeOf(openSaved(changed))).toMatch(/^(CORRUPT_FILE|CHECKPOINT_MISMATCH)$/);
      }),
      { numRuns: 2000 },
    );
  });

  it.each<[string, object, RegExp]>([
    ["an invalid picture size", { pictures: { sourceSize: [0, 4], resize: "area" } }, /`sourceSize` \[0,4\]/],
    ["another way to resize", { pictures: { sourceSize: [5, 4], resize: "cubic" } }, /pictures is .*cubic/],
    ["an invalid standardization", { pictures: { resize: "area", standardize: 1 } }, /pictures is .*"standardize":1/],
    [
      "an invalid crop",
      { pictures: { resize: "area", crop: { mode: "box", margin: -1 } } },
      /pictures is .*"margin":-1/,
    ],
    [
      "an invalid alignment",
      { pictures: { resize: "area", alignment: { rows: 28, columns: 23, template: [1], towers: ["edges"] } } },
      /pictures is .*"template":\[1\]/,
    ],
    ["invalid views", { pictures: { resize: "area", views: ["turn"] } }, /pictures is .*"turn"/],
    ["an invalid task", { task: "age" }, /task is "age"/],
    ["a loss of the other task", { task: "liveness", loss: "triplet" }, /loss is "triplet"/],
    ["pictures that are no object", { pictures: 3 }, /pictures is 3/],
    ["another version", { version: 3 }, /no twingrad description of version 1 or 2/],
    ["an invalid step", { step: -1 }, /step is -1/],
    ["an invalid loss", { loss: "hinge" }, /loss is "hinge"/],
    ["an invalid margin", { margin: "wide" }, /margin is "wide"/],
    ["an invalid network", { network: 5 }, /network is 5/],
    ["invalid filters", { network: { ...network, filters: ["x"] } }, /filters x/],
    ["an invalid seed", { network: { ...network, seed: -3 } }, /"seed":-3/],
    ["a network that shrinks to nothing", { network: { ...network, filters: [1, 1, 1] } }, /to nothing/],
    ["a network larger than the file", { network: { ...network, embedding: 2 ** 50 } }, /more than the file's/],
  ])("refuses %s", async (_, change, reason) => {
    await expect(saved(change).then(openSaved)).rejects.toThrow(reason);
  });

  it("accepts files of version 1, which have no digest, and requires one in version 2", async () => {
    const plain = (version: number) => encode(weights, { twingrad: JSON.stringify({ ...description, version }) });
    expect((await openSaved(plain(1))).description.step).toBe(7);
    await expect(openSaved(plain(2))).rejects.toThrow(/digest of the file is missing/);
  });

  it("parses any description or throws a typed error", async () => {
    const values = fc.oneof(fc.jsonValue(), fc.integer(), fc.constantFrom(Number.MAX_SAFE_INTEGER, 2 ** 40, -1, null));
    const networks = fc.oneof(
      values,
      fc.record({
        imageSize: fc.oneof(fc.array(values), values),
        filters: fc.array(values),
        embedding: values,
        seed: values,
      }),
    );
    const record = fc.record(
      { version: fc.constantFrom(1, 2), step: values, network: networks, loss: values, margin: values },
      { requiredKeys: ["version"] },
    );
    await fc.assert(
      fc.asyncProperty(record, fc.boolean(), async (change, whole) => {
        const bytes = await encodeSealed(weights, {
          twingrad: JSON.stringify(whole ? change : { ...description, ...change }),
        });
        expect(await codeOf(openSaved(bytes))).toMatch(/^(none|CORRUPT_FILE|CHECKPOINT_MISMATCH)$/);
      }),
      { numRuns: 1000 },
    );
  });
});
