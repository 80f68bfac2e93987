// The part of a training run that depends on the task: recognition or liveness.
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
  /** Examples in a batch. */
  readonly batchSize: number;
  /** Examples in an epoch, on average. */
  readonly perEpoch: number;
  /** Estimated number of steps. */
  steps(epochs: number): number;
}

export interface Verdict {
  /** Mean loss, without the L2 penalty. */
  readonly loss: number;
  readonly auc: number;
  readonly eer: number;
  /** The metrics that `train` reports. */
  readonly figures: Readonly<Record<string, number>>;
  /** Stores the operating point in the model file. */
  sealed(bytes: Uint8Array): Promise<Uint8Array>;
}

export interface TrainingTask<I extends Item = Item> {
  /** The unit of a batch, in words. */
  readonly examples: string;
  /** Opens DATA, with a line for each skipped file. */
  open(
    paths: readonly string[],
    flags: DataFlags,
    tell: (line: string) => void,
    needs: PictureNeeds,
  ): Promise<Dataset<I>>;
  /** A short description of the data. */
  describe(dataset: Dataset<I>): string;
  /**
   * Splits into training and held-out data.
   * @throws BAD_INPUT if there are too few.
   */
  divide(dataset: Dataset<I>, split: Split): Divided<I>;
  /** A sample of the held-out data for quick evaluations. */
  some(heldOut: Dataset<I>): Dataset<I>;
  /** @throws BAD_INPUT if the data cannot fill a batch. */
  batches(
    training: Dataset<I>,
    decoded: ImageSize,
    settings: ResolvedSettings,
    warn: (text: string) => void,
    alignment?: TowerAlignment,
    share?: Share,
  ): TrainingStream;
  network(options: NetworkOptions): Network;
  /** Post-processing at the end of training, fitted to the training data: whitening and centering. */
  finish?(device: Device, bytes: Uint8Array, training: Dataset<I>, settings: ResolvedSettings): Promise<Uint8Array>;
  /**
   * Evaluates a saved model. `quick`: only loss and AUC are needed. `training`: the training data, if the held-out groups are
   * for testing; the threshold is then set on the training data.
   */
  evaluate(
    device: Device,
    bytes: Uint8Array,
    people: Dataset<I>,
    options: { seed: number; quick: boolean; training?: Dataset<I> },
  ): Promise<Verdict>;
  /** The metadata key that `sealed` adds. */
  readonly operatingPointKey: string;
}
