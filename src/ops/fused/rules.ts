// The table of fusions. Each rule stands beside the operation that it puts in the place of others; the operation that it
// starts from names it, so that a bundle holds only the rules of the operations in it. L2 penalties, which go into the optimizer, are
// taken out of the loss in src/tape/lowering/update.ts, since no graph knows an optimizer.
import type { Rule } from "../../tape/rewrite.ts";
import { biasUnderMaxPool } from "./biasUnderMaxPool.ts";
import { block, reluIntoNorm } from "./blockRules.ts";
import { bytesInFirstLoad } from "./bytesInFirstLoad.ts";
import { denseActivation } from "./denseActivation.ts";
import { inferenceBlock } from "./inferenceBlock.ts";
import { embeddingIntoPairLoss, lossInGradientPass, pairLoss } from "./pairLoss.ts";

/** All of them; who has a new one adds it here and to `rules` of the operation that it starts from. */
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
