// Goodness of fit, for tests of what is random: with fixed seeds, so that a test passes always or never.

/** Pearson's statistic of counts against expected counts, with cells that expect less than 5 taken together. */
export function chiSquare(counts: ArrayLike<number>, expected: ArrayLike<number>): { chi2: number; freedom: number } {
  let [chi2, cells, restCount, restExpected] = [0, 0, 0, 0];
  for (let cell = 0; cell < counts.length; cell++) {
    if (expected[cell] === 0 && counts[cell] > 0) return { chi2: Number.POSITIVE_INFINITY, freedom: cells };
    if (expected[cell] >= 5) {
      chi2 += (counts[cell] - expected[cell]) ** 2 / expected[cell];
      cells++;
    } else {
      restCount += counts[cell];
      restExpected += expected[cell];
    }
  }
  if (restExpected > 0) {
    chi2 += (restCount - restExpected) ** 2 / restExpected;
    cells++;
  }
  return { chi2, freedom: cells - 1 };
}

/** Pearson's statistic of two samples of one distribution; cells that both hold less than 10 are taken together. */
export function twoSamples(a: ArrayLike<number>, b: ArrayLike<number>): { chi2: number; freedom: number } {
  const cells: [number, number][] = [];
  const rest: [number, number] = [0, 0];
  for (let cell = 0; cell < a.length; cell++) {
    if (a[cell] + b[cell] >= 10) cells.push([a[cell], b[cell]]);
    else {
      rest[0] += a[cell];
      rest[1] += b[cell];
    }
  }
  if (rest[0] + rest[1] > 0) cells.push(rest);
  const total = (side: 0 | 1) => cells.reduce((sum, cell) => sum + cell[side], 0);
  const ratio = Math.sqrt(total(1) / total(0));
  const chi2 = cells.reduce((sum, [x, y]) => sum + (x * ratio - y / ratio) ** 2 / (x + y), 0);
  return { chi2, freedom: cells.length - 1 };
}

/**
 * What a chi-square variable passes with probability 1e-4 (Wilson and Hilferty's approximation, good to 1 % from
 * 3 degrees of freedom): a test that compares with it is right for 9,999 seeds of 10,000.
 */
export function chiSquareLimit(freedom: number): number {
  const z = 3.719;
  const k = 2 / (9 * freedom);
  return freedom * (1 - k + z * Math.sqrt(k)) ** 3;
}

/** Pearson's correlation over all values. */
export function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const mean = (values: ArrayLike<number>) => Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
  const [ma, mb] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += (a[i] - ma) * (b[i] - mb);
    aa += (a[i] - ma) ** 2;
    bb += (b[i] - mb) ** 2;
  }
  return ab / Math.sqrt(aa * bb);
}
