// The Siamese network of the TensorFlow article: both pictures pass through the tower with the same weights, and the
// head maps the difference of their embeddings to a logit.
import { absDifference } from "../ops/absDifference.ts";
import type { Network } from "./network.ts";
import type { NetworkOptions } from "./networkOptions.ts";
import { towerNetwork } from "./towerNetwork.ts";

/** Options of `siamese`. */
export type SiameseOptions = NetworkOptions;

/** Its head maps stacked embeddings [2B, embedding], left pictures first, to logits that the pairs are genuine. */
export interface SiameseNetwork extends Network {
  /** Always "recognition". */
  readonly task: "recognition";
}

/**
 * The article's Siamese network: one tower for both pictures of a pair, |a - b|, and a dense layer to a logit.
 * Filters 256, 128, 64, 32 and embedding 1024 by default, as in the article.
 * @throws BAD_INPUT for invalid options.
 * @example
 * ```ts
 * const network = siamese({ imageSize: [56, 46, 1], filters: [16, 32, 32], embedding: 128, seed: 1 });
 * ```
 */
export function siamese(options: SiameseOptions): SiameseNetwork {
  return towerNetwork("recognition", "siamese", options, absDifference);
}
