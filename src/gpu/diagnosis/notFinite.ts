// What a search for values that are not finite found. The search itself is loaded where it is asked for.

/** The first tensor with a value that is NaN or infinite. */
export interface NotFinite {
  /** Its name; a parameter's or an input's is the one that it was declared with. */
  readonly tensor: string;
  /** The position of the first such value, the value, and how many of the `elements` are not finite. */
  readonly at: number;
  /** The value there: NaN or infinite. */
  readonly value: number;
  /** How many of its values are not finite. */
  readonly count: number;
  /** How many values it has. */
  readonly elements: number;
  /** What wrote it, by its place among the step's launches; undefined where it was there before the step. */
  readonly launch?: { readonly index: number; readonly of: number; readonly kernel: string; readonly reads: string[] };
}

/** It in words. */
export function describeNotFinite({ tensor, at, value, count, elements, launch }: NotFinite): string {
  const which = `${count} of the ${elements} values of "${tensor}" (the first at ${at}: ${value})`;
  if (!launch) return `in the step's replay ${which} were not finite before its first launch`;
  const { index, of, kernel, reads } = launch;
  const from = reads.map((name) => `"${name}"`).join(", ");
  return `in the step's replay the first that are not finite are ${which}: launch ${index + 1} of ${of}, ${kernel}, made them of ${from}`;
}
