// Datasets in a page or worker, from chosen files, blobs or the network. Nothing is uploaded.

import type { Dataset } from "../data/dataset.ts";
import type { ImageSize } from "../data/imageSize.ts";
import { type CropOptions, cropOf } from "../data/pictures/crop.ts";
import type { StoredPicture } from "../data/pictures/storedPicture.ts";
import { folderDataset, isPassedOver, type PictureFile, passedOver, takesPart } from "../data/sources/folders.ts";
import { type RecordOptions, type RecordSource, recordDataset, recordOptions } from "../data/sources/recordDataset.ts";
import { TwingradError } from "../errors.ts";
import type { Box } from "../formats/box.ts";
import { boxFileOf, boxTable, parseBoxFile, parseBoxTable } from "../formats/boxFiles.ts";
import { recordCodec } from "../formats/tfrecord/recordCodec.ts";
import { checkOptions } from "../options.ts";
import { decodeHere } from "./decodePicture.ts";

/** A file, a blob, a response, or a URL to fetch. */
export type RecordInput = Blob | Response | URL | string;

/** Options of datasets in a page. */
export interface PageDataOptions {
  /** Decodes the pictures; `decode` of a `PageDecoder` uses workers. By default decoding runs in the calling thread. */
  decode?: (picture: StoredPicture, size: ImageSize) => Promise<Uint8Array>;
}

/**
 * The pictures in TFRecord files: plain, GZIP or ZLIB, detected by content. Each file is read once as a stream;
 * pictures are read again when they are needed. Data from the network and compressed data are kept as blobs, which
 * browsers move to the disk when they are large.
 * @throws as `tfrecords` in Node does; BAD_INPUT also for a failed request.
 * @example
 * ```ts
 * import { PageDecoder, tfrecords } from "twingrad/web";
 *
 * const people = await tfrecords(new URL("https://example.org/faces.tfrecord"), { decode: new PageDecoder().decode });
 * ```
 */
export async function tfrecords(
  inputs: RecordInput | Iterable<RecordInput>,
  options: RecordOptions & PageDataOptions = {},
): Promise<Dataset> {
  checkOptions("tfrecords", options, { ...recordOptions, decode: "function" });
  const { decode = decodeHere, ...reading } = options;
  const several = typeof inputs === "string" || !(Symbol.iterator in inputs) ? [inputs] : [...inputs];
  const sources: RecordSource[] = [];
  for (const input of several) sources.push(await recordSource(input));
  const keep = async (bytes: Uint8Array) => {
    const blob = new Blob([bytes as BlobPart]);
    return () => bytesOf(blob);
  };
  return recordDataset(sources, reading, { codec: await recordCodec(), keep, decode });
}

async function recordSource(input: RecordInput): Promise<RecordSource> {
  if (input instanceof Blob) return blobSource(input, input instanceof File ? input.name : "the blob");
  const response = input instanceof Response ? input : await fetched(input);
  const name = response.url || "the response";
  if (!response.ok)
    throw new TwingradError("BAD_INPUT", `${name}: the response was ${response.status} ${response.statusText}`);
  const blob = await response.blob().catch((error: Error) => {
    throw new TwingradError("BAD_INPUT", `${name}: cannot be read: ${error.message}`, { cause: error });
  });
  return blobSource(blob, name);
}

async function fetched(address: URL | string): Promise<Response> {
  return fetch(address).catch((error: Error) => {
    throw new TwingradError("BAD_INPUT", `${address}: cannot be fetched: ${error.message}`, { cause: error });
  });
}

function blobSource(blob: Blob, name: string): RecordSource {
  return {
    name,
    stream: () => chunksOf(blob.stream()),
    read: (offset, length) => bytesOf(blob.slice(offset, offset + length)),
  };
}

const bytesOf = async (blob: Blob) => new Uint8Array(await blob.arrayBuffer());

/** Iterates over a stream; not every browser's streams are async iterable. */
async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel();
  }
}

/**
 * The pictures of a chosen folder (`<input type="file" webkitdirectory>`): the folder that a picture lies in is its
 * identity, at any depth, as with `imageFolder` in Node. With `crop` a picture's box comes from the JSON file beside it
 * or from the folder's boxes.csv; a corrupt file of boxes is an error when one of its pictures is decoded.
 * @throws BAD_INPUT if no folder has a picture.
 * @example
 * ```ts
 * import { imageFiles, PageDecoder } from "twingrad/web";
 *
 * const input = document.querySelector<HTMLInputElement>("input[webkitdirectory]")!;
 * const people = imageFiles(input.files!, { decode: new PageDecoder().decode });
 * ```
 */
export function imageFiles(
  files: Iterable<File>,
  options: PageDataOptions & {
    readonly crop?: CropOptions;
    /** Called with one line about skipped pictures in unsupported formats. */
    readonly tell?: (text: string) => void;
  } = {},
): Dataset {
  checkOptions("imageFiles", options, { decode: "function", crop: 1, tell: "function" });
  const { decode = decodeHere, crop, tell } = options;
  const below = ({ webkitRelativePath, name }: File) => {
    const path = webkitRelativePath || name;
    return path.slice(path.indexOf("/") + 1); // without the chosen folder itself
  };
  const all = new Map([...files].map((file) => [below(file), file]));
  let table: Promise<Map<string, Box>> | undefined;
  const partOf = async (path: string) => {
    if (crop?.mode !== "box") return undefined;
    const beside = all.get(boxFileOf(path));
    const own = beside && (await named(below(beside), async () => parseBoxFile(await beside.text())));
    if (own) return cropOf(own, crop);
    const listed = all.get(boxTable);
    if (listed) table ??= named(boxTable, async () => parseBoxTable(await listed.text()));
    return cropOf((await table)?.get(path.normalize("NFC")), crop);
  };
  const pictures = [...all].flatMap(([path, file]): PictureFile[] => {
    const name = file.webkitRelativePath || file.name;
    if (!takesPart(path)) return [];
    const stored = async () => ({ bytes: await bytesOf(file), crop: await partOf(path) });
    return [{ path, name, stored, decode: (size) => named(name, async () => decode(await stored(), size)) }];
  });
  const others = [...all.keys()].filter(isPassedOver);
  const warning = passedOver(
    others,
    pictures.map(({ path }) => path),
  );
  if (warning && pictures.length > 0) tell?.(warning);
  return folderDataset("the chosen folder", pictures, others);
}

async function named<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof TwingradError ? error.code : "BAD_INPUT";
    throw new TwingradError(code, `${name}: ${(error as Error).message}`, { cause: error });
  }
}
