// Every distance in float64, all of them sorted: the nearest rows as the definition reads.

export interface Ranked {
  row: number;
  score: number;
}

/** sum (probe - row)^2, or with weights sum w |probe - row|. */
export function score(probe: ArrayLike<number>, rows: ArrayLike<number>, row: number, weights?: ArrayLike<number>) {
  let sum = 0;
  for (let d = 0; d < probe.length; d++) {
    const difference = probe[d] - rows[row * probe.length + d];
    sum += weights ? weights[d] * Math.abs(difference) : difference * difference;
  }
  return sum;
}

/** By score, then by row number. */
export function nearestRows(probe: ArrayLike<number>, rows: ArrayLike<number>, k: number, weights?: ArrayLike<number>) {
  const all = Array.from({ length: rows.length / probe.length }, (_, row): Ranked => {
    return { row, score: score(probe, rows, row, weights) };
  });
  return all.sort((a, b) => a.score - b.score || a.row - b.row).slice(0, k);
}
