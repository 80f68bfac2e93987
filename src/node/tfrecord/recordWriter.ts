// Writes labeled pictures to TFRecord files for TensorFlow: the article's features, and the identity's name.

import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir, open, rename, rm } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { PassThrough, type Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createDeflate, createGzip } from "node:zlib";
import type { Dataset, Item } from "../../data/dataset.ts";
import { isUnreadable } from "../../data/readableItems.ts";
import { featureNames } from "../../data/sources/recordFeatures.ts";
import { TwingradError } from "../../errors.ts";
import { frame } from "../../formats/tfrecord/framing.ts";
import { recordCodec } from "../../formats/tfrecord/recordCodec.ts";
import type { Compression, FeatureValues, RecordCodec } from "../../formats/tfrecord/recordTypes.ts";
import { checkOptions, type Known } from "../../options.ts";
import { diskError } from "../files/diskError.ts";
import { decodePicture, pictureSize, portablePicture } from "../files/images.ts";
import { FileLock } from "../files/lock.ts";
import { fileAt, keepAccess, partOf, removeParts } from "../files/writeAtomic.ts";

/** Options of `writeRecords`. */
export interface WriteRecordsOptions {
  /** Prefix of each feature's name, joined with a slash. */
  prefix?: string;
  /** The number of files; several get the suffix `-00000-of-00010`. */
  shards?: number;
  /** The compression of each file. @default "none" */
  compression?: Compression;
  /** Called for a picture that cannot be decoded, which is then left out; by default that is an error. */
  onUnreadable?: (item: Item, error: TwingradError) => void;
  /** The feature `addr` of a picture. @default its name */
  address?: (item: Item) => string;
  /** Aborts: partial files are removed, and the promise rejects with the signal's reason. */
  signal?: AbortSignal;
}

const writeOptions: Known<WriteRecordsOptions> = {
  prefix: "string",
  shards: "finite number",
  compression: 1,
  onUnreadable: "function",
  address: "function",
  signal: 1,
};

/** What `writeRecords` wrote. */
export interface WrittenRecords {
  /** Their paths. */
  files: string[];
  /** The number of bytes of all files together. */
  bytes: number;
  /** How many. */
  records: number;
  /** How many records each identity has, in the order of the labels. */
  labels: Record<string, number>;
}

/** Pictures in memory at a time: enough to keep the decoder's threads busy. */
const together = 16;

/**
 * Writes every picture, in the dataset's order, shard by shard. Features: `image` (an upright JPEG or PNG), `height`,
 * `width`, `label` (the identity's number), `name` (the identity's name), `addr`. Files are written atomically; partial
 * files of killed processes are removed.
 * @throws DISK, `busy`, if another process writes the same records.
 * @example
 * ```ts
 * import { imageFolder, writeRecords } from "twingrad/node";
 *
 * const people = await imageFolder("people/");
 * const { files } = await writeRecords("faces.tfrecord", people, { shards: 10, compression: "gzip", prefix: "train" });
 * ```
 */
export async function writeRecords(
  path: string,
  dataset: Dataset,
  options: WriteRecordsOptions = {},
): Promise<WrittenRecords> {
  checkOptions("writeRecords", options, writeOptions);
  const { shards = 1, compression = "none", signal } = options;
  const { items, identities } = dataset;
  if (shards > items.length) {
    throw new TwingradError("BAD_INPUT", `${items.length} pictures cannot fill ${shards} shards`);
  }
  const number = (value: number) => String(value).padStart(5, "0");
  const files = Array.from({ length: shards }, (_, shard) =>
    shards === 1 ? path : `${path}-${number(shard)}-of-${number(shards)}`,
  );
  const counts = new Map<number, number>();
  const codec = await recordCodec();
  const records = async function* (shard: number) {
    const first = Math.floor((shard * items.length) / shards);
    const end = Math.floor(((shard + 1) * items.length) / shards);
    for (let start = first; start < end; start += together) {
      const chunk = items.slice(start, Math.min(start + together, end));
      const examples = await Promise.all(chunk.map((item) => example(item, identities, codec, options)));
      for (const [position, bytes] of examples.entries()) {
        if (!bytes) continue;
        const { identity } = chunk[position];
        counts.set(identity, (counts.get(identity) ?? 0) + 1);
        yield frame(bytes, codec.crc32c);
      }
    }
  };

  const bytes = await inPlaceOf(path, files, async (part, shard) => {
    await pipeline(records(shard), compressor(compression), part, { signal });
  }).catch((error: Error) => {
    if (error instanceof TwingradError) throw error;
    throw signal?.aborted ? signal.reason : diskError(path, "written", error);
  });
  const labels = Object.fromEntries(identities.map((name, identity) => [name, counts.get(identity) ?? 0]));
  return { files, bytes, records: [...counts.values()].reduce((sum, count) => sum + count, 0), labels };
}

