// Imported model and gallery files: imported completely, or rejected with the reason.
import { inBytes, TwingradError } from "../../../errors.ts";
import { Gallery, type GalleryJson } from "../../../recognition/gallery.ts";
import type { Recognizer } from "../../../recognition/recognizer.ts";

/** Larger than any file that the studio writes. */
const largestFile = 2 ** 30;

/** Errors name the file, and say that nothing has changed. */
export async function taking<T>(file: File, work: (bytes: Uint8Array<ArrayBuffer>) => Promise<T>): Promise<T> {
  try {
    if (file.size > largestFile) {
      throw new TwingradError("BAD_INPUT", `it has ${inBytes(file.size)}; the limit is ${inBytes(largestFile)}`);
    }
    return await work(new Uint8Array(await file.arrayBuffer()));
  } catch (error) {
    if (!(error instanceof TwingradError)) throw error;
    const message = `${file.name} could not be imported, and nothing has changed: ${error.message}`;
    throw new TwingradError(error.code, message, { cause: error });
  }
}

/** @throws CORRUPT_FILE for an invalid gallery, CHECKPOINT_MISMATCH for one of another model. */
export function readGallery(model: Recognizer, bytes: Uint8Array): GalleryJson {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new TwingradError("CORRUPT_FILE", "this is not a gallery: it is not a JSON file", { cause: error });
  }
  return Gallery.fromJSON(model, json).toJSON();
}

/**
 * The people of both galleries; a person in both has the pictures of both. Embeddings that a person has already are
 * duplicates, and left out.
 */
export function mergedGalleries(own: GalleryJson, added: GalleryJson): { merged: GalleryJson; duplicates: number } {
  const people = new Map(own.people.map(({ name, embeddings }) => [name, embeddings]));
  let duplicates = 0;
  for (const { name, embeddings } of added.people) {
    const before = people.get(name) ?? [];
    const others = [...new Set(embeddings)].filter((embedding) => !before.includes(embedding));
    duplicates += embeddings.length - others.length;
    people.set(name, [...before, ...others]);
  }
  return { merged: { ...own, people: [...people].map(([name, embeddings]) => ({ name, embeddings })) }, duplicates };
}
