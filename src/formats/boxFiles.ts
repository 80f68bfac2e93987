// Bounding boxes of faces in files beside the pictures: a table for a whole folder, or a small JSON file for each
// picture.
import Papa from "papaparse";
import * as z from "zod/mini";
import { TwingradError } from "../errors.ts";
import { type Box, checkBox } from "./box.ts";

/** The name of a folder's table. */
export const boxTable = "boxes.csv";

/** The JSON file beside a picture: `1.json` beside `1.jpg`. */
export const boxFileOf = (picture: string) => picture.replace(/\.[^./\\]*$/, ".json");

const corners = ["xmin", "ymin", "xmax", "ymax"] as const;
const sides = ["x", "y", "width", "height"] as const;

/**
 * A table with a header: `file,xmin,ymin,xmax,ymax` or `file,x,y,width,height`, in pixels of the upright picture;
 * `file` is the picture's path below the table's folder, with slashes. Other columns are ignored.
 * @returns the boxes by path.
 * @throws CORRUPT_FILE with the line number.
 */
export function parseBoxTable(text: string): Map<string, Box> {
  // Not the parser's header option: it renames duplicate columns, with a warning on the console.
  const { data, errors } = Papa.parse<string[]>(text.replace(/^\uFEFF/, ""), { skipEmptyLines: "greedy" });
  const [first = [], ...rows] = data;
  const header = first.map((name) => name.trim().toLowerCase());
  const columns = [corners, sides].find((names) => ["file", ...names].every((name) => header.includes(name)));
  if (!columns) {
    const found = header.join(",").slice(0, 100);
    throw fault(1, `expected the columns file,${corners.join(",")} or file,${sides.join(",")}, not "${found}"`);
  }
  const twice = ["file", ...columns].find((name) => header.indexOf(name) !== header.lastIndexOf(name));
  if (twice) throw fault(1, `duplicate column "${twice}"`);
  const broken = errors.find(({ type }) => type !== "Delimiter"); // a table of one column has no delimiter
  if (broken) throw fault((broken.row ?? 0) + 1, broken.message);
  const boxes = new Map<string, Box>();
  for (const [row, fields] of rows.entries()) {
    if (fields.length !== header.length)
      throw fault(row + 2, `expected ${header.length} values, as in line 1, not ${fields.length}`);
    const field = (name: string) => fields[header.indexOf(name)].trim();
    const values = columns.map((name) => (field(name) === "" ? Number.NaN : Number(field(name))));
    const file = field("file").normalize("NFC"); // paths are looked up in this form
    if (boxes.has(file)) throw fault(row + 2, `duplicate file "${file}"`);
    boxes.set(
      file,
      at(row + 2, () => boxOf(columns === corners, values)),
    );
  }
  return boxes;
}

const numbers = z.union([
  z.object({ xmin: z.number(), ymin: z.number(), xmax: z.number(), ymax: z.number() }),
  z.object({ x: z.number(), y: z.number(), width: z.number(), height: z.number() }),
]);
const boxFile = z.object({ box: z.nullable(numbers), relative: z.optional(z.boolean()) });

/**
 * `{"box": {"xmin", "ymin", "xmax", "ymax"}}` or `{"box": {"x", "y", "width", "height"}}`, in pixels of the upright
 * picture, or with `"relative": true` in shares of its width and height. Undefined without a "box" or where it is null,
 * since such files may serve other purposes.
 * @throws CORRUPT_FILE for invalid JSON or an invalid box.
 */
export function parseBoxFile(text: string): Box | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw new TwingradError("CORRUPT_FILE", `Invalid JSON: ${(error as Error).message}`, { cause: error });
  }
  if (typeof json !== "object" || json === null || !("box" in json)) return undefined;
  const parsed = boxFile.safeParse(json);
  if (!parsed.success) {
    const expected = `{${corners.join(", ")}} or {${sides.join(", ")}} in numbers`;
    throw new TwingradError("CORRUPT_FILE", `Invalid "box" ${JSON.stringify(json.box)}: expected ${expected}.`);
  }
  const { box, relative } = parsed.data;
  if (box === null) return undefined;
  const values = "xmin" in box ? corners.map((name) => box[name]) : sides.map((name) => box[name]);
  return boxOf("xmin" in box, values, relative);
}

function boxOf(cornered: boolean, [a, b, c, d]: readonly number[], relative = false): Box {
  const [xmax, ymax] = cornered ? [c, d] : [a + c, b + d];
  const box = { xmin: a, ymin: b, xmax, ymax, relative };
  checkBox(box);
  return box;
}

function at<T>(line: number, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw fault(line, (error as Error).message, error);
  }
}

const fault = (line: number, reason: string, cause?: unknown) =>
  new TwingradError("CORRUPT_FILE", `line ${line}: ${reason}`, { cause });
