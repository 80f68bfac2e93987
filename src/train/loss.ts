// The loss of a training: its options, and its computation from a batch's embeddings.
import { TwingradError } from "../errors.ts";
import { comparesAll, defaultMargin, type LossName, lossNames, type Mining, minings } from "../model/description.ts";
import type { Network } from "../nn/network.ts";
import { l2Normalize } from "../ops/l2Normalize.ts";
import {
  batchHardTripletLoss,
  type Margin,
  semiHardTripletLoss,
  supervisedContrastiveLoss,
} from "../ops/losses/batchLoss.ts";
import { contrastiveLoss } from "../ops/losses/contrastiveLoss.ts";
import { sigmoidCrossEntropy } from "../ops/losses/sigmoidCrossEntropy.ts";
import { tripletLoss } from "../ops/losses/tripletLoss.ts";
import { slice } from "../ops/slice.ts";
import type { Tape } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";

export interface LossOptions {
  /**
   * `cross-entropy` trains the head; it is the only loss of a liveness network. The others train the embeddings,
   * normalized to unit length.
   */
  readonly loss?: LossName;
  /**
   * For the triplet loss: `batch-hard` (Hermans, Beyer and Leibe 2017) and `semi-hard` (Schroff et al. 2015) take
   * batches of labeled pictures, several per identity, and compare all of them; `none`, the default, takes sampled
   * triplets.
   */
  readonly mining?: Mining;
  /** For the contrastive (default 1) or triplet loss (default 0.2); `soft` for mined triplets only. */
  readonly margin?: Margin;
  /** Of the supervised contrastive loss. @default 0.1 */
  readonly temperature?: number;
}

export interface ResolvedLoss {
  readonly loss: LossName;
  readonly mining: Mining;
  readonly margin: Margin;
  readonly temperature: number;
}

/** The options with their defaults. @throws BAD_INPUT that names options that do not fit together. */
export function resolveLoss(options: LossOptions, { task, options: { towers } }: Network): ResolvedLoss {
  const { loss = "cross-entropy", mining = "none", temperature = 0.1 } = options;
  const { margin = defaultMargin(loss) } = options;
  const refuse = (what: string): never => {
    throw new TwingradError("BAD_INPUT", `Trainer: ${what}.`);
  };
  if (!lossNames.includes(loss)) refuse(`loss is "${loss}"; expected ${lossNames.join(", ")}`);
  if (task === "liveness" && loss !== "cross-entropy") {
    refuse(`loss is "${loss}"; a liveness network requires cross-entropy`);
  }
  if (!minings.includes(mining)) refuse(`mining is "${mining}"; expected ${minings.join(", ")}`);
  if (towers.length > 1 && !comparesAll({ loss, mining })) {
    refuse(
      `loss is "${loss}" with mining "${mining}"; ${towers.length} towers require a loss that compares all pictures of a batch`,
    );
  }
  if (mining !== "none" && loss !== "triplet")
    refuse(`mining is "${mining}" and loss "${loss}"; mining requires the triplet loss`);
  if (margin !== "soft" && !Number.isFinite(margin)) refuse(`margin is ${margin}; expected a number or "soft"`);
  if (margin === "soft" && mining === "none")
    refuse(`margin is "soft" and mining "none"; a soft margin requires mining`);
  if (!(temperature > 0 && Number.isFinite(temperature)))
    refuse(`temperature is ${temperature}; expected a number above 0`);
  return { loss, mining, margin, temperature };
}

/**
 * The loss of a batch, a scalar, without penalties on weights.
 * @param embeddings of the branches of the batch, stacked.
 * @param target the batch's target: see `BatchFields`.
 */
export function batchLoss(
  { loss, mining, margin, temperature }: ResolvedLoss,
  network: Network,
  tape: Tape,
  embeddings: Tensor,
  target: Tensor | undefined,
): Tensor {
  if (loss === "cross-entropy") return sigmoidCrossEntropy(network.head(tape, embeddings), target!);
  const unit = l2Normalize(embeddings);
  if (loss === "supervised-contrastive") return supervisedContrastiveLoss(unit, target!, { temperature });
  if (mining === "batch-hard") return batchHardTripletLoss(unit, target!, { margin });
  if (mining === "semi-hard") return semiHardTripletLoss(unit, target!, { margin });
  const branches = loss === "contrastive" ? 2 : 3;
  const rows = unit.shape[0] / branches;
  const [first, second, third] = Array.from({ length: branches }, (_, i) => slice(unit, i * rows, rows));
  const distance = { margin: margin as number };
  return loss === "contrastive"
    ? contrastiveLoss(first, second, target!, distance)
    : tripletLoss(first, second, third, distance);
}
