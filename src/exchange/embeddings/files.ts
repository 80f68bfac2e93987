// Tables of embeddings in the file formats of other programs: .npy, .csv, .safetensors, TensorBoard's projector.
import Papa from "papaparse";
import { TwingradError } from "../../errors.ts";
import { decode, encode, jsonMetadata } from "../../formats/safetensors.ts";
import { textOf } from "../../formats/textBytes.ts";
import { floats } from "../weights/layouts.ts";
import { decodeNpy, encodeNpy } from "./npy.ts";
import { type EmbeddingTable, type RowNames, tableOf } from "./table.ts";

export const embeddingFormats = ["npy", "csv", "safetensors"] as const;
/** The file formats of embeddings. */
export type EmbeddingFormat = (typeof embeddingFormats)[number];

/**
 * The format of a file, by its extension.
 * @throws BAD_INPUT for another extension.
 * @example
 * ```ts
 * import { embeddingFormat } from "twingrad/exchange";
 *
 * embeddingFormat("people.npy"); // "npy"
 * ```
 */
export function embeddingFormat(path: string): EmbeddingFormat {
  const ending = /\.([^./\\]+)$/.exec(path)?.[1].toLowerCase();
  const known = embeddingFormats.find((format) => format === ending);
  if (known) return known;
  const expected = embeddingFormats.map((format) => `.${format}`).join(", ");
  throw new TwingradError("BAD_INPUT", `${path}: unknown extension; expected ${expected}.`);
}

const columns = { identity: "identity", name: "picture" } as const;
const tensorName = "embeddings";

/**
 * Encodes a table as the bytes of a file. A .npy holds only the numbers: `encodeNames` encodes the rest.
 * @example
 * ```ts
 * import { encodeEmbeddings, tableOf } from "twingrad/exchange";
 *
 * const table = tableOf(model.embedding, await embedAll(model, dataset), {
 *   identities: dataset.items.map(({ identity }) => dataset.identities[identity]!),
 * });
 * const npy = encodeEmbeddings(table, "npy");
 * ```
 */
export function encodeEmbeddings(
  table: EmbeddingTable,
  format: EmbeddingFormat,
  metadata: Record<string, string> = {},
) {
  const { length, values, identities, names } = table;
  if (format === "npy") return encodeNpy(values, length);
  if (format === "safetensors") {
    const tensor = { dtype: "F32", shape: [identities.length, length], data: values } as const;
    const entries = { ...metadata, identities: JSON.stringify(identities), names: JSON.stringify(names) };
    return encode(new Map([[tensorName, tensor]]), entries);
  }
  const fields = [columns.identity, columns.name, ...Array.from({ length }, (_, i) => `${i}`)];
  const data = identities.map((identity, row) => [
    identity,
    names[row],
    ...values.subarray(row * length, (row + 1) * length),
  ]);
  return new TextEncoder().encode(`${Papa.unparse({ fields, data }, { newline: "\n" })}\n`);
}

/**
 * Decodes a table of embeddings.
 * @param names - the identity of each row: required for a .npy, for other formats instead of those in the file.
 * @throws CORRUPT_FILE or BAD_INPUT for bytes that are not a table of embeddings.
 * @example
 * ```ts
 * import { readFile } from "node:fs/promises";
 * import { decodeEmbeddings, decodeNames } from "twingrad/exchange";
 *
 * const names = decodeNames(await readFile("people.tsv", "utf8"));
 * const table = decodeEmbeddings(await readFile("people.npy"), "npy", names);
 * ```
 */
export function decodeEmbeddings(bytes: Uint8Array, format: EmbeddingFormat, names?: RowNames): EmbeddingTable {
  const needed = (found: RowNames | undefined): RowNames => {
    if (names ?? found) return (names ?? found)!;
    const own = format === "csv" ? `a column "${columns.identity}" or ` : "";
    throw new TwingradError("BAD_INPUT", `the rows have no identities; expected ${own}a file with them (--names)`);
  };
  if (format === "npy") {
    const { length, values } = decodeNpy(bytes);
    return tableOf(length, values, needed(undefined));
  }
  if (format === "csv") return fromCsv(textOf(bytes), needed);
  const file = decode(bytes);
  const { tensors } = file;
  const tensor = tensors.get(tensorName) ?? (tensors.size === 1 ? [...tensors.values()][0] : undefined);
  const values = tensor && floats(tensor);
  if (!values || tensor.shape.length !== 2) {
    throw new TwingradError("BAD_INPUT", `the file has no tensor "${tensorName}" of floats, [rows, columns]`);
  }
  const areTexts = (list: unknown) => Array.isArray(list) && list.every((one) => typeof one === "string");
  const listed = (key: string) =>
    jsonMetadata<string[]>(file, key, areTexts, () => `the metadata "${key}" is not a list of texts in JSON`);
  const identities = listed("identities");
  return tableOf(tensor.shape[1], values, needed(identities && { identities, names: listed("names") }));
}

/**
 * Columns of numbers, and optional columns of identity and picture, named as `encodeEmbeddings` names them. A first row
 * of numbers alone is no header.
 */
