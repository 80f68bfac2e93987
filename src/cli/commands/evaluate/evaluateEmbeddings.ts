// twingrad evaluate --embeddings: the same protocols over vectors of any model.
import { scorePairs } from "../../../exchange/index.ts";
import { allPairs, labelsOf, type Match, pairsPerIdentity, verificationReport } from "../../../index.ts";
import { answersOf } from "../../../internal.ts";
import { readPairs } from "../../../node/index.ts";
import { identification } from "../../identification.ts";
import type { Outcome } from "../../outcome.ts";
import { type EmbeddingFlags, metricText, type OpenedEmbeddings, openEmbeddings } from "../exchange/embeddingFiles.ts";
import { evaluateOneShot } from "./evaluateOneShot.ts";
import { evaluatePairs } from "./evaluatePairs.ts";
import { openSetText, verificationText } from "./evaluationText.ts";

/** Options for embeddings of any origin, which `evaluate` on pictures has as well. */
export interface ComparisonOptions extends EmbeddingFlags {
  pairsPerIdentity: number | "all";
  pairs?: string;
  oneShot?: number;
  shots: number;
  match: Match;
  withinGroups?: boolean;
  trials: number;
  seed: number;
  resamples: number;
  threshold?: number;
}

export async function evaluateEmbeddings(options: ComparisonOptions): Promise<Outcome> {
  const opened = await openEmbeddings(options);
  const { result, text } = await evaluated(opened, options);
  const { metric } = options;
  return { result: { ...result, metric }, text: `${text}\n${metricText(metric, opened.table.length)}` };
}

async function evaluated(
  { table, dataset, recognizer }: OpenedEmbeddings,
  options: ComparisonOptions,
): Promise<Outcome> {
  const { seed, oneShot: ways, pairsPerIdentity: perIdentity, match } = options;
  const { values } = table;
  const measure = recognizer(options.threshold ?? 0); // only its distances are used here
  if (ways !== undefined) {
    return evaluateOneShot(dataset, { ...options, ways }, (trials) => answersOf(measure, values, trials, match));
  }
  const labels = labelsOf(dataset);
  if (options.pairs !== undefined) {
    const rows = new Map(dataset.items.map((item, row) => [item, row]));
    const listed = await readPairs(options.pairs, dataset);
    const row = (index: number) => rows.get(listed.dataset.items[index])!;
    const pairs = listed.pairs.map(({ left, right, same }) => ({ left: row(left), right: row(right), same }));
    const sets = new Set(listed.sets).size;
    const scored = scorePairs(measure, values, pairs);
    const report = verificationReport(scored, pairs, labels, sets > 1 ? listed.sets : undefined);
    const verification = evaluatePairs(report, scored, dataset, options);
    const over = sets > 1 ? `over ${sets} sets` : "the list has a single set: over folds of people";
    const text = verificationText(verification, dataset.identities.length, over);
    return { result: { ...verification, sets }, text };
  }
  const pairs = perIdentity === "all" ? allPairs(labels) : pairsPerIdentity(labels, { perIdentity, seed });
  const scored = scorePairs(measure, values, pairs);
  const report = verificationReport(scored, pairs, labels);
  const verification = evaluatePairs(report, scored, dataset, options);
  const threshold = options.threshold ?? report.threshold;
  const identified = identification(recognizer(threshold), dataset, values, options);
  const whose = options.threshold === undefined ? "the best threshold" : "the given threshold";
  const text = verificationText(verification, dataset.identities.length, "over folds of people");
  return {
    result: { ...verification, openSet: identified ?? null },
    text: identified ? `${text}\n${openSetText(identified, whose)}` : text,
  };
}
