// Chooses how often ranks exchange, from the measured cost: `--sync-every auto`.

/** Steps that the choice is measured on, after the warm-up steps. */
export const measuredSteps = 10;
export const preparingSteps = 2;

/** The largest share of the time for exchanges. */
const most = 0.1;
const largest = 64;
/** Local steps exchange parameters and the optimizer's two moments; exact steps exchange gradients only. */
const arenas = 3;

/** Steps between exchanges: 1 if exact steps spend at most a tenth of the time on them, else a power of two. */
export function chooseSync(exchangingSeconds: number, seconds: number): number {
  if (exchangingSeconds <= most * seconds) return 1;
  // N local steps and one exchange: arenas e / (N (t - e) + arenas e) <= most.
  const alone = Math.max(seconds - exchangingSeconds, 1e-9);
  const steps = (arenas * exchangingSeconds * (1 - most)) / (most * alone);
  return Math.min(largest, 2 ** Math.ceil(Math.log2(Math.max(2, steps))));
}
