// The Siamese network of the TensorFlow article: both pictures pass through the tower with the same weights, and the
// head maps the difference of their embeddings to a logit.
import { absDifference } from "../ops/absDifference.ts";
import { type Network, towerNetwork } from "./network.ts";
import type { NetworkOptions } from "./networkOptions.ts";

export type SiameseOptions = NetworkOptions;

/** Its head maps stacked embeddings [2B, embedding], lefts first, to logits that the pairs are genuine. */
export interface SiameseNetwork extends Network {
  readonly task: "recognition";
}

/** Filters 256, 128, 64, 32 and embedding 1024 by default, as in the article. */
export function siamese(options: SiameseOptions): SiameseNetwork {
  return towerNetwork("recognition", "siamese", options, absDifference);
}
