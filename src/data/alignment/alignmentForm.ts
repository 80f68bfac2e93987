// What an alignment is, for whoever reads one in a file: fitting and placing are loaded where they are asked for.

/** What pictures are brought in line with; plain JSON. */
export interface Alignment {
  /** Cells of an edge map. */
  readonly rows: number;
  /** Cells of an edge map. */
  readonly columns: number;
  /** The template, [rows - 4, columns - 4, 8], in whole numbers from -127 to 127. */
  readonly template: readonly number[];
}

/** That edges are told apart by. */
export const directions = 8;
/** Cells along a picture's longer side. */
export const longerSide = 28;
export const shortestSide = 8;
/** Cells at each border that the window leaves out. */
export const margin = 2;

/** Whether this, as of a file, can be an alignment. */
export function isAlignment(value: unknown): value is Alignment {
  const { rows, columns, template } = (value ?? {}) as Partial<Alignment>;
  const isSide = (side: unknown) =>
    Number.isInteger(side) && shortestSide <= (side as number) && (side as number) <= longerSide;
  if (!isSide(rows) || !isSide(columns) || !Array.isArray(template)) return false;
  const length = (rows! - 2 * margin) * (columns! - 2 * margin) * directions;
  return (
    template.length === length &&
    template.every((v) => Number.isInteger(v) && Math.abs(v) <= 127) &&
    template.some(Boolean)
  );
}
