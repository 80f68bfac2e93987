// How often ranks exchange what they computed, chosen by what it costs: `--sync-every auto`.

/** Steps that the choice is measured on, after the warm-up steps. */
export const measuredSteps = 10;
export const preparingSteps = 2;

/** Share of the time that exchanges may take. */
const most = 0.1;
const largest = 64;
/** Local steps exchange parameters and the optimizer's two moments, where exact ones exchange gradients. */
const arenas = 3;

/** Steps between exchanges: 1 where exact steps spend no more than a tenth of the time on them, else a power of two. */
export function chooseSync(exchangingSeconds: number, seconds: number): number {
  if (exchangingSeconds <= most * seconds) return 1;
  // N steps of their own against one exchange: arenas e / (N (t - e) + arenas e) <= most.
  const alone = Math.max(seconds - exchangingSeconds, 1e-9);
  const steps = (arenas * exchangingSeconds * (1 - most)) / (most * alone);
  return Math.min(largest, 2 ** Math.ceil(Math.log2(Math.max(2, steps))));
}
