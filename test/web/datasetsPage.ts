// The functions that datasets.test.ts calls in a page.

import type { Dataset } from "../../src/data/dataset.ts";
import type { ImageSize } from "../../src/data/imageSize.ts";
import type { CropOptions } from "../../src/data/pictures/crop.ts";
import type { CorruptRecordError } from "../../src/formats/tfrecord/framing.ts";
import { decodeHere, imageFiles, tfrecords } from "../../src/web/index.ts";

const bytesOf = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

async function tell({ identities, items }: Dataset, size: ImageSize) {
  const pictures = await Promise.all(items.map(async (item) => [...(await item.decode(size))]));
  return { identities, labels: items.map((item) => item.identity), names: items.map((item) => item.name), pictures };
}

/** Each file once as a File, a Blob, a Response, or an address that the test answers. */
async function records(file: string, how: "file" | "blob" | "response" | "address", size: ImageSize, skip = false) {
  const skipped: string[] = [];
  const onCorrupt = skip ? (error: CorruptRecordError) => skipped.push(error.message) : undefined;
  const bytes = how === "address" ? new Uint8Array() : bytesOf(file);
  const input = {
    file: () => new File([bytes], "faces.tfrecord"),
    blob: () => new Blob([bytes]),
    response: () => new Response(bytes),
    address: () => file,
  }[how]();
  return { ...(await tell(await tfrecords(input, { onCorrupt }), size)), skipped };
}

async function folder(files: Record<string, string>, size: ImageSize, crop?: CropOptions) {
  const chosen = Object.entries(files).map(([path, base64]) => {
    const file = new File([bytesOf(base64)], path.slice(path.lastIndexOf("/") + 1));
    return Object.defineProperty(file, "webkitRelativePath", { value: path }); // the browser sets it from the dialogue
  });
  return tell(imageFiles(chosen, { crop }), size);
}

async function picture(base64: string, size: ImageSize) {
  return [...(await decodeHere({ bytes: bytesOf(base64) }, size))];
}

/** The code of the TwingradError that the work throws; "done" for a result. */
async function outcome(base64: string) {
  return picture(base64, [16, 16, 3]).then(
    () => "done",
    (error) => error.code as string,
  );
}

declare global {
  var datasets: { records: typeof records; folder: typeof folder; picture: typeof picture; outcome: typeof outcome };
}
globalThis.datasets = { records, folder, picture, outcome };
