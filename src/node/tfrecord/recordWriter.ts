// Labelled pictures to TFRecord files as TensorFlow reads them: the article's features, and the person's name.
import { createWriteStream } from "node:fs";
import { mkdir, open, rename, rm, stat } from "node:fs/promises";
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
import { diskError } from "../files/diskError.ts";
import { decodePicture, pictureSize, portablePicture } from "../files/images.ts";

export interface WriteRecordsOptions {
  /** In front of each feature's name, with a slash between. */
  prefix?: string;
  /** How many files; more than one get `-00000-of-00010` behind their name. */
  shards?: number;
  compression?: Compression;
  /** Is told of a picture that cannot be decoded, which is left out; without it that is an error. */
  onUnreadable?: (item: Item, error: TwingradError) => void;
  /** What `addr` says of a picture; its name without it. */
  address?: (item: Item) => string;
}

export interface WrittenRecords {
  files: string[];
  bytes: number;
  records: number;
  /** How many records each identity has, in the order of the labels. */
  labels: Record<string, number>;
}

/** Pictures in hand at a time: enough to keep the decoder's threads busy. */
const together = 16;

/**
 * Writes every picture, in the dataset's order, shard after shard. Features: `image` (a JPEG or PNG that needs no
 * turning: see `portablePicture`), `height`, `width`, `label` (the identity's number), `name` (the identity's name),
 * `addr`. Files appear whole or not at all.
 */
export async function writeRecords(
  path: string,
  dataset: Dataset,
  options: WriteRecordsOptions = {},
): Promise<WrittenRecords> {
  const { shards = 1, compression = "none" } = options;
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

  const parts = files.map((file) => join(dirname(file), `.${basename(file)}.${process.pid}.part`));
  let bytes = 0;
  try {
    await mkdir(dirname(path), { recursive: true });
    for (const [shard, part] of parts.entries()) {
      await pipeline(records(shard), compressor(compression), createWriteStream(part));
      await sync(part);
      bytes += (await stat(part)).size;
    }
    for (const [shard, part] of parts.entries()) await rename(part, files[shard]);
  } catch (error) {
    await Promise.allSettled(parts.map((part) => rm(part, { force: true })));
    if (error instanceof TwingradError) throw error;
    throw diskError(path, "written", error as Error);
  }
  const labels = Object.fromEntries(identities.map((name, identity) => [name, counts.get(identity) ?? 0]));
  return { files, bytes, records: [...counts.values()].reduce((sum, count) => sum + count, 0), labels };
}

function compressor(compression: Compression): Transform {
  if (compression === "none") return new PassThrough();
  return compression === "gzip" ? createGzip() : createDeflate();
}

async function sync(path: string): Promise<void> {
  const file = await open(path, "r+");
  await file.sync().finally(() => file.close());
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