function compressor(compression: Compression): Transform {
  if (compression === "none") return new PassThrough();
  return compression === "gzip" ? createGzip() : createDeflate();
}

/**
 * Writes temporary files and renames them when all are complete. Returns the sum of their bytes.
 * @param path the common part of the files' names; one process at a time writes them.
 */
async function inPlaceOf(
  path: string,
  files: readonly string[],
  write: (part: WriteStream, index: number) => Promise<void>,
): Promise<number> {
  await mkdir(dirname(path), { recursive: true });
  const lock = await FileLock.take(join(dirname(path), `.${basename(path)}.lock`), {
    what: path,
    doing: "is being written",
  });
  const parts: string[] = [];
  try {
    const targets = await Promise.all(files.map(fileAt));
    // Also those of sets with another number of shards under this name.
    const isShard = (name: string) => name.startsWith(`${basename(path)}-`) && /-\d{5,}-of-\d{5,}$/.test(name);
    const own = new Set(targets.map(({ file }) => basename(file)));
    for (const parent of new Set(targets.map(({ file }) => dirname(file))))
      await removeParts(parent, (name) => own.has(name) || isShard(name));
    let bytes = 0;
    for (const [index, { file, stats }] of targets.entries()) {
      parts.push(partOf(file));
      await write(createWriteStream(parts[index], { flags: "wx" }), index);
      const part = await open(parts[index], "r+");
      try {
        if (stats) await keepAccess(part, stats);
        await part.sync();
        bytes += (await part.stat()).size;
      } finally {
        await part.close();
      }
    }
    await lock.check();
    for (const [index, { file }] of targets.entries()) await rename(parts[index], file);
    return bytes;
  } finally {
    await Promise.allSettled(parts.map((part) => rm(part, { force: true })));
    await lock.release();
  }
}

async function example(
  item: Item,
  identities: readonly string[],
  codec: RecordCodec,
  { prefix, onUnreadable, address = ({ name }) => name }: WriteRecordsOptions,
): Promise<Uint8Array | undefined> {
  try {
    if (!item.stored) throw new TwingradError("BAD_INPUT", `${item.name}: this picture has no stored file to write`);
    const image = await portablePicture(await item.stored());
    await decodePicture(image, [8, 8, 3]); // decodes it completely: a record that cannot be decoded is useless
    const { height, width } = await pictureSize({ bytes: image });
    const text = (value: string) => [new TextEncoder().encode(value)];
    const names = featureNames({ prefix });
    const features: [string, FeatureValues][] = [
      [names.image, [image]],
      [names.label, [BigInt(item.identity)]],
      [names.height, [BigInt(height)]],
      [names.width, [BigInt(width)]],
      [names.addr, text(address(item))],
      [names.name, text(identities[item.identity])],
    ];
    return codec.writeExample(new Map(features));
  } catch (error) {
    if (!isUnreadable(error)) throw error;
    const { name } = item;
    const named = error.message.startsWith(name)
      ? error
      : new TwingradError(error.code, `${name}: ${error.message}`, { cause: error });
    if (!onUnreadable) throw named;
    onUnreadable(item, named);
    return undefined;
  }
}
