// twingrad evaluate --one-shot and --runs: which of several identities is on a picture?
import {
  type Dataset,
  type Interval,
  identityGroups,
  labelsOf,
  type Model,
  oneShotTrials,
  type Trial,
  TwingradError,
} from "../../../index.ts";
import { oneShotAnswers, shareInterval } from "../../../internal.ts";
import { readOneShotRuns } from "../../../node/index.ts";
import { type Outcome, percent, warn } from "../../outcome.ts";
import { showing } from "../models.ts";

export interface OneShotOptions {
  ways: number;
  shots: number;
  trials: number;
  seed: number;
  withinGroups?: boolean;
  resamples: number;
}

/** @param answer returns for each trial whether it was correct. */
export async function evaluateOneShot(
  dataset: Dataset,
  options: OneShotOptions,
  answer: (trials: readonly Trial[]) => Promise<boolean[]> | boolean[],
): Promise<Outcome> {
  const { ways, shots, trials: count, seed, withinGroups, resamples } = options;
  const labels = labelsOf(dataset);
  const { names, groups } = identityGroups(dataset);
  if (withinGroups && names.length === 1 && names[0] === "") {
    throw new TwingradError(
      "BAD_INPUT",
      `${dataset.identities[0]} has no group: --within-groups needs a folder above each identity's, such as Korean/character01`,
    );
  }
  const trials = oneShotTrials(labels, { ways, shots, trials: count, seed, groups: withinGroups ? groups : undefined });
  const hits = await answer(trials);
  const accuracy = shareOf(hits);
  // The bootstrap resamples the identity of the query; the trial's other identities stay.
  const outcomes = hits.map((hit, trial) => ({ hit, identities: [labels[trials[trial].probe]] }));
  const interval = shareInterval(outcomes, { seed, resamples });
  const what = `${ways}-way ${shots === 1 ? "one" : shots}-shot accuracy ${withInterval(accuracy, interval)} (${count} trials`;
  const result = { trials: count, ways, shots, accuracy, interval };
  if (!withinGroups) return { result, text: `${what})` };
  const byGroup = names.flatMap((group, index) => {
    const own = hits.filter((_, trial) => groups[labels[trials[trial].probe]] === index);
    return own.length === 0 ? [] : [{ group, trials: own.length, accuracy: shareOf(own) }];
  });
  const without = names.filter((name) => !byGroup.some(({ group }) => group === name));
  if (without.length > 0) warn(`no trial was drawn from ${without.join(", ")}: too few identities or trials`);
  const lines = byGroup.map((group) => `  ${percent(group.accuracy).padStart(8)}  ${group.group}`);
  return {
    result: { ...result, groups: byGroup },
    text: [`${what}, each within one of ${byGroup.length} groups)`, ...lines].join("\n"),
  };
}

export async function evaluateRuns(
  model: Model,
  folder: string,
  { seed, resamples }: { seed: number; resamples: number },
): Promise<Outcome> {
  const { dataset, trials, runs, ways } = await readOneShotRuns(folder);
  const hits = await showing(dataset, (onProgress) => oneShotAnswers(model, dataset, trials, "nearest", onProgress));
  const accuracy = shareOf(hits);
  const interval = shareInterval(
    hits.map((hit, trial) => ({ hit, identities: [trial] })), // each trial has its own query character
    { seed, resamples },
  );
  return {
    result: { trials: trials.length, ways, accuracy, interval, runs },
    text: `${ways}-way one-shot accuracy ${withInterval(accuracy, interval)} (${trials.length} trials in ${runs} runs)`,
  };
}

const withInterval = (share: number, [lower, upper]: Interval) =>
  `${percent(share)} [${percent(lower)}, ${percent(upper)}]`;

const shareOf = (hits: readonly boolean[]) => hits.filter(Boolean).length / hits.length;
