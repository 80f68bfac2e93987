// What differs between the things that a network can learn; the rest of a training run is the same for all of them.
import type {
  Batch,
  BatchStream,
  Dataset,
  Device,
  Divided,
  ImageSize,
  Item,
  Network,
  NetworkOptions,
  SamplerState,
  Share,
  Split,
} from "../../../index.ts";
import type { TowerAlignment } from "../../../internal.ts";
import type { DataFlags, PictureNeeds } from "../../options/dataOptions.ts";
import type { ResolvedSettings } from "../../options/settingsSchema.ts";

export interface TrainingStream {
  readonly stream: Pick<BatchStream<Batch & { readonly epoch: number }>, "next" | "begin" | "state"> & {
    restore(state: SamplerState): void;
  };
  /** Examples in a batch, as the trainer counts them: of one rank. */
  readonly batchSize: number;
  /** Examples in an epoch, on average. */
  readonly perEpoch: number;
  /** Steps in so many epochs, as far as that is known. */
  steps(epochs: number): number;
}

export interface Verdict {
  /** Mean of the training loss's data term. */
  readonly loss: number;
  readonly auc: number;
  readonly eer: number;
  /** What `train` reports. */
  readonly figures: Readonly<Record<string, number>>;
  /** The model file with what was found in it. */
  sealed(bytes: Uint8Array): Promise<Uint8Array>;
}

export interface TrainingTask<I extends Item = Item> {
  /** What a batch counts. */
  readonly examples: string;
  /** Opens DATA; whatever is skipped is told. */
  open(
    paths: readonly string[],
    flags: DataFlags,
    tell: (line: string) => void,
    needs: PictureNeeds,
  ): Promise<Dataset<I>>;
  /** The data in a few words. */
  describe(dataset: Dataset<I>): string;
  /**
   * The people that a network is trained on, and those held out.
   * @throws BAD_INPUT where that cannot be.
   */
  divide(dataset: Dataset<I>, split: Split): Divided<I>;
  /** Of people held out a part that is evaluated quickly. */
  some(heldOut: Dataset<I>): Dataset<I>;
  /** @throws BAD_INPUT at once where these people give no batches. */
  batches(
    training: Dataset<I>,
    decoded: ImageSize,
    settings: ResolvedSettings,
    warn: (text: string) => void,
    alignment?: TowerAlignment,
    share?: Share,
  ): TrainingStream;
  network(options: NetworkOptions): Network;
  /** The model file at the end of training on these people, with what is fitted to them once more. */
  finish?(device: Device, bytes: Uint8Array, training: Dataset<I>, settings: ResolvedSettings): Promise<Uint8Array>;
  /**
   * Evaluates a saved model on these people. `quick`: loss and AUC are all that is wanted. `training`: what it was trained on, where
   * groups are held out to test it; a threshold is then not set on them.
   */
  evaluate(
    device: Device,
    bytes: Uint8Array,
    people: Dataset<I>,
    options: { seed: number; quick: boolean; training?: Dataset<I> },
  ): Promise<Verdict>;
  /** The metadata key of what `Verdict.sealed` adds. */
  readonly operatingPointKey: string;
}
