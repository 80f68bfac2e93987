// Galleries as JSON files.

import { readFile } from "node:fs/promises";
import { z } from "zod";
import { Gallery, type GalleryJson, type Recognizer, TwingradError } from "../index.ts";
import { diskError, matches, textOf, updateFile } from "../internal.ts";
import { warn } from "./outcome.ts";

/** The output of `Gallery.toJSON`. Valid embeddings depend on the model: `Gallery` checks them. */
const schema = z.object({
  format: z.literal("twingrad-gallery"),
  version: z.literal(1),
  model: z.string(),
  embedding: z.int().min(1),
  match: z.enum(matches).optional(),
  people: z.array(z.object({ name: z.string().min(1), embeddings: z.array(z.base64()).min(1) })),
});

/** The gallery in a file; undefined if the file does not exist. Errors name the file. */
export async function loadGallery(path: string, model: Recognizer): Promise<Gallery | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw diskError(path, "read", error as Error);
  }
  return parsed(path, bytes, model);
}

function parsed(path: string, bytes: Uint8Array, model: Recognizer): Gallery {
  try {
    return Gallery.fromJSON(model, parse(bytes));
  } catch (error) {
    const { code, message } = error as TwingradError;
    throw new TwingradError(code, `${path}: ${message}`, { cause: error });
  }
}

function parse(bytes: Uint8Array): GalleryJson {
  const broken = (reason: string, cause: unknown) =>
    new TwingradError("CORRUPT_FILE", `not a gallery file: ${reason}`, { cause });
  let json: unknown;
  try {
    json = JSON.parse(textOf(bytes));
  } catch (error) {
    throw broken((error as Error).message, error);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw broken(path.length > 0 ? `${path.join(".")}: ${message}` : message, parsed.error);
}

/**
 * Reads, changes and writes the gallery in a file as one atomic step, so that no process loses another's changes.
 * The old file is replaced, and partial files of a killed process are removed: they may contain people who were removed
 * from the gallery since. A new file is readable by its owner alone.
 * @param change gets undefined if the file does not exist, and returns the gallery to write.
 */
export async function updateGallery(
  path: string,
  model: Recognizer,
  change: (gallery: Gallery | undefined) => Gallery,
): Promise<Gallery> {
  let changed!: Gallery;
  await updateFile(
    path,
    async (bytes) => {
      changed = change(bytes && parsed(path, bytes, model));
      return `${JSON.stringify(changed, null, 1)}\n`;
    },
    { ownerOnly: true, tell: warn },
  );
  return changed;
}

/** Merges two galleries; a name in both gets the embeddings of both. */
export function joined(gallery: Gallery, added: Gallery): Gallery {
  const json = gallery.toJSON();
  for (const person of added.toJSON().people) {
    const known = json.people.find(({ name }) => name === person.name);
    if (known) known.embeddings.push(...person.embeddings);
    else json.people.push(person);
  }
  return Gallery.fromJSON(gallery.model, json);
}
