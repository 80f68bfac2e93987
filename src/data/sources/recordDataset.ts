// TFRecord files as a dataset. One scan of each file checks every record and keeps its label and offset; the picture is
// read again when it is needed. Works for any source of bytes: `RecordSource`.
import { TwingradError } from "../../errors.ts";
import { uncompressed } from "../../formats/tfrecord/compression.ts";
import { CorruptRecordError, framedLength, readRecords, unframe } from "../../formats/tfrecord/framing.ts";
import type { RecordCodec } from "../../formats/tfrecord/recordTypes.ts";
import type { Known } from "../../options.ts";
import type { Dataset, Item } from "../dataset.ts";
import type { ImageSize } from "../imageSize.ts";
import { byNaturalOrder } from "../naturalOrder.ts";
import { cropInWords } from "../pictures/crop.ts";
import type { StoredPicture } from "../pictures/storedPicture.ts";
import {
  type FeatureNames,
  type FeatureOptions,
  featureNames,
  labeledPicture,
  wantedFeatures,
} from "./recordFeatures.ts";

/** A record file, in a file system or in a page. */
export interface RecordSource {
  /** Its name in messages. */
  readonly name: string;
  /** All its bytes in order; may be called more than once. */
  stream(): AsyncIterable<Uint8Array>;
  /** `length` bytes from `offset`. */
  read(offset: number, length: number): Promise<Uint8Array>;
}

/** What differs between Node and a page. */
export interface RecordRuntime {
  codec: RecordCodec;
  /**
   * Stores bytes, outside of memory where possible, and returns a function that reads them back. For records of
   * compressed files, which cannot be read from an offset.
   */
  keep(bytes: Uint8Array): Promise<() => Promise<Uint8Array>>;
  /** Decodes to uint8 [H, W, C]. */
  decode(picture: StoredPicture, size: ImageSize): Promise<Uint8Array>;
}

/** How TFRecord files are read. */
export interface RecordOptions extends FeatureOptions {
  /** Called for each unreadable record, which is then skipped; absent: such a record is an error. */
  onCorrupt?: (error: CorruptRecordError) => void;
  /** Called with one line on how many pictures have a box, where the crop uses boxes. */
  tell?: (text: string) => void;
  /** The longest record to accept, in bytes. @default 2^28 */
  largest?: number;
}

export const recordOptions: Known<RecordOptions> = {
  prefix: "string",
  features: 1,
  crop: 1,
  onCorrupt: "function",
  tell: "function",
  largest: "number",
};

/** A picture in a record. */
export interface RecordItem extends Item {
  /** The record's label as text; also the identity, where the record has no name. */
  readonly label: string;
  /** Whether the record has a name beside its label. */
  readonly named: boolean;
}

/**
 * @throws CORRUPT_RECORD for the first record that cannot be read or has no picture and label, unless there is
 * `onCorrupt`; BAD_INPUT where no record is left.
 */
export async function recordDataset(
  sources: readonly RecordSource[],
  options: RecordOptions,
  runtime: RecordRuntime,
): Promise<Dataset<RecordItem>> {
  const { codec, keep, decode } = runtime;
  const names = featureNames(options);
  const { crop } = options;
  const wanted = wantedFeatures(names, crop);
  let boxes = 0;
  const found = new Map<string, number>();
  const labels: number[] = [];
  const readers: { name: string; label: string; named: boolean; record(): Promise<Uint8Array> }[] = [];
  let firstCorrupt: CorruptRecordError | undefined;
  const skip =
    options.onCorrupt &&
    ((error: CorruptRecordError) => {
      firstCorrupt ??= error;
      options.onCorrupt!(error);
    });
  for (const source of sources) {
    const { compression, bytes } = await uncompressed(source.stream(), codec);
    const reading = { file: source.name, crc32c: codec.crc32c, onCorrupt: skip, largest: options.largest };
    for await (const { number, offset, data } of readRecords(bytes, reading)) {
      try {
        const { identity, label, named, addr, picture } = labeledPicture(codec.readExample(data, wanted), names, crop);
        if (picture.crop) boxes++;
        const framed = framedLength(data.length);
        if (!found.has(identity)) found.set(identity, found.size);
        labels.push(found.get(identity)!);
        readers.push({
          label,
          named,
          name: `${source.name}: record ${number}${addr === undefined ? "" : `: ${addr}`}`,
          record:
            compression === "none"
              ? async () => unframe(await source.read(offset, framed), codec.crc32c)
              : await keep(data),
        });
      } catch (error) {
        if (!(error instanceof TwingradError && error.code === "CORRUPT_FILE")) throw error;
        const reason = error.message + hint(data, names, codec);
        const corrupt = new CorruptRecordError(source.name, number, offset, reason, { cause: error });
        if (!skip) throw corrupt;
        skip(corrupt);
      }
    }
  }
  if (readers.length === 0) {
    const files = sources.map((source) => source.name).join(", ");
    const reason = firstCorrupt
      ? `every record was skipped; the first: ${firstCorrupt.message}`
      : "there are no records";
    throw new TwingradError("BAD_INPUT", `${files}: ${reason}`);
  }
  reportMerged(readers, labels, [...found.keys()], options.tell);
  if (crop?.mode === "box") options.tell?.(cropInWords(crop, boxes, readers.length)!);

  const identities = [...found.keys()].sort(byNaturalOrder);
  const positions = new Map(identities.map((identity, position) => [found.get(identity)!, position]));
  const items = readers.map(({ name, label, named: hasName, record }, index): RecordItem => {
    const read = async () => labeledPicture(codec.readExample(await record(), wanted), names, crop).picture;
    return {
      identity: positions.get(labels[index])!,
      name,
      label,
      named: hasName,
      stored: () => named(name, read),
      decode: (size) => named(name, async () => decode(await read(), size)),
    };
  });
  return { identities, items };
}

/**
 * Reports labels that became one identity because they share a name: intended, or a mistake that would go unnoticed.
 */
function reportMerged(
  records: readonly { readonly label: string }[],
  identities: readonly number[],
  names: readonly string[],
  tell: RecordOptions["tell"],
): void {
  const labelsOf = names.map(() => new Set<string>());
  for (const [n, { label }] of records.entries()) labelsOf[identities[n]].add(label);
  const merged = names.map((name, n) => ({ name, labels: [...labelsOf[n]] })).filter(({ labels }) => labels.length > 1);
  if (merged.length === 0) return;
  const [{ name, labels }] = merged;
  const more = merged.length > 1 ? `, and ${merged.length - 1} more such names` : "";
  tell?.(`labels ${labels.join(" and ")} are one identity, as both are named "${name}"${more}`);
}

/** Prefixes any error of `work` with the picture's name. */
async function named<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = error instanceof TwingradError ? error.code : "BAD_INPUT";
    throw new TwingradError(code, `${name}: ${(error as Error).message}`, { cause: error });
  }
}

/** The features that the record has, for a missing prefix or other names. */
function hint(data: Uint8Array, names: FeatureNames, codec: RecordCodec): string {
  let present: string[];
  try {
    present = [...codec.readExample(data).keys()];
  } catch {
    return ""; // the reason already says that it is not an Example
  }
  if (present.includes(names.image) && present.includes(names.label)) return "";
  const prefix = present.find((name) => name.endsWith("/image"))?.slice(0, -"/image".length);
  const list = present.slice(0, 8).join(", ") + (present.length > 8 ? ", ..." : "");
  const there = present.length === 0 ? "it has no features" : `it has ${list}`;
  return `; ${there}${prefix === undefined ? "" : `: is the prefix "${prefix}"?`}`;
}
