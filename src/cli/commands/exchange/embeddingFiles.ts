// Embeddings of any model, for `evaluate` and `calibrate`.
import { readFile } from "node:fs/promises";
import { type Command, Option } from "commander";
import {
  datasetOf,
  decodeEmbeddings,
  decodeNames,
  type EmbeddingTable,
  embeddingFormat,
  metrics,
  type VectorMetric,
  vectorRecognizer,
} from "../../../exchange/index.ts";
import { type Dataset, type Recognizer, TwingradError } from "../../../index.ts";
import { diskError, readText } from "../../../internal.ts";

export interface EmbeddingFlags {
  embeddings?: string;
  names?: string;
  metric: VectorMetric;
}

export function addEmbeddingOptions(command: Command): Command {
  return command
    .option(
      "--embeddings <file>",
      "use the embeddings in a .npy, .csv or .safetensors file, of any model, instead of a model and data",
    )
    .option(
      "--names <file>",
      "identity of each row of --embeddings: one per line without a header, or tab-separated columns with a header that names one of them identity (default: from the file itself, or the .tsv next to a .npy)",
    )
    .addOption(
      new Option("--metric <name>", "distance between the vectors of --embeddings")
        .choices(metrics)
        .default("euclidean"),
    );
}

/** The distance of --metric, as it is printed. */
export const metricText = (metric: VectorMetric, length: number): string =>
  `${metric === "cosine" ? "cosine distances" : "Euclidean distances"} of vectors of ${length} values`;

/** The file with the identities of a .npy's rows. */
export const namesBeside = (path: string): string => path.replace(/\.npy$/i, ".tsv");

export interface OpenedEmbeddings {
  readonly table: EmbeddingTable;
  readonly dataset: Dataset;
  /** The file has no threshold: the caller passes one. */
  recognizer(threshold: number): Recognizer;
}

export async function openEmbeddings({ embeddings: path, names, metric }: EmbeddingFlags): Promise<OpenedEmbeddings> {
  const format = embeddingFormat(path!);
  const bytes = await readFile(path!).catch((error: Error) => {
    throw diskError(path!, "read", error);
  });
  const namesFile = names ?? (format === "npy" ? namesBeside(path!) : undefined);
  const text = namesFile === undefined ? undefined : await namesIn(namesFile, names === undefined);
  try {
    const table = decodeEmbeddings(new Uint8Array(bytes), format, text === undefined ? undefined : decodeNames(text));
    const model = `vectors of ${table.length}`;
    const recognizer = (threshold: number) => vectorRecognizer({ model, length: table.length, metric, threshold });
    await recognizer(0).embed(table.values); // refuses vectors without this distance
    return { table, dataset: datasetOf(table), recognizer };
  } catch (error) {
    const { code, message } = error as TwingradError;
    if (!(error instanceof TwingradError)) throw error;
    const files = text === undefined ? path : `${path} with ${namesFile}`;
    throw new TwingradError(code, `${files}: ${message}`, { cause: error });
  }
}

/** @param optional the file may be missing. */
async function namesIn(path: string, optional: boolean): Promise<string | undefined> {
  try {
    return await readText(path);
  } catch (error) {
    if (optional && (error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw diskError(path, "read", error as Error);
  }
}
