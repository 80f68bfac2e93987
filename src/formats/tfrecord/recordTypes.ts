// The interface of the packages that read records; the core depends on none. `src/formats/tfrecord/recordCodec.ts`
// implements it.
import type { Crc32c } from "./framing.ts";

export type Compression = "none" | "gzip" | "zlib";

/** One feature of an Example; "empty" has no list. Values are decoded lazily. */
export interface Feature {
  readonly type: "bytes" | "float" | "int64" | "empty";
  /** @throws CORRUPT_FILE where the list is invalid. */
  values(): Iterable<Uint8Array | number | bigint>;
}

/** A `tf.train.Example`: features by name. */
export type Example = ReadonlyMap<string, Feature>;

/** The input of `writeExample`: all values of a feature are of one kind. Integers are bigint. */
export type FeatureValues = readonly Uint8Array[] | readonly number[] | readonly bigint[];

export interface RecordCodec {
  readonly crc32c: Crc32c;
  /** The uncompressed bytes. Throws CORRUPT_FILE where the data are truncated or invalid. */
  inflate(source: AsyncIterable<Uint8Array>, compression: "gzip" | "zlib"): AsyncIterable<Uint8Array>;
  /**
   * @param wanted only these features are read; all by default.
   * @throws CORRUPT_FILE for bytes that are not an Example.
   */
  readExample(bytes: Uint8Array, wanted?: ReadonlySet<string>): Example;
  writeExample(features: ReadonlyMap<string, FeatureValues>): Uint8Array;
}
