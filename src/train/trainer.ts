// Trains a Siamese network: one compiled program for each kind of input, steps in flight, nothing waited for.
import type { Device } from "../gpu/device.ts";
import { TwingradError } from "../gpu/errors.ts";
import type { KernelTime, Memory, Program } from "../gpu/program.ts";
import type { SiameseNetwork } from "../nn/siamese.ts";
import { add } from "../ops/add.ts";
import { contrastiveLoss } from "../ops/contrastiveLoss.ts";
import { l2Normalize } from "../ops/l2Normalize.ts";
import { sigmoidCrossEntropy } from "../ops/sigmoidCrossEntropy.ts";
import { slice } from "../ops/slice.ts";
import { l2Penalty } from "../ops/sum.ts";
import { tripletLoss } from "../ops/tripletLoss.ts";
import { adam } from "../optim/adam.ts";
import { gradients } from "../tape/gradients.ts";
import type { Optimizer } from "../tape/optimizer.ts";
import { ParameterStore } from "../tape/parameters.ts";
import { Tape } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";
import { type AugmentationOptions, Augmenter } from "./augmenter.ts";
import { type Batch, feed } from "./batch.ts";
import { loadState, saveState } from "./checkpoint.ts";
import {
  type Embedder,
  givenSize,
  type InputDtype,
  type PictureOptions,
  type Pictures,
  picturesInput,
  towerEmbedder,
} from "./embedder.ts";

export type LossName = "cross-entropy" | "contrastive" | "triplet";

export interface TrainerOptions extends PictureOptions {
  /** Pairs (or triplets) in a step. */
  readonly batchSize: number;
  /** `cross-entropy` trains the head on |a - b|; the others train the embeddings, brought to unit length. */
  readonly loss?: LossName;
  /** Adds l2 * sum(w^2) / 2 for each convolution kernel; 0 by default. */
  readonly l2?: number;
  /** adam() by default. */
  readonly optimizer?: Optimizer;
  /** Of the contrastive (1) or triplet (0.2) loss. */
  readonly margin?: number;
  /** Changes each picture of a step by random numbers of its own; embedding never does. */
  readonly augmentation?: AugmentationOptions;
}

type Options = Required<Omit<TrainerOptions, "augmentation" | keyof PictureOptions>>;

export class Trainer {
  readonly device: Device;
  readonly network: SiameseNetwork;
  readonly options: Options;
  readonly store: ParameterStore;
  private readonly programs = new Map<string, Promise<Program>>();
  private readonly embedders = new Map<number, Promise<Embedder>>();

  private constructor(
    device: Device,
    network: SiameseNetwork,
    options: Options,
    private readonly pictures: PictureOptions | undefined,
    private readonly augmenter: Augmenter | undefined,
  ) {
    this.device = device;
    this.network = network;
    this.options = options;
    this.store = new ParameterStore(device);
  }

