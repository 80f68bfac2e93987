// The form of an alignment in a file; fitting and aligning are loaded only where they are used.

/** What fitAlignment() returns; plain JSON. */
export interface Alignment {
  /** Cells of an edge map. */
  readonly rows: number;
  /** Cells of an edge map. */
  readonly columns: number;
  /** The template [rows - 4, columns - 4, 8]: integers from -127 to 127. */
  readonly template: readonly number[];
}

/** Bins of edge directions. */
export const directions = 8;
/** Cells along a picture's longer side. */
export const longerSide = 28;
export const shortestSide = 8;
/** Cells left out of the window at each border. */
export const margin = 2;

/** Whether the value, for instance of a file, is a valid alignment. */
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
