// Trains a network for either task: steps in flight without waiting, and a state to resume from if the device is lost.

import type { Batch, Pictures } from "../data/batch.ts";
import { NotFiniteError, TwingradError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import { describeNotFinite } from "../gpu/diagnosis/notFinite.ts";
import type { KernelTime, Memory, Program } from "../gpu/program.ts";
import type { ModelDescription } from "../model/description.ts";
import { loadState, saveState } from "../model/modelFile.ts";
import { givenSize, type InputDtype, type PictureOptions, picturesSaid } from "../model/pictures.ts";
import type { Network } from "../nn/network.ts";
import { adam } from "../optim/adam.ts";
import { checkOptions, type Known } from "../options.ts";
import type { Optimizer } from "../tape/optimizer.ts";
import type { ParameterStore } from "../tape/parameters.ts";
import { type AugmentationOptions, Augmenter } from "./augmenter.ts";
import { feed } from "./batch.ts";
import type { Distribution, DistributionOptions, RankExchange } from "./distributed/distribution.ts";
import { type FineTuningOptions, frozenParameters, type InitialWeights, initialWeights } from "./fineTuning.ts";
import { type LossOptions, resolveLoss } from "./loss.ts";
import type { Operation } from "./operationLog.ts";
import { Recovery, type RecoveryOptions } from "./recovery.ts";
import { Session } from "./session.ts";
import type { TrainingSpec } from "./trainingSpec.ts";

export type { Recovered, RecoveryOptions } from "./recovery.ts";

/** Options of `Trainer.create`. */
export interface TrainerOptions extends PictureOptions, LossOptions, FineTuningOptions, DistributionOptions {
  /** Per step: pairs, triplets, or pictures for a liveness network and for losses that compare all of a batch. */
  readonly batchSize: number;
  /** Adds l2 * sum(w^2) / 2 for each convolution kernel that is trained. @default 0 */
  readonly l2?: number;
  /**
   * The update rule.
   * @default adam()
   */
  readonly optimizer?: Optimizer;
  /** Changes each picture of a step by its own random numbers; embedding is never augmented. */
  readonly augmentation?: AugmentationOptions;
  /**
   * How activations and their gradients are stored between the passes: `float16` halves their memory and rounds them to
   * 11 bits; arithmetic, weights and moments are always float32.
   * @default "float32"
   */
  readonly storage?: "float32" | "float16";
  /**
   * Recomputes the activations of the first block, which are the largest, in the backward pass: less memory, a few
   * percent more time.
   */
  readonly recompute?: boolean;
  /** What to do if the device is lost: by default training continues on another. False ends it. */
  readonly recovery?: RecoveryOptions | false;
  /** Replays a step with non-finite values from the last kept state, and names the first such tensor. */
  readonly debugNumerics?: boolean;
}

const trainerOptions: Known<TrainerOptions> = {
  batchSize: 1,
  loss: 1,
  mining: 1,
  margin: 1,
  temperature: 1,
  l2: 1,
  optimizer: 1,
  sourceSize: 1,
  resize: 1,
  standardize: 1,
  crop: 1,
  alignment: 1,
  views: 1,
  augmentation: 1,
  storage: 1,
  recompute: 1,
  init: 1,
  freeze: 1,
  recovery: 1,
  debugNumerics: 1,
  communicator: 1,
  syncEvery: 1,
  outerMomentum: 1,
  overlap: 1,
};

/**
 * Trains a network: compiles its step once and replays it for each batch, continues on another device if one is lost,
 * saves and loads checkpoints.
 * @example
 * ```ts
 * const network = siamese({ imageSize: [56, 46, 1], filters: [16, 32, 32], embedding: 128, seed: 1 });
 * const trainer = await Trainer.create(device, network, { batchSize: 8, optimizer: adam({ learningRate: 1e-3 }) });
 * const stream = batches(new DecodedImages(dataset, [56, 46, 1]), balancedPairs(labels, { seed: 1 }), { batchSize: 8 });
 * for await (const batch of stream) {
 *   const { loss, step } = await trainer.step(batch);
 *   if (step === 600) break;
 * }
 * const bytes = await trainer.save();
 * await trainer.dispose();
 * ```
 */
export class Trainer {
  /** The network in training. */
  readonly network: Network;
  /** With all defaults filled in. */
  readonly options: Omit<TrainingSpec, "network">;
  private diagnosed = false;
  /** Fingerprint of the model that the weights were initialized from. */
  private init: string | undefined;

  private constructor(
    private readonly spec: TrainingSpec,
    private readonly recovery: Recovery,
    private readonly debugNumerics: boolean,
    private readonly exchange: RankExchange | undefined,
  ) {
    const { network, ...options } = spec;
    this.network = network;
    this.options = options;
  }

  /** Compiles the training step for pictures in bytes; the one for float32 is compiled on first use. */
  static async create(device: Device, network: Network, options: TrainerOptions): Promise<Trainer> {
    checkOptions("Trainer", options, trainerOptions);
    const { batchSize, l2 = 0, optimizer = adam(), recovery = {} } = options;
    const { debugNumerics = false } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new TwingradError("BAD_INPUT", `Trainer: batchSize is ${batchSize}; expected an integer of at least 1.`);
    }
    if (!(l2 >= 0 && l2 < Number.POSITIVE_INFINITY))
      throw new TwingradError("BAD_INPUT", `Trainer: l2 is ${l2}; expected a number of at least 0.`);
    const loss = resolveLoss(options, network);
    const { length: towers } = network.options.towers;
    if (batchSize % towers !== 0) {
      const what = `batchSize is ${batchSize}; expected a multiple of ${towers}, since each tower takes its own part`;
      throw new TwingradError("BAD_INPUT", `Trainer: ${what}.`);
    }
    const { resize = "area", augmentation } = options;
    const pictures = picturesSaid(options);
    const [sourceHeight, sourceWidth] = givenSize(network.options, pictures);
    const { imageSize, patch } = network.options;
    const [source, whole] = [[sourceHeight, sourceWidth] as const, [imageSize[0], imageSize[1]] as const];
    const augmenter =
      augmentation || patch > 0 ? new Augmenter(augmentation ?? {}, source, whole, resize, patch) : undefined;
    const { storage = "float32", recompute = false } = options;
    if (!["float32", "float16"].includes(storage)) {
      throw new TwingradError("BAD_INPUT", `Trainer: storage is "${storage}"; expected float32 or float16.`);
    }
    const unfrozen: TrainingSpec = {
      network,
      batchSize,
      ...loss,
      l2,
      optimizer,
      pictures,
      augmenter,
      storage,
      recompute,
    };
    const { init, freeze } = options;
    const parameters = init || freeze ? Session.parameters(device, unfrozen) : [];
    const frozen = freeze && frozenParameters(freeze, parameters);
    const initial = init && (await initialWeights(init, network, parameters));
    const unshared = frozen ? { ...unfrozen, frozen } : unfrozen;
    const ranks =
      options.communicator && (await import("./distributed/distribution.ts")).distributed(unshared, options);
    const spec = ranks?.spec ?? unshared;
    const session = await Session.open(device, spec, ranks?.agree);
    const exchange = ranks?.open(session);
    // A rank whose device is lost cannot recover alone: the job ends, and is resumed from a checkpoint.
    const lost = (!exchange && recovery) || undefined;
    const trainer = new Trainer(spec, new Recovery(session, lost, debugNumerics), debugNumerics, exchange);
    if (initial) await trainer.begin(initial);
    await exchange?.begin(trainer);
    return trainer;
  }

  /** The device that it trains on now: after a lost device, not the one that it was created on. */
  get device(): Device {
    return this.recovery.session.device;
  }

  /** The parameters on the current device. */
  get store(): ParameterStore {
    return this.recovery.session.store;
  }

  /** With a communicator: the time that exchanges with other ranks have taken, and the steps between them. */
  get distribution(): Distribution | undefined {
    return this.exchange;
  }

  /** Steps taken so far, including those of a loaded checkpoint. */
  get steps(): number {
    return this.store.step;
  }

  /**
   * One update. `loss` is the total loss, with the L2 penalty; `step` counts from 1. Call it again without awaiting: a
   * few steps are in flight, and settle in order. A batch's arrays may be reused at once, except `stacked` and its
   * parts. Throws `NOT_FINITE` if the loss or a gradient is NaN or infinite: the parameters are then invalid, so load
   * an earlier state. With a communicator, every rank takes the step, each with its own batch.
   */
  async step(batch: Batch): Promise<{ loss: number; step: number }> {
    const { dtype, inputs } = this.feed(batch);
    const bytes = Object.values(inputs).reduce((n, { byteLength }) => n + byteLength, 0);
    const { loss, step, finite } = await this.recovery.change(
      async (session) => {
        const program = await session.program("step", dtype);
        return this.exchange ? this.exchange.step(program, inputs) : program.start(inputs);
      },
      { bytes },
    );
    if (!finite) throw new NotFiniteError(step, loss, await this.diagnose(step, dtype, inputs));
    return { loss, step };
  }

  /**
   * With local steps (`syncEvery` above 1): averages the state of all ranks, so that all of them hold the same state,
   * for example before `save`. Every rank calls it after the same step. It does nothing without other ranks and in
   * exact mode.
   */
  synchronize(): Promise<void> {
    return this.recovery.ask(async () => {
      await this.exchange?.synchronize();
      return { result: Promise.resolve() };
    });
  }

  /** The total loss (under "loss") and its gradients by parameter; updates nothing. */
  async gradients(batch: Batch): Promise<Map<string, Float32Array>> {
    const { dtype, inputs } = this.feed(batch);
    const { loss, ...found } = await this.recovery.ask(async (session) =>
      (await session.program("gradients", dtype)).start(inputs),
    );
    return new Map([["loss", new Float32Array([loss])], ...Object.entries(found as Record<string, Float32Array>)]);
  }

  /**
   * Nanoseconds of each kernel in one step on this batch, which counts as a step. Exchanges nothing with other ranks.
   */
  async profile(batch: Batch): Promise<KernelTime[]> {
    const { dtype, inputs } = this.feed(batch);
    const profiled: Operation<KernelTime[]> = async (session) => ({
      result: (await session.program("step", dtype)).profile(inputs),
    });
    return this.recovery.change(profiled, { bytes: inputs.images.byteLength });
  }

  /** The launches of one step on pictures in bytes. */
  async launches(): Promise<Program["launches"]> {
    return (await this.recovery.session.program("step", "u8")).launches;
  }

  /** Planned bytes of the training step on pictures in bytes. */
  async memory(): Promise<Memory> {
    return (await this.recovery.session.program("step", "u8")).memory();
  }

  /** Every parameter, moving averages included. Reads and writes are ordered with the steps. */
  parameters() {
    return new Map(
      this.store.list().map(({ name, shape, trainable }) => [
        name,
        {
          shape: [...shape],
          trainable,
          read: () => this.recovery.ask(async ({ store }) => ({ result: store.read(name) })),
          write: (values: ArrayLike<number>) => this.write(name, Float32Array.from(values)),
        },
      ]),
    );
  }

  /**
   * A checkpoint: weights, moving averages, optimizer state, step and the network's options, as safetensors with a
   * digest of the whole. `metadata` is added: the position of the data stream, the configuration.
   */
  save(metadata?: Record<string, string>): Promise<Uint8Array> {
    const { loss, mining, margin, temperature, pictures } = this.options;
    const model: ModelDescription = {
      task: this.network.task,
      network: this.network.options,
      loss,
      ...(mining !== "none" && { mining }),
      margin,
      ...(loss === "supervised-contrastive" && { temperature }),
      pictures,
      ...(this.init !== undefined && { init: this.init }),
    };
    return this.recovery.ask(async ({ store }) => ({ result: saveState(store, model, this.spec.optimizer, metadata) }));
  }

  /**
   * Loads a checkpoint. Throws `CORRUPT_FILE` for damaged bytes, and `CHECKPOINT_MISMATCH` if a tensor does not fit or
   * the file is of another task or optimizer; nothing is changed then. With a communicator, every rank loads the same
   * checkpoint.
   */
  load(bytes: Uint8Array): Promise<void> {
    return this.recovery.change(
      async ({ store }) => {
        const saved = await loadState(store, bytes, { task: this.network.task, optimizer: this.spec.optimizer });
        this.init = saved.init;
        await this.exchange?.replaced();
        return { result: Promise.resolve() };
      },
      { bytes: bytes.length, replaces: true },
    );
  }

  /**
   * Compiles the tower with inference statistics. The returned function embeds any number of pictures, `batchSize` at a
   * time, as [N, embedding], with the trainer's weights at each call.
   */
  async embedder(options: { readonly batchSize?: number } = {}): Promise<(images: Pictures) => Promise<Float32Array>> {
    checkOptions("embedder", options, { batchSize: 1 });
    const { batchSize = 2 * this.options.batchSize } = options;
    await this.recovery.ask(async (session) => ({ result: session.embedder(batchSize) }));
    return (images) =>
      this.recovery.ask(async (session) => ({ result: (await session.embedder(batchSize)).embed(images) }));
  }

  /**
   * Runs `work`, which creates its own device objects, and runs it again on another device if this one is lost
   * meanwhile.
   */
  withDevice<T>(work: (device: Device) => Promise<T>): Promise<T> {
    return this.recovery.ask(async ({ device }) => ({ result: work(device) }));
  }

  /**
   * The score of two embeddings: larger means more similar. With cross-entropy it is the head's logit, positive for a
   * genuine pair; otherwise minus the Euclidean distance. Uses the current weights.
   */
  async scorer(): Promise<(a: ArrayLike<number>, b: ArrayLike<number>) => number> {
    if (this.network.task === "liveness") {
      throw new TwingradError(
        "BAD_INPUT",
        "Trainer: a liveness network does not compare embeddings; use LivenessModel for its scores.",
      );
    }
    if (this.options.loss !== "cross-entropy") {
      return (a, b) => -Math.sqrt(difference(a, b, (d) => d * d));
    }
    const parameters = this.parameters();
    const kernel = await parameters.get("head/kernel")!.read();
    const [bias] = await parameters.get("head/bias")!.read();
    return (a, b) => bias + difference(a, b, (d, i) => kernel[i] * Math.abs(d));
  }

  /**
   * Frees the trainer's resources on the device, which stays open; a device that the trainer opened itself is disposed
   * of.
   */
  dispose(): Promise<void> {
    this.exchange?.dispose();
    return this.recovery.dispose();
  }

  /** Where the first step with non-finite values failed; later steps in flight follow from it. */
  private async diagnose(step: number, dtype: InputDtype, inputs: Record<string, Pictures>) {
    if (!this.debugNumerics || this.diagnosed) return undefined;
    this.diagnosed = true;
    const found = await this.recovery.before(step, async (session) =>
      (await session.program("step", dtype)).trace(inputs),
    );
    return found ? describeNotFinite(found) : "a replay of the step from the last kept state was finite";
  }

  /** Runs as an operation of the log, so that a replacement device gets the same weights. */
  private begin({ model, values }: InitialWeights): Promise<void> {
    this.init = model;
    return this.recovery.change(
      async ({ store }) => {
        for (const [name, data] of values) store.write(name, data);
        return { result: Promise.resolve() };
      },
      { bytes: [...values.values()].reduce((sum, { byteLength }) => sum + byteLength, 0) },
    );
  }

  private write(name: string, values: Float32Array): Promise<void> {
    return this.recovery.change(
      async ({ store }) => {
        store.write(name, values);
        await this.exchange?.replaced();
        return { result: Promise.resolve() };
      },
      { bytes: values.byteLength },
    );
  }

  private feed(batch: Batch) {
    const { task, options } = this.network;
    return feed(batch, { ...this.spec, task, size: givenSize(options, this.spec.pictures) });
  }
}

function difference(a: ArrayLike<number>, b: ArrayLike<number>, term: (d: number, i: number) => number): number {
  let total = 0;
  for (let i = 0; i < a.length; i++) total += term(a[i] - b[i], i);
  return total;
}
