// Gallery files of any content: the gallery, or a typed error that names the file and the place in it.
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { TwingradError } from "../../src/gpu/errors.ts";
import { loadGallery, saveGallery } from "../../src/node/galleries.ts";
import { Gallery, type Recogniser } from "../../src/recognition/gallery.ts";

const folder = await mkdtemp(join(tmpdir(), "twingrad-galleries-"));
afterAll(() => rm(folder, { recursive: true }));

const model: Recogniser = {
  fingerprint: "f",
  embedding: 2,
  threshold: 1,
  embed: async (images) => Float32Array.from(images),
  distances: () => Float64Array.of(0),
  probability: () => 1,
};
const gallery = new Gallery(model);
await gallery.enroll("Ada", Uint8Array.of(1, 2));
await gallery.enroll("Zoë", Uint8Array.of(3, 4, 5, 6));
const saved = JSON.stringify(gallery);
const path = join(folder, "gallery.json");

async function load(text: string | Uint8Array) {
  await writeFile(path, text);
  return loadGallery(path, model);
}

describe("a gallery's file", () => {
  it("gives back what was saved; no file is no gallery", async () => {
    await saveGallery(path, gallery);
    expect((await loadGallery(path, model))?.toJSON()).toEqual(gallery.toJSON());
    expect(await loadGallery(join(folder, "none"), model)).toBeUndefined();
  });

  it.each<[string, string, RegExp]>([
    ["no JSON", "{", /gallery\.json: this is no gallery: .*JSON/],
    ["a list", "[]", /gallery\.json: this is no gallery: .*expected object/],
    ["another format", saved.replace("twingrad-gallery", "x"), /: format: /],
    ["a number for a name", saved.replace('"Ada"', "7"), /: people\.0\.name: .*expected string/],
    ["no embeddings", saved.replace(/"embeddings":\["[^"]*"\]/, '"embeddings":[]'), /: people\.0\.embeddings: /],
    ["no base64", saved.replace(/"embeddings":\["/, '"embeddings":["*'), /: people\.0\.embeddings\.0: .*base64/],
  ])("is refused with %s", async (_, text, reason) => {
    await expect(load(text)).rejects.toThrow(reason);
    await expect(load(text)).rejects.toMatchObject({ code: "CORRUPT_FILE" });
  });

  it("ends every other content in a gallery or a typed error", async () => {
    const json = JSON.parse(saved);
    const value = fc.oneof(fc.jsonValue(), fc.constantFrom("", "unknown", "AACAPwAAAEA=", "AADAfwAAAAA="));
    const people = fc.oneof(
      value,
      fc.array(fc.oneof(value, fc.record({ name: value, embeddings: fc.oneof(value, fc.array(value)) }))),
    );
    const texts = fc.oneof(
      fc.json(),
      fc.record({ people }).map((change) => JSON.stringify({ ...json, ...change })),
      fc
        .dictionary(fc.constantFrom(...Object.keys(json), "__proto__"), value)
        .map((change) => JSON.stringify({ ...json, ...change })),
      fc.tuple(fc.nat(saved.length - 1), fc.nat(255)).map(([at, byte]) => {
        const bytes = Buffer.from(saved);
        bytes[at] = byte;
        return bytes;
      }),
      fc.nat(saved.length).map((length) => saved.slice(0, length)),
    );
    await fc.assert(
      fc.asyncProperty(texts, async (text) => {
        const found = await load(text).catch((error) => error);
        if (found instanceof Gallery) return;
        expect(found).toBeInstanceOf(TwingradError);
        expect(found.code).toMatch(/^(CORRUPT_FILE|CHECKPOINT_MISMATCH)$/);
        expect(found.message.startsWith(path)).toBe(true);
      }),
      { numRuns: 1000 },
    );
  });
});
