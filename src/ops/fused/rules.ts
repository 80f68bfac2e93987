// The table of fusions. Each rule is in the file of the operation that it introduces. The operation that it starts from
// names it, so that a bundle holds only the rules of its operations. L2 penalties, which the optimizer applies, are
// taken out of the loss in src/tape/lowering/update.ts, since a graph has no optimizer.
import type { Rule } from "../../tape/rewrite.ts";
import { biasUnderMaxPool } from "./biasUnderMaxPool.ts";
import { block, inferenceBlock, reluIntoNorm } from "./blockRules.ts";
import { bytesInFirstLoad } from "./bytesInFirstLoad.ts";
import { denseActivation } from "./denseActivation.ts";
import { embeddingIntoPairLoss, lossInGradientPass, pairLoss } from "./pairLoss.ts";

/** All rules. Add a new rule here and to `rules` of the operation that it starts from. */
export const rules: readonly Rule[] = [
  reluIntoNorm,
  inferenceBlock,
  block,
  bytesInFirstLoad,
  biasUnderMaxPool,
  denseActivation,
  pairLoss,
  embeddingIntoPairLoss,
  lossInGradientPass,
];
