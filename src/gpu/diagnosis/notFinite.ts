// The result of a search for non-finite values. The search itself is loaded on demand.

/** The first tensor with a NaN or infinite value. */
export interface NotFinite {
  /** The tensor's name; for a parameter or an input, the declared name. */
  readonly tensor: string;
  /** The position of the first such value, the value, and how many of the `elements` are non-finite. */
  readonly at: number;
  /** The value there: NaN or infinite. */
  readonly value: number;
  /** How many of its values are not finite. */
  readonly count: number;
  /** How many values it has. */
  readonly elements: number;
  /** The launch that wrote it, by index in the step; undefined if the value existed before the step. */
  readonly launch?: { readonly index: number; readonly of: number; readonly kernel: string; readonly reads: string[] };
}

/** The result as a sentence. */
export function describeNotFinite({ tensor, at, value, count, elements, launch }: NotFinite): string {
  const which = `${count} of the ${elements} values of "${tensor}" (the first at ${at}: ${value})`;
  if (!launch) return `in the step's replay, ${which} were not finite before the first launch`;
  const { index, of, kernel, reads } = launch;
  const from = reads.map((name) => `"${name}"`).join(", ");
  return `in the step's replay, the first non-finite values are ${which}: launch ${index + 1} of ${of}, ${kernel}, computed them from ${from}`;
}
