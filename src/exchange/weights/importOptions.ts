// The options of an import.

import type { LossName } from "../../model/description.ts";
import type { PictureOptions } from "../../model/pictures.ts";
import type { NetworkTask } from "../../nn/network.ts";
import type { NetworkOptions } from "../../nn/networkOptions.ts";
import type { Known } from "../../options.ts";
import type { Framework } from "./layouts.ts";

/** Options of a network whose tensors determine the rest. */
export type GivenNetwork = Partial<Omit<NetworkOptions, "seed" | "imageSize">> & {
  /** Height and width; the channels are those of the first filters. */
  readonly imageSize?: readonly number[];
};

/** Options of `importWeights`. */
export interface ImportOptions {
  /** The framework whose layouts and names the file has. */
  readonly from: Framework;
  /**
   * Names that are not found by rule: from ours to theirs or from theirs to ours; from theirs to null to ignore a
   * tensor.
   */
  readonly map?: Readonly<Record<string, string | null>>;
  /**
   * Options of the network that do not follow from its tensors, which determine filters, embedding and channels.
   * Missing ones come from the JSON under "network" in the file's metadata; without it, pictures are square, and
   * batch-norm's epsilon and momentum are the framework's defaults.
   */
  readonly network?: GivenNetwork;
  /** The task. @default that in the file's metadata, or "recognition" */
  readonly task?: NetworkTask;
  /**
   * The loss that the weights were trained with; cross-entropy requires a head.
   * @default that in the file's metadata, or "cross-entropy"
   */
  readonly loss?: LossName;
  /**
   * The margin of the contrastive or triplet loss: half of it is the threshold until the model is calibrated.
   * @default that in the file's metadata, or 1; 0.2 for triplets
   */
  readonly margin?: number;
  /** The preprocessing of pictures, beside that in the file's metadata. */
  readonly pictures?: PictureOptions;
  /** The license of the weights, stored in the model. @default that of the file */
  readonly license?: string;
}

export const importOptions: Known<ImportOptions> = {
  from: 1,
  map: 1,
  network: 1,
  task: 1,
  loss: 1,
  margin: 1,
  pictures: 1,
  license: 1,
};