function fromCsv(csv: string, needed: (found: RowNames | undefined) => RowNames): EmbeddingTable {
  const { data, errors } = Papa.parse<string[]>(csv.trimEnd(), { header: false });
  const [error] = errors.filter(({ code }) => code !== "UndetectableDelimiter");
  if (error)
    throw new TwingradError("CORRUPT_FILE", `this is not a CSV file: ${error.message} in line ${(error.row ?? 0) + 1}`);
  if (csv.trim() === "") throw new TwingradError("BAD_INPUT", "the file is empty; expected rows of numbers");
  const uneven = data.findIndex((row) => row.length !== data[0].length);
  if (uneven >= 0) {
    const found = `row ${uneven + 1} has ${data[uneven].length} columns, the first one ${data[0].length}`;
    throw new TwingradError("CORRUPT_FILE", `${found}; expected as many in each`);
  }
  const isHeader = data[0].some(isText);
  const header = isHeader ? data[0] : data[0].map((_, i) => `${i}`);
  const rows = isHeader ? data.slice(1) : data;
  const [identity, name] = [header.indexOf(columns.identity), header.indexOf(columns.name)];
  const numbers = header.flatMap((_, column) => (column === identity || column === name ? [] : [column]));
  checkDimensions(header, rows, numbers, isHeader);
  const numberAt = (row: number, column: number) => {
    const text = rows[row][column];
    if (decimal.test(text)) return Number(text);
    const place = `row ${row + 1 + Number(isHeader)}, column ${column + 1}`;
    throw new TwingradError("BAD_INPUT", `${place} is "${text}"; expected a number such as -1.5e-3`);
  };
  const values = Float32Array.from(rows.flatMap((_, row) => numbers.map((column) => numberAt(row, column))));
  const found = identity < 0 ? undefined : { identities: rows.map((row) => row[identity]), names: name < 0 ? undefined : rows.map((row) => row[name]) }; // biome-ignore format: one value
  return tableOf(numbers.length, values, needed(found));
}

const decimal = /^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i;
const isText = (field: string) => field.trim() !== "" && Number.isNaN(Number(field));
const isFraction = (field: string) => Math.abs(Number(field)) % 1 > 0;

/** @throws BAD_INPUT for a column that is evidently no dimension, as identities under another name or without one. */
function checkDimensions(
  header: readonly string[],
  rows: readonly (readonly string[])[],
  dimensions: readonly number[],
  isHeader: boolean,
): void {
  const refuse = (column: string, what: string) => {
    const expected = `expected numbers, or a header that names it "${columns.identity}" or "${columns.name}"`;
    throw new TwingradError("BAD_INPUT", `column ${column} ${what}; ${expected}`);
  };
  const text = dimensions.find((column) => isText(rows[0]?.[column] ?? ""));
  if (text !== undefined) refuse(`${text + 1}`, `has text ("${rows[0][text]}")`);
  const isNumbered = (column: number) => /\d$/.test(header[column]);
  const odd = dimensions.some(isNumbered) ? dimensions.find((column) => !isNumbered(column)) : undefined;
  if (odd !== undefined) refuse(`"${header[odd]}"`, "is not numbered as the others");
  if (isHeader) return;
  const whole = dimensions.filter((column) => !rows.some((row) => isFraction(row[column])));
  if (whole.length === dimensions.length) return;
  const labels = whole.find((column) => rows.some((row) => Number(row[column]) !== 0));
  if (labels !== undefined) refuse(`${labels + 1}`, "has whole numbers alone, as identities");
}

/**
 * The identity and picture of each row, tab-separated, as TensorBoard's projector reads them.
 * @example
 * ```ts
 * import { encodeNames, tableOf } from "twingrad/exchange";
 *
 * encodeNames(tableOf(1, Float32Array.of(0.5), { identities: ["ada"] }));
 * ```
 */
export function encodeNames({ identities, names }: EmbeddingTable): string {
  const clean = (text: string) => text.replace(/[\t\r\n]/g, " ");
  const lines = identities.map((identity, row) => `${clean(identity)}\t${clean(names[row])}`);
  return `${[`${columns.identity}\t${columns.name}`, ...lines].join("\n")}\n`;
}

/**
 * Decodes the identity of each row from a text: one identity per line, or tab-separated columns with a header that names
 * one of them `identity`; the header may be absent with a single column.
 * @throws BAD_INPUT for text in another format.
 * @example
 * ```ts
 * import { decodeNames } from "twingrad/exchange";
 *
 * decodeNames("ada\nben\n").identities; // ["ada", "ben"]
 * ```
 */
export function decodeNames(text: string): RowNames {
  const lines = text.replace(/\r?\n$/, "").split(/\r?\n/);
  const rows = lines.map((line) => line.split("\t"));
  const [header, ...rest] = rows;
  const identity = header.indexOf(columns.identity);
  if (identity < 0 && header.length === 1) return { identities: lines };
  if (identity < 0) {
    const found = header.map((title) => JSON.stringify(title)).join(", ");
    throw new TwingradError("BAD_INPUT", `the columns are ${found}; expected a header with "${columns.identity}"`);
  }
  const name = header.indexOf(columns.name);
  return {
    identities: rest.map((row) => row[identity] ?? ""),
    names: name < 0 ? undefined : rest.map((row) => row[name] ?? ""),
  };
}

/**
 * The files of a folder for TensorBoard's projector: `tensorboard --logdir FOLDER`.
 * @returns File names to contents.
 * @example
 * ```ts
 * import { writeFile } from "node:fs/promises";
 * import { projectorFiles, tableOf } from "twingrad/exchange";
 *
 * const table = tableOf(1, Float32Array.of(0.5), { identities: ["ada"] });
 * for (const [name, text] of Object.entries(projectorFiles(table))) await writeFile(`projector/${name}`, text);
 * ```
 */
export function projectorFiles(table: EmbeddingTable): Readonly<Record<string, string>> {
  const { length, values, identities } = table;
  const lines = identities.map((_, row) => values.subarray(row * length, (row + 1) * length).join("\t"));
  const config = `embeddings {\n  tensor_name: "${tensorName}"\n  tensor_path: "vectors.tsv"\n  metadata_path: "metadata.tsv"\n}\n`;
  return {
    "vectors.tsv": `${lines.join("\n")}\n`,
    "metadata.tsv": encodeNames(table),
    "projector_config.pbtxt": config,
  };
}
