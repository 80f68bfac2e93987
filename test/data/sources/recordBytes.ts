// Record files for the tests: shared ones outside the repository, and streams in chunks of unusual sizes.
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { frame } from "../../../src/formats/tfrecord/framing.ts";
import type { FeatureValues, RecordCodec } from "../../../src/formats/tfrecord/recordTypes.ts";

const shared = resolve(import.meta.dirname, "../../../../shared/data/tfrecord");

export const missing = `no record files at ${shared}: these cases are skipped`;

export interface ManifestEntry {
  file: string;
  bytes: number;
  compression: "none" | "gzip" | "zlib";
  uncompressedBytes?: number;
  goodRecords?: number;
  problems?: string[];
  jpegs?: number;
  firstExampleFeatures?: Record<string, string> | null;
  decompress?: string;
}

/** The contents of each file as an independent reader found them; empty where the files are absent. */
export const manifest: ManifestEntry[] = existsSync(shared)
  ? JSON.parse(readFileSync(`${shared}/manifest.json`, "utf8"))
  : [];

export const sharedPath = (file: string) => `${shared}/${file}`;

export const readShared = (file: string) => new Uint8Array(readFileSync(sharedPath(file)));

/** A stream of the bytes in chunks of `size`. */
export async function* chunks(bytes: Uint8Array, size = 4096): AsyncGenerator<Uint8Array> {
  for (let start = 0; start < bytes.length; start += size) yield bytes.subarray(start, start + size);
}

export async function all<T>(source: AsyncIterable<T>): Promise<T[]> {
  const values: T[] = [];
  for await (const value of source) values.push(value);
  return values;
}

export const concatenated = (parts: readonly Uint8Array[]) => new Uint8Array(Buffer.concat(parts));

/** The bytes of a file of Examples. */
export function recordFile(codec: RecordCodec, examples: readonly Record<string, FeatureValues>[]): Uint8Array {
  return concatenated(
    examples.map((features) => frame(codec.writeExample(new Map(Object.entries(features))), codec.crc32c)),
  );
}
