// TFRecord files of labeled pictures, as a dataset.

import type { Dataset } from "../../data/dataset.ts";
import { type RecordItem, type RecordOptions, recordDataset, recordOptions } from "../../data/sources/recordDataset.ts";
import { recordCodec } from "../../formats/tfrecord/recordCodec.ts";
import { checkOptions } from "../../options.ts";
import { decodePicture } from "../files/images.ts";
import { fileSource, recordFiles, Spool } from "./recordFiles.ts";

/**
 * The pictures in record files: plain, GZIP or ZLIB (detected by content), one or several. Every file is read once and
 * every checksum verified; memory holds some hundred bytes for each record. Pictures are read again when they are
 * needed, those of compressed files from an uncompressed copy in the system's temporary folder.
 * @param paths see `recordFiles`: files, folders, patterns, sharded sets.
 * @throws BAD_INPUT if there is no such file or no record; CORRUPT_RECORD unless `onCorrupt` is given.
 * @example
 * ```ts
 * import { tfrecords } from "twingrad/node";
 *
 * const people = await tfrecords("faces.tfrecord@10", { prefix: "train" });
 * ```
 */
export async function tfrecords(
  paths: string | readonly string[],
  options: RecordOptions = {},
): Promise<Dataset<RecordItem>> {
  checkOptions("tfrecords", options, recordOptions);
  const sources = (await recordFiles(paths)).map(fileSource);
  const runtime = { codec: await recordCodec(), keep: new Spool().keep, decode: decodePicture };
  return recordDataset(sources, options, runtime);
}
