// Compares the engines' results before they are timed.

import { configurationNamed } from "./configurations.ts";
import type { BenchHost } from "./host.ts";
import { operationCases } from "./operations.ts";
import type { Agreement } from "./page/compare.ts";
import type { Workload } from "./page/main.ts";

export const ourName = "twingrad";

/** Work that takes longer than this (ms) is executed once and compared on one step only. */
export const patience = 60_000;

const tolerance = { error: 1e-4, loss: 1e-5, lossAfterSteps: 1e-3, normWithNearTies: 1e-2 };
const stepsCompared = 3;

export interface StepAgreement extends Agreement {
  /** Steps after which the losses were compared, and by how much they differ (relative). */
  readonly steps: number;
  readonly lossAfterSteps: number;
  /** The gradients differ by more than rounding; all operations agree by themselves. See `agreeOnStep`. */
  readonly nearTies: boolean;
}

type Page = BenchHost["page"];

/** Opens the operation on every engine, compares the results with ours, and closes it again. */
export async function agreeOnOperation(
  page: Page,
  engines: readonly string[],
  workload: Workload,
  name: string,
): Promise<Record<string, Agreement>> {
  for (const engine of engines) await page.open(engine, workload);
  const agreement = await page.agree();
  await page.close();
  for (const [peer, { worst, error }] of Object.entries(agreement)) {
    if (error <= tolerance.error) continue;
    throw new Error(
      `${workload.configuration} ${name}: ${peer} and ${ourName} do not agree: ${worst} differs by ` +
        `${error.toExponential(1)}, expected at most ${tolerance.error}. It was not timed.`,
    );
  }
  return agreement;
}

/**
 * Compares the loss, every gradient, and the loss after some steps. Where two values in a pooling window, or a ReLU's
 * input and 0, lie closer together than rounding, engines may correctly route a gradient differently; among the
 * millions of windows of a large configuration that happens. Then the gradients must agree in norm, and each operation
 * of the configuration by itself to rounding.
 */
export async function agreeOnStep(
  browser: BenchHost,
  engines: readonly string[],
  configuration: string,
  progress: (line: string) => void,
): Promise<Record<string, StepAgreement>> {
  const { page } = browser;
  const what = `step ${configuration}`;
  progress(`${what}: checking that ${engines.join(", ")} agree`);
  await browser.reload();
  for (const engine of engines) await page.open(engine, { configuration });
  const agreement = await page.agree();
  let nearTies = false;
  for (const [peer, { worst, error, normError, loss }] of Object.entries(agreement)) {
    if (!(loss! <= tolerance.loss) || !(normError <= tolerance.normWithNearTies)) {
      throw new Error(
        `${what}: ${peer} and ${ourName} do not agree: the loss differs by ${loss!.toExponential(1)}, expected at most ` +
          `${tolerance.loss}; "${worst}" by ${error.toExponential(1)}, expected ${tolerance.error}. It was not timed.`,
      );
    }
    if (error > tolerance.error) {
      progress(`${what}: "${worst}" of ${peer} differs by ${error.toExponential(1)}, so each operation is compared`);
      nearTies = true;
    }
  }
  const { steps, errors } = await compareLosses(page, engines, what);
  if (nearTies) {
    await browser.reload();
    for (const [operation, { name }] of operationCases(configurationNamed(configuration)).entries()) {
      await agreeOnOperation(page, engines, { configuration, operation }, name);
    }
  }
  const entries = Object.entries(agreement).map(([peer, found]) => {
    return [peer, { ...found, steps, lossAfterSteps: errors.get(peer)!, nearTies }] as const;
  });
  return Object.fromEntries(entries);
}

async function compareLosses(page: Page, engines: readonly string[], what: string) {
  const losses = new Map<string, number[]>();
  let steps = stepsCompared;
  for (const engine of engines) {
    const first = await page.run(engine, 1);
    if (first.milliseconds > patience) steps = 1;
    const rest = steps > 1 ? (await page.run(engine, steps - 1)).losses : [];
    losses.set(engine, [...first.losses, ...rest]);
  }
  const ours = losses.get(ourName)![steps - 1];
  const errors = new Map<string, number>();
  for (const [peer, theirs] of losses) {
    const error = Math.abs(theirs[steps - 1] - ours) / Math.abs(ours);
    if (!(error <= tolerance.lossAfterSteps)) {
      throw new Error(
        `${what}: at step ${steps} ${peer} has the loss ${theirs[steps - 1]}, ${ourName} ${ours}; expected to differ by ` +
          `at most ${tolerance.lossAfterSteps} of it. It was not timed.`,
      );
    }
    errors.set(peer, error);
  }
  return { steps, errors };
}
