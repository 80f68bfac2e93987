// Gallery files of any content: the gallery, or a typed error that names the file and the place in it.
import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, describe, expect, it } from "vitest";
import { joined, loadGallery, updateGallery } from "../../src/cli/galleryFiles.ts";
import { TwingradError } from "../../src/errors.ts";
import { Gallery } from "../../src/recognition/gallery.ts";
import { model } from "../recognition/stubModel.ts";

const folder = await mkdtemp(join(tmpdir(), "twingrad-galleries-"));
afterAll(() => rm(folder, { recursive: true }));

const gallery = new Gallery(model);
await gallery.enroll("Ada", Uint8Array.of(1, 2));
await gallery.enroll("Zoë", Uint8Array.of(3, 4, 5, 6));
const saved = JSON.stringify(gallery);
const path = join(folder, "gallery.json");
const saveGallery = (file: string, given: Gallery) => updateGallery(file, model, () => given);

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

  it("keeps nothing of a person who was forgotten: no byte of the name or an embedding, no other file", async () => {
    const own = join(folder, "forgetting");
    await mkdir(own);
    const file = join(own, "gallery.json");
    const people = new Gallery(model);
    await people.enroll("Ada", Uint8Array.of(1, 2));
    await people.enroll('Zoë "Z" 李', Uint8Array.of(31, 41, 59, 26));
    await people.enroll("Eve", Uint8Array.of(7, 8));
    const forgotten = people.toJSON().people[1];
    await saveGallery(file, people);
    // As a process leaves it that was killed in the middle of writing; this one's number is taken by nobody.
    await writeFile(join(own, ".gallery.json.4194305.part"), await readFile(file));

    await updateGallery(file, model, (loaded) => {
      expect(loaded!.remove('Zoë "Z" 李')).toBe(true);
      return loaded!;
    });
    expect(await readdir(own)).toEqual(["gallery.json"]);
    const bytes = await readFile(file);
    const traces = [
      ...['Zoë "Z" 李', "Zoë", "Zo\\u00eb", "李", "\\u674e", JSON.stringify('Zoë "Z" 李')].map((text) =>
        Buffer.from(text),
      ),
      ...forgotten.embeddings.flatMap((text) => [Buffer.from(text), Buffer.from(text, "base64")]),
      ...[31, 41, 59, 26].map((value) => Buffer.from(new Float32Array([value]).buffer)),
    ];
    for (const trace of traces) expect(bytes.includes(trace), trace.toString()).toBe(false);
    expect((await loadGallery(file, model))!.names).toEqual(["Ada", "Eve"]);
  });

  it("loses nothing of changes that are made at once", async () => {
    const file = join(folder, "at once.json");
    await saveGallery(file, gallery);
    const names = Array.from({ length: 20 }, (_, n) => `person ${n}`);
    const enrolled = names.map(async (name, n) => {
      const added = new Gallery(model);
      await added.enroll(name, Uint8Array.of(n, n + 1));
      await updateGallery(file, model, (present) => joined(present!, added));
    });
    const forgotten = updateGallery(file, model, (present) => {
      expect(present!.remove("Ada")).toBe(true);
      return present!;
    });
    await Promise.all([...enrolled.slice(0, 10), forgotten, ...enrolled.slice(10)]);
    expect((await loadGallery(file, model))!.names.sort()).toEqual(["Zoë", ...names].sort());
  });

  it("leads, as a symbolic link, to the file that is changed, and keeps who may read it", async () => {
    const own = join(folder, "linked");
    await mkdir(join(own, "elsewhere"), { recursive: true });
    const file = join(own, "elsewhere", "gallery.json");
    await saveGallery(file, gallery);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await chmod(file, 0o640);
    await symlink("elsewhere/gallery.json", join(own, "link.json"));
    await updateGallery(join(own, "link.json"), model, (present) => {
      present!.remove("Ada");
      return present!;
    });
    expect((await readFile(file, "utf8")).includes("Ada")).toBe(false);
    expect((await stat(file)).mode & 0o777).toBe(0o640);
    expect((await lstat(join(own, "link.json"))).isSymbolicLink()).toBe(true);
    expect(await readdir(join(own, "elsewhere"))).toEqual(["gallery.json"]);
  });

  it("may begin with a byte-order mark, also where it is changed", async () => {
    await writeFile(path, `\ufeff${saved}`);
    await updateGallery(path, model, (present) => {
      expect(present!.remove("Ada")).toBe(true);
      return present!;
    });
    expect((await loadGallery(path, model))!.names).toEqual(["Zoë"]);
  });

  it("is not written where the change is refused", async () => {
    await saveGallery(path, gallery);
    const refused = updateGallery(path, model, () => {
      throw new Error("no");
    });
    await expect(refused).rejects.toThrow("no");
    expect((await loadGallery(path, model))?.toJSON()).toEqual(gallery.toJSON());
  });

  it("keeps how several pictures count; a file without it has the nearest", async () => {
    await saveGallery(path, Gallery.fromJSON(model, { ...gallery.toJSON(), match: "mean" }));
    expect((await loadGallery(path, model))?.match).toBe("mean");
    const { match: _, ...earlier } = gallery.toJSON();
    expect((await load(JSON.stringify(earlier)))?.match).toBe("nearest");
    await expect(load(saved.replace('"match":"nearest"', '"match":"best"'))).rejects.toThrow(/: match: /);
  });

  it.each<[string, string, RegExp]>([
    ["no JSON", "{", /gallery\.json: not a gallery file: .*JSON/],
    ["a list", "[]", /gallery\.json: not a gallery file: .*expected object/],
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
