// Which state of a training is the best so far, and since when none was better.

export interface Selection {
  /** AUC to 6 digits, as checkpoints' names tell it. */
  readonly best?: { readonly step: number; readonly auc: number };
  /** Evaluations since the best one. */
  readonly since: number;
}

export const nothingSelected: Selection = { since: 0 };

/** After another evaluation; of equals the earlier state is the better one. */
export function select({ best, since }: Selection, step: number, auc: number): Selection {
  const told = toldAuc(auc);
  if (best === undefined || told > best.auc) return { best: { step, auc: told }, since: 0 };
  return { best, since: since + 1 };
}

export function exhausted({ since }: Selection, patience = Number.POSITIVE_INFINITY): boolean {
  return since >= patience;
}

export function toldAuc(auc: number): number {
  return Number(auc.toPrecision(6));
}
