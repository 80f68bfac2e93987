// The article's second network: one picture passes through the tower, and the head maps its embedding to the logit that
// the picture is bona fide, not a presentation attack.

import type { Network, NetworkTask } from "./network.ts";
import type { NetworkOptions } from "./networkOptions.ts";
import { siamese } from "./siamese.ts";
import { towerNetwork } from "./towerNetwork.ts";

/** Options of `liveness`. */
export type LivenessOptions = NetworkOptions;

/** Its head maps embeddings [B, embedding] to logits that the pictures are bona fide. */
export interface LivenessNetwork extends Network {
  /** Always "liveness". */
  readonly task: "liveness";
}

/**
 * A liveness network: one tower, and a dense layer to a logit. By default filters 256, 128, 64, 32 and embedding 1024;
 * with `patch`, the embedding's length is the number of the last block's filters.
 * @throws BAD_INPUT for invalid options.
 * @example
 * ```ts
 * const network = liveness({ imageSize: [112, 112, 3], filters: [16, 32, 64], patch: 32, differences: 1 });
 * ```
 */
export function liveness(options: LivenessOptions): LivenessNetwork {
  return towerNetwork("liveness", "liveness", options, (embeddings) => embeddings);
}

export function networkOf(task: NetworkTask, options: NetworkOptions): Network {
  return task === "liveness" ? liveness(options) : siamese(options);
}
