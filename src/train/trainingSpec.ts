// What to train, and how: with it and a device, a session can be opened.
import type { PictureOptions } from "../model/pictures.ts";
import type { Network } from "../nn/network.ts";
import type { Optimizer } from "../tape/optimizer.ts";
import type { TapeOptions } from "../tape/tape.ts";
import type { Augmenter } from "./augmenter.ts";
import type { ResolvedLoss } from "./loss.ts";

export interface TrainingSpec extends ResolvedLoss {
  readonly network: Network;
  readonly batchSize: number;
  readonly l2: number;
  readonly optimizer: Optimizer;
  readonly pictures: PictureOptions | undefined;
  readonly augmenter: Augmenter | undefined;
  readonly storage?: TapeOptions["storage"];
  readonly recompute?: boolean;
  /** Names of parameters that keep their values. */
  readonly frozen?: ReadonlySet<string>;
}
