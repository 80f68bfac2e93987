// The best state of a training so far, and the evaluations since.

export interface Selection {
  /** AUC with 6 digits, as in the names of checkpoints. */
  readonly best?: { readonly step: number; readonly auc: number };
  /** Evaluations since the best one. */
  readonly since: number;
}

export const nothingSelected: Selection = { since: 0 };

/** The selection after another evaluation; among equals the earlier state is better. */
export function select({ best, since }: Selection, step: number, auc: number): Selection {
  const rounded = roundedAuc(auc);
  if (best === undefined || rounded > best.auc) return { best: { step, auc: rounded }, since: 0 };
  return { best, since: since + 1 };
}

export function exhausted({ since }: Selection, patience = Number.POSITIVE_INFINITY): boolean {
  return since >= patience;
}

export function roundedAuc(auc: number): number {
  return Number(auc.toPrecision(6));
}