  /** Compiles the training step for pictures in bytes; the one for float32 follows when first needed. */
  static async create(device: Device, network: SiameseNetwork, options: TrainerOptions): Promise<Trainer> {
    const { batchSize, loss = "cross-entropy", l2 = 0, optimizer = adam() } = options;
    const { margin = loss === "triplet" ? 0.2 : 1 } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new TwingradError(
        "BAD_INPUT",
        `Trainer: batchSize is ${batchSize}; expected a whole number of at least 1.`,
      );
    }
    if (!["cross-entropy", "contrastive", "triplet"].includes(loss)) {
      throw new TwingradError(
        "BAD_INPUT",
        `Trainer: loss is "${loss}"; expected cross-entropy, contrastive or triplet.`,
      );
    }
    const { sourceSize, resize = "area", augmentation } = options;
    const pictures = sourceSize && { sourceSize, resize };
    const [sourceHeight, sourceWidth] = givenSize(network.options, pictures);
    const [height, width] = network.options.imageSize;
    const augmenter = augmentation && new Augmenter(augmentation, [sourceHeight, sourceWidth], [height, width], resize);
    const trainer = new Trainer(device, network, { batchSize, loss, l2, optimizer, margin }, pictures, augmenter);
    try {
      await trainer.program("step", "u8");
    } catch (error) {
      trainer.store.dispose();
      throw error;
    }
    return trainer;
  }

  /** Steps taken so far, those of a loaded checkpoint included. */
  get steps(): number {
    return this.store.step;
  }

  /**
   * One update. `loss` is the total, the L2 penalty included; `step` counts from 1. Call it again without awaiting:
   * a few steps are in flight and settle in order. A batch's arrays may be reused at once.
   */
  async step(batch: Batch): Promise<{ loss: number; step: number }> {
    const { dtype, inputs } = this.feed(batch);
    const program = await this.program("step", dtype);
    const { loss, step } = await program.run(inputs);
    return { loss, step };
  }

  /** The total loss (under "loss") and its gradients by parameter; updates nothing. */
  async gradients(batch: Batch): Promise<Map<string, Float32Array>> {
    const { dtype, inputs } = this.feed(batch);
    const program = await this.program("gradients", dtype);
    const { loss, ...found } = await program.run(inputs);
    return new Map([["loss", new Float32Array([loss])], ...Object.entries(found as Record<string, Float32Array>)]);
  }

  /** Nanoseconds of each kernel in one step on this batch, which counts as a step. */
  async profile(batch: Batch): Promise<KernelTime[]> {
    const { dtype, inputs } = this.feed(batch);
    return (await this.program("step", dtype)).profile(inputs);
  }

  /** The launches of one step on pictures in bytes. */
  async launches(): Promise<Program["launches"]> {
    return (await this.program("step", "u8")).launches;
  }

  /** Planned bytes of the training step on pictures in bytes. */
  async memory(): Promise<Memory> {
    return (await this.program("step", "u8")).memory();
  }

  /** Every parameter, the moving averages included. */
  parameters() {
    const { store } = this;
    return new Map(
      store.list().map(({ name, shape, trainable }) => [
        name,
        {
          shape: [...shape],
          trainable,
          read: () => store.read(name),
          write: (values: ArrayLike<number>) => store.write(name, values),
        },
      ]),
    );
  }

  /**
   * A checkpoint: weights, moving averages, optimizer state, step and the network's options, as safetensors with a digest
   * of the whole. `metadata` goes in beside them: where the data stream stands, the configuration.
   */
  save(metadata?: Record<string, string>): Promise<Uint8Array> {
    const { loss, margin } = this.options;
    const { pictures } = this;
    return saveState(this.store, { network: this.network.options, loss, margin, pictures }, metadata);
  }

  /**
   * Takes a checkpoint's state. Throws `CORRUPT_FILE` for damaged bytes and `CHECKPOINT_MISMATCH` where a tensor does not
   * fit, and changes nothing then.
   */
  load(bytes: Uint8Array): Promise<void> {
    return loadState(this.store, bytes);
  }

  /**
   * Compiles the tower with inference statistics; the function it gives embeds any number of pictures, `batchSize` at a
   * time, and returns [N, embedding]. It uses the trainer's weights as they are at each call.
   */
  async embedder(options: { readonly batchSize?: number } = {}): Promise<(images: Pictures) => Promise<Float32Array>> {
    const { batchSize = 2 * this.options.batchSize } = options;
    let embedder = this.embedders.get(batchSize);
    if (!embedder) {
      const { device, store, network, pictures } = this;
      embedder = towerEmbedder({ device, store, network, loss: this.options.loss, batchSize, pictures });
      this.embedders.set(batchSize, embedder);
      embedder.catch(() => this.embedders.delete(batchSize));
    }
    return (await embedder).embed;
  }

  /**
   * What the network makes of two embeddings: larger means more alike. With cross-entropy the head's logit, positive
   * for "the same person"; else minus the Euclidean distance. Uses the weights as they are now.
   */
  async scorer(): Promise<(a: ArrayLike<number>, b: ArrayLike<number>) => number> {
    if (this.options.loss !== "cross-entropy") {
      return (a, b) => -Math.sqrt(difference(a, b, (d) => d * d));
    }
    const kernel = await this.store.read("head/kernel");
    const [bias] = await this.store.read("head/bias");
    return (a, b) => bias + difference(a, b, (d, i) => kernel[i] * Math.abs(d));
  }

  /** Frees all that the trainer holds on the device, which stays open. */
  async dispose(): Promise<void> {
    for (const program of this.programs.values()) (await program).dispose();
    for (const embedder of this.embedders.values()) await (await embedder).dispose();
    this.store.dispose();
  }

  /** Compiles once under `key`; kept until the trainer is disposed. */
  private compiled(key: string, make: () => Promise<Program>): Promise<Program> {
    let program = this.programs.get(key);
    if (!program) {
      program = make();
      this.programs.set(key, program);
      program.catch(() => this.programs.delete(key));
    }
    return program;
  }

  private get branches(): number {
    return this.options.loss === "triplet" ? 3 : 2;
  }

  private program(kind: "step" | "gradients", dtype: InputDtype): Promise<Program> {
    return this.compiled(`${kind} ${dtype}`, async () => {
      await this.device.tuner.tune(() => void this.withGradients(this.record(dtype)));
      const { tape, loss } = this.record(dtype);
      if (kind === "step") return tape.compile({ loss, optimizer: this.options.optimizer });
      return tape.compile({ loss, outputs: this.withGradients({ tape, loss }), frozen: true });
    });
  }

  private record(dtype: InputDtype): { tape: Tape; loss: Tensor } {
    const { batchSize, loss } = this.options;
    const tape = new Tape(this.device, { parameters: this.store });
    const count = this.branches * batchSize;
    const pixels = picturesInput(tape, this.network, count, dtype, this.pictures, this.augmenter);
    const embeddings = this.network.tower(tape, pixels, { training: true, groups: this.branches });
    const same = loss === "triplet" ? undefined : tape.input("same", [batchSize]);
    return { tape, loss: this.totalLoss(tape, embeddings, same) };
  }

  /** Records the backward pass; gives the gradients by parameter. */
  private withGradients({ tape, loss }: { tape: Tape; loss: Tensor }): Record<string, Tensor> {
    const trained = [...tape.parameters.values()].filter((p) => p.trainable);
    const found = gradients(loss, trained);
    return Object.fromEntries(trained.map((p, i) => [p.name, found[i]]));
  }

  private totalLoss(tape: Tape, embeddings: Tensor, same: Tensor | undefined): Tensor {
    const { batchSize, loss, l2, margin } = this.options;
    let total: Tensor;
    if (loss === "cross-entropy") {
      total = sigmoidCrossEntropy(this.network.head(tape, embeddings), same!);
    } else {
      const unit = l2Normalize(embeddings);
      const branch = (i: number) => slice(unit, i * batchSize, batchSize);
      total =
        loss === "contrastive"
          ? contrastiveLoss(branch(0), branch(1), same!, { margin })
          : tripletLoss(branch(0), branch(1), branch(2), { margin });
    }
    if (l2 > 0) for (const kernel of this.network.penalised(tape)) total = add(total, l2Penalty(kernel, l2));
    return total;
  }

  private feed(batch: Batch) {
    const { loss, batchSize } = this.options;
    return feed(batch, {
      loss,
      batchSize,
      size: givenSize(this.network.options, this.pictures),
      augmenter: this.augmenter,
    });
  }
}

function difference(a: ArrayLike<number>, b: ArrayLike<number>, term: (d: number, i: number) => number): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += term(a[i] - b[i], i);
  return total;
}
