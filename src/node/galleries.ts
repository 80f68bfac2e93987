// Galleries as JSON files.
import { readFile } from "node:fs/promises";
import { TwingradError } from "../gpu/errors.ts";
import { Gallery, type Recogniser } from "../recognition/gallery.ts";
import { writeAtomic } from "./files.ts";

/** The gallery in a file; undefined where there is no such file. Errors name it. */
export async function loadGallery(path: string, model: Recogniser): Promise<Gallery | undefined> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new TwingradError("BAD_INPUT", `${path}: cannot be read: ${(error as Error).message}`, { cause: error });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new TwingradError("CORRUPT_FILE", `${path}: this is no gallery: ${(error as Error).message}`, {
      cause: error,
    });
  }
  try {
    return Gallery.fromJSON(model, json);
  } catch (error) {
    const { code, message } = error as TwingradError;
    throw new TwingradError(code, `${path}: ${message}`, { cause: error });
  }
}

export async function saveGallery(path: string, gallery: Gallery): Promise<void> {
  await writeAtomic(path, `${JSON.stringify(gallery, null, 1)}\n`);
}
