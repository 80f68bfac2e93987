// Files of models and galleries that somebody brings: taken as a whole, or refused with a sentence that says why.
import { inBytes, TwingradError } from "../../../errors.ts";
import { Gallery, type GalleryJson } from "../../../recognition/gallery.ts";
import type { Recogniser } from "../../../recognition/recogniser.ts";

/** Nothing that the studio writes comes near it. */
const largestFile = 2 ** 30;

/** What a file is refused for names it, and says that all is as it was. */
export async function taking<T>(file: File, work: (bytes: Uint8Array<ArrayBuffer>) => Promise<T>): Promise<T> {
  try {
    if (file.size > largestFile) {
      throw new TwingradError(
        "BAD_INPUT",
        `it has ${inBytes(file.size)}, and at most ${inBytes(largestFile)} are read`,
      );
    }
    return await work(new Uint8Array(await file.arrayBuffer()));
  } catch (error) {
    if (!(error instanceof TwingradError)) throw error;
    const message = `${file.name} was not taken, and nothing has changed: ${error.message}`;
    throw new TwingradError(error.code, message, { cause: error });
  }
}

/** @throws CORRUPT_FILE for bytes that are no gallery, CHECKPOINT_MISMATCH for one of another model. */
export function readGallery(model: Recogniser, bytes: Uint8Array): GalleryJson {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch (error) {
    throw new TwingradError("CORRUPT_FILE", "this is no gallery: it is no JSON file", { cause: error });
  }
  return Gallery.fromJSON(model, json).toJSON();
}

/** The people of both; who is in both has the pictures of both, each once. */
export function mergedGalleries(own: GalleryJson, added: GalleryJson): GalleryJson {
  const people = new Map(own.people.map(({ name, embeddings }) => [name, embeddings]));
  for (const { name, embeddings } of added.people) {
    people.set(name, [...new Set([...(people.get(name) ?? []), ...embeddings])]);
  }
  return { ...own, people: [...people].map(([name, embeddings]) => ({ name, embeddings })) };
}
