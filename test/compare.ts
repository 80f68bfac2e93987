// How far two arrays lie apart, in the measure of the project's tolerances.

export interface Difference {
  relative: number; // largest absolute error over the largest absolute value of the reference
  index: number; // where the largest error is
  scale: number;
}

/**
 * A reference of all zeros has scale 0: any error is then infinite, only exact zeros agree.
 * `scale` replaces the largest value where a result is the small rest of large terms that cancel.
 */
export function difference(actual: ArrayLike<number>, reference: ArrayLike<number>, scale = 0): Difference {
  if (actual.length !== reference.length) throw new Error(`${actual.length} values against ${reference.length}`);
  let worst = 0;
  let index = 0;
  let largest = scale;
  for (let i = 0; i < reference.length; i++) {
    if (scale === 0) largest = Math.max(largest, Math.abs(reference[i]));
    const error = actual[i] === reference[i] ? 0 : Math.abs(actual[i] - reference[i]);
    if (error > worst || Number.isNaN(error)) {
      worst = Number.isNaN(error) ? Number.POSITIVE_INFINITY : error;
      index = i;
    }
  }
  return { relative: worst === 0 ? 0 : worst / largest, index, scale: largest };
}
