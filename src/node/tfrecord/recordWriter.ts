// Labeled pictures to TFRecord files as TensorFlow reads them: the article's features, and the person's name.

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
  /** In front of each feature's name, with a slash between. */
  prefix?: string;
  /** How many files; more than one get `-00000-of-00010` behind their name. */
  shards?: number;
  /** Of each file. @default "none" */
  compression?: Compression;
  /** Is told of a picture that cannot be decoded, which is left out; without it that is an error. */
  onUnreadable?: (item: Item, error: TwingradError) => void;
  /** What `addr` says of a picture; its name without it. */
  address?: (item: Item) => string;
  /** Ends the writing: what was written so far is removed, and the promise rejects with the signal's reason. */
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
  /** Of all files together. */
  bytes: number;
  /** How many. */
  records: number;
  /** How many records each identity has, in the order of the labels. */
  labels: Record<string, number>;
}

/** Pictures in hand at a time: enough to keep the decoder's threads busy. */
const together = 16;

/**
 * Writes every picture, in the dataset's order, shard after shard. Features: `image` (a JPEG or PNG that needs no
 * turning: see `portablePicture`), `height`, `width`, `label` (the identity's number), `name` (the identity's name),
 * `addr`. Files appear whole or not at all; what a killed process left of the same files is removed.
 * @throws DISK, `busy`, where another process writes the same records.
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
 * Writes files beside those that are to be replaced, which they become when all are whole. Gives their bytes together.
 * @param path what the files have in common: of several processes one at a time writes them.
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
    // Of these files, and of sets of other counts of shards under this name.
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
    if (!item.stored) throw new TwingradError("BAD_INPUT", `${item.name}: this picture is not stored anywhere`);
    const image = await portablePicture(await item.stored());
    await decodePicture(image, [8, 8, 3]); // reads all of it: a record that nobody can decode is of no use
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
