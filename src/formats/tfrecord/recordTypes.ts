// What reading records needs of packages, as an interface: the core depends on none. `src/formats/tfrecord/recordCodec.ts` implements it.
import type { Crc32c } from "./framing.ts";

export type Compression = "none" | "gzip" | "zlib";

/** One feature of an Example; "empty" has no list at all. Values are decoded as they are asked for. */
export interface Feature {
  readonly type: "bytes" | "float" | "int64" | "empty";
  /** @throws CORRUPT_FILE where the list breaks the format. */
  values(): Iterable<Uint8Array | number | bigint>;
}

/** A `tf.train.Example`: features by name. */
export type Example = ReadonlyMap<string, Feature>;

/** What `writeExample` takes: all values of a feature are of one kind. Integers are bigint. */
export type FeatureValues = readonly Uint8Array[] | readonly number[] | readonly bigint[];

export interface RecordCodec {
  readonly crc32c: Crc32c;
  /** The uncompressed bytes. Throws CORRUPT_FILE when they end or break in the middle. */
  inflate(source: AsyncIterable<Uint8Array>, compression: "gzip" | "zlib"): AsyncIterable<Uint8Array>;
  /**
   * @param wanted only these features are kept; all without it.
   * @throws CORRUPT_FILE for bytes that are no Example.
   */
  readExample(bytes: Uint8Array, wanted?: ReadonlySet<string>): Example;
  writeExample(features: ReadonlyMap<string, FeatureValues>): Uint8Array;
}
