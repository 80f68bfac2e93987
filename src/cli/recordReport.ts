// A report on record files: their contents and their errors, read in one pass.
import { TwingradError } from "../index.ts";
import {
  type Example,
  featureNames,
  fileSource,
  labeledPicture,
  readRecords,
  recordCodec,
  recordFiles,
  uncompressed,
} from "../internal.ts";
import { type CorruptRecordError, decodePicture, type RecordOptions } from "../node/index.ts";

export interface Problem {
  file: string;
  /** From 1. */
  record: number;
  /** Of the record's first byte in the uncompressed file. */
  offset: number;
  reason: string;
}

export interface RecordReport {
  files: { file: string; compression: string; records: number }[];
  /** Records with valid checksums. */
  records: number;
  corrupt: Problem[];
  /** Records with valid checksums that are not a valid `tf.train.Example`. */
  notExamples: Problem[];
  /** Examples that no dataset can take: without a picture, or with an invalid label or name. */
  unlabeled: Problem[];
  /** Examples without a picture and a label, or with an undecodable picture; only with `pictures`. */
  unreadable: Problem[];
  /** The type of each feature: bytes, float, int64; "empty" if no record has a value. */
  features: Record<string, string>;
  /** The number of records with each feature. */
  featureRecords: Record<string, number>;
  /** The number of records of each label. */
  labels: Record<string, number>;
}

/** @param pictures also decode every picture. */
export async function reportRecords(
  paths: readonly string[],
  { pictures = false, ...options }: RecordOptions & { pictures?: boolean } = {},
): Promise<RecordReport> {
  const codec = await recordCodec();
  const names = featureNames(options);
  const kinds = new Map<string, Set<string>>();
  const counts = new Map<string, number>();
  const labels = new Map<string, number>();
  const report: RecordReport = {
    files: [],
    records: 0,
    corrupt: [],
    notExamples: [],
    unlabeled: [],
    unreadable: [],
    features: {},
    featureRecords: {},
    labels: {},
  };
  for (const file of await recordFiles(paths)) {
    const { compression, bytes } = await uncompressed(fileSource(file).stream(), codec);
    let records = 0;
    const onCorrupt = ({ record, offset, reason }: CorruptRecordError) => {
      report.corrupt.push({ file, record, offset, reason });
    };
    const reading = { file, crc32c: codec.crc32c, onCorrupt, largest: options.largest };
    for await (const { number, offset, data } of readRecords(bytes, reading)) {
      records++;
      const at = { file, record: number, offset };
      const example = attempt(() => wholeExample(codec.readExample(data)));
      if (example instanceof TwingradError) {
        report.notExamples.push({ ...at, reason: example.message });
        continue;
      }
      for (const [name, { type }] of example) {
        kinds.set(name, (kinds.get(name) ?? new Set()).add(type));
        counts.set(name, (counts.get(name) ?? 0) + 1);
      }
      const labeled = attempt(() => labeledPicture(example, names));
      if (labeled instanceof TwingradError) report.unlabeled.push({ ...at, reason: labeled.message });
      else labels.set(labeled.identity, (labels.get(labeled.identity) ?? 0) + 1);
      if (!pictures) continue;
      const decoded =
        labeled instanceof TwingradError
          ? labeled
          : await decodePicture(labeled.picture, [8, 8, 3]).catch((error: TwingradError) => error);
      if (decoded instanceof TwingradError) report.unreadable.push({ ...at, reason: decoded.message });
    }
    report.files.push({ file, compression, records });
    report.records += records;
  }
  const kindOf = (found: Set<string>) =>
    [...found]
      .filter((kind) => kind !== "empty")
      .sort()
      .join("|") || "empty";
  report.features = Object.fromEntries([...kinds].map(([name, found]) => [name, kindOf(found)]));
  report.featureRecords = Object.fromEntries(counts);
  report.labels = Object.fromEntries(labels);
  return report;
}

/** Reads all values of all lists, so that invalid ones throw. */
function wholeExample(example: Example): Example {
  for (const feature of example.values()) for (const _ of feature.values());
  return example;
}

function attempt<T>(work: () => T): T | TwingradError {
  try {
    return work();
  } catch (error) {
    if (error instanceof TwingradError) return error;
    throw error;
  }
}
