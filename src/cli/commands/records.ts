// twingrad records: writes, describes and checks TFRecord files.

import { relative, sep } from "node:path";
import { type Command, Option } from "commander";
import type { Item } from "../../index.ts";
import { byNaturalOrder, type Compression, Random, streams } from "../../internal.ts";
import { writeRecords } from "../../node/index.ts";
import { interruptible } from "../interrupt.ts";
import {
  addRecordOptions,
  addSkipCorrupt,
  type DataFlags,
  dataHelp,
  openData,
  recordOptions,
  Skipped,
} from "../options/dataOptions.ts";
import { wholeNumber } from "../options/values.ts";
import { action, note, type Outcome, warn } from "../outcome.ts";
import { type Problem, type RecordReport, reportRecords } from "../recordReport.ts";

const filesHelp = "names, folders, patterns, or sharded sets (name@10)";

export function addRecords(program: Command): void {
  const records = program.command("records").description("Writes, inspects and verifies TFRecord files.");
  addCreate(records);
  addInspect(records);
  addVerifyRecords(records);
}

interface CreateFlags extends DataFlags {
  shards: number;
  compression: Compression;
  outPrefix?: string;
  shuffle?: boolean;
  seed: number;
}

function addCreate(records: Command): void {
  const command = records
    .command("create")
    .description(
      "Writes pictures to TFRecord files: tf.train.Example records with image, label, height, width, addr and name.",
    )
    .argument("<data>", dataHelp)
    .argument("<out>", "the file; with --shards, the name before -00000-of-00010")
    .option("--shards <count>", "number of files", wholeNumber(1), 1)
    .addOption(
      new Option("--compression <kind>", "compression of each file").choices(["none", "gzip", "zlib"]).default("none"),
    )
    .option("--out-prefix <name>", "prefix of each feature's name in the output, e.g. train for train/image")
    .option("--shuffle", "write records in random order (default: person by person)")
    .option("--seed <number>", "seed of the order", wholeNumber(0), 1);
  // Records hold whole pictures: what crops them belongs to the commands that read records.
  action(addSkipCorrupt(addRecordOptions(command)), create);
}

async function create(data: string, out: string, flags: CreateFlags): Promise<Outcome> {
  const dataset = await openData([data], flags, note);
  const skipped = new Skipped(warn);
  const corrupt: { file: string; reason: string }[] = [];
  const { shards, compression, shuffle, seed, skipCorrupt } = flags;
  // The input's prefix is kept unless --out-prefix is given.
  const prefix = flags.outPrefix ?? flags.prefix;
  const items = shuffle ? new Random(seed, streams.records).shuffle([...dataset.items]) : dataset.items;
  const address = ({ name }: Item) => (name.startsWith(data) ? relative(data, name).split(sep).join("/") : name);
  const onUnreadable = (item: Item, error: Error) => {
    corrupt.push({ file: item.name, reason: error.message });
    skipped.tell(error);
  };
  const options = { shards, compression, prefix, address, onUnreadable: skipCorrupt ? onUnreadable : undefined };
  const { result: written, status } = await interruptible(
    (signal) =>
      writeRecords(out, { ...dataset, items }, { ...options, signal }).catch((error) => {
        if (signal.aborted) return undefined;
        throw error;
      }),
    note,
    "stopping, and removing incomplete files",
  );
  if (!written) return { result: { interrupted: true }, text: "interrupted: nothing was written", status };
  skipped.summary();
  const { files, bytes, records, labels } = written;
  const { features } = await reportRecords(files, { prefix });
  const people = Object.values(labels).filter((count) => count > 0).length;
  return {
    result: { records, corrupt, features, labels, files, bytes },
    text: `${records} records of ${people} people, ${bytes} bytes in ${files.length === 1 ? files[0] : `${files.length} files, ${files[0]} and so on`}`,
  };
}

function addInspect(records: Command): void {
  const command = records
    .command("inspect")
    .description("Lists what TFRecord files contain: features, labels, and unreadable records.")
    .argument("<files...>", filesHelp);
  action(addRecordOptions(command), async (files: string[], flags: DataFlags) => {
    const report = await reportRecords(files, recordOptions(flags));
    return { result: described(report), text: inspection(report) };
  });
}

function addVerifyRecords(records: Command): void {
  const command = records
    .command("verify")
    .description(
      "Verifies TFRecord files: every checksum and every record's format. Exit status 1 if a record is corrupt.",
    )
    .argument("<files...>", filesHelp)
    .option("--pictures", "also decode every picture");
  action(addRecordOptions(command), async (files: string[], flags: DataFlags & { pictures?: boolean }) => {
    const report = await reportRecords(files, { ...recordOptions(flags), pictures: flags.pictures });
    const { corrupt, unreadable } = report;
    const found = [...corrupt, ...unreadable];
    const pictures = flags.pictures ? [`${unreadable.length} without a labeled picture that can be decoded`] : [];
    const lines = [
      totals(report),
      ...pictures,
      ...found.slice(0, Skipped.named).map(inWords),
      ...(found.length > Skipped.named ? [`and ${found.length - Skipped.named} more`] : []),
    ];
    const [first] = found;
    return {
      result: { ...described(report), ...(flags.pictures && { unreadable }) },
      text: lines.join("\n"),
      failure: first && `${found.length} of the records cannot be read; the first: ${inWords(first)}`,
    };
  });
}

function described({ records, corrupt, features, labels, notExamples, unlabeled, files }: RecordReport) {
  return { records, corrupt, features, labels, notExamples, unlabeled, files };
}

function totals({ records, files, corrupt, notExamples, unlabeled }: RecordReport): string {
  const kinds = [...new Set(files.map((file) => file.compression))].join(", ");
  return [
    `${records} records in ${files.length} file(s), compression ${kinds}; ${corrupt.length} corrupt`,
    ...(notExamples.length > 0
      ? [`${notExamples.length} of them are not valid tf.train.Example records: ${notExamples[0].reason}`]
      : []),
    // All of them: other features than pictures and labels, which is no fault.
    ...(unlabeled.length > 0 && unlabeled.length < records
      ? [`${unlabeled.length} of them cannot be used in training; the first: ${inWords(unlabeled[0])}`]
      : []),
  ].join("\n");
}

function inspection(report: RecordReport): string {
  const { records, features, featureRecords, labels, corrupt } = report;
  const names = Object.keys(features).sort(byNaturalOrder);
  const width = Math.max(0, ...names.map((name) => name.length));
  const featureLine = (name: string) => {
    const count = featureRecords[name];
    return `  ${name.padEnd(width)}  ${features[name].padEnd(5)}${count < records ? `  in ${count} of ${records}` : ""}`;
  };
  const people = Object.keys(labels).sort(byNaturalOrder);
  const shown = people.slice(0, 10).map((label) => `${label} (${labels[label]})`);
  return [
    totals(report),
    ...names.map(featureLine),
    people.length === 0
      ? "no labeled pictures under these feature names; set others with --prefix, --image-feature and --label-feature"
      : `${people.length} labels: ${shown.join(", ")}${people.length > 10 ? ", ..." : ""}`,
    ...corrupt.slice(0, Skipped.named).map(inWords),
  ].join("\n");
}

const inWords = ({ file, record, offset, reason }: Problem) => `${file}: record ${record} at byte ${offset}: ${reason}`;
