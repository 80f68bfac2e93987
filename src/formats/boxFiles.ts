// Boxes of faces in files beside the pictures: a table for a whole folder, or a small JSON file for each picture.
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
 * A table with a header: `file,xmin,ymin,xmax,ymax` or `file,x,y,width,height`, in pixels of the upright picture; `file` is
 * the picture's path below the folder of the table, with slashes. Other columns are passed over.
 * @returns by path the box.
 * @throws CORRUPT_FILE with the line.
 */
export function parseBoxTable(text: string): Map<string, Box> {
  // Not the parser's own header: it renames a column that is there twice, and tells so on the console.
  const { data, errors } = Papa.parse<string[]>(text.replace(/^\uFEFF/, ""), { skipEmptyLines: "greedy" });
  const [first = [], ...rows] = data;
  const header = first.map((name) => name.trim().toLowerCase());
  const columns = [corners, sides].find((names) => ["file", ...names].every((name) => header.includes(name)));
  if (!columns) {
    const found = header.join(",").slice(0, 100);
    throw fault(1, `the columns file,${corners.join(",")} or file,${sides.join(",")} were expected, not "${found}"`);
  }
  const twice = ["file", ...columns].find((name) => header.indexOf(name) !== header.lastIndexOf(name));
  if (twice) throw fault(1, `the column "${twice}" is in it twice`);
  const broken = errors.find(({ type }) => type !== "Delimiter"); // a table of one column has none
  if (broken) throw fault((broken.row ?? 0) + 1, broken.message);
  const boxes = new Map<string, Box>();
  for (const [row, fields] of rows.entries()) {
    if (fields.length !== header.length)
      throw fault(row + 2, `${header.length} values were expected, as in line 1, not ${fields.length}`);
    const field = (name: string) => fields[header.indexOf(name)].trim();
    const values = columns.map((name) => (field(name) === "" ? Number.NaN : Number(field(name))));
    const file = field("file").normalize("NFC"); // as whoever looks a path up writes it
    if (boxes.has(file)) throw fault(row + 2, `"${file}" is in it twice`);
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
 * `{"box": {"xmin", "ymin", "xmax", "ymax"}}` or `{"box": {"x", "y", "width", "height"}}`, in pixels of the upright picture,
 * with `"relative": true` in shares of its width and height. Undefined where it has no "box", or null: such files may hold
 * other things.
 * @throws CORRUPT_FILE for what is no JSON or a box that is none.
 */
export function parseBoxFile(text: string): Box | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text.replace(/^\uFEFF/, ""));
  } catch (error) {
    throw new TwingradError("CORRUPT_FILE", `this is no JSON: ${(error as Error).message}`, { cause: error });
  }
  if (typeof json !== "object" || json === null || !("box" in json)) return undefined;
  const parsed = boxFile.safeParse(json);
  if (!parsed.success) {
    const expected = `{${corners.join(", ")}} or {${sides.join(", ")}} in numbers`;
    throw new TwingradError("CORRUPT_FILE", `its "box" is ${JSON.stringify(json.box)}; ${expected} was expected`);
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
