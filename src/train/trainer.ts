// Trains a network, of either task: steps in flight, nothing waited for, and a state to go on from when the device is lost.

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
import type { Distribution, DistributionOptions } from "./distributed/distribution.ts";
import { type LossOptions, resolveLoss } from "./loss.ts";
import type { Operation } from "./operationLog.ts";
import { Recovery, type RecoveryOptions } from "./recovery.ts";
import { Session } from "./session.ts";
import type { TrainingSpec } from "./trainingSpec.ts";

export type { Recovered, RecoveryOptions } from "./recovery.ts";

export interface TrainerOptions extends PictureOptions, LossOptions, DistributionOptions {
  /** In a step: pairs, triplets, or pictures where all of a batch are compared and for a liveness network. */
  readonly batchSize: number;
  /** Adds l2 * sum(w^2) / 2 for each convolution kernel; 0 by default. */
  readonly l2?: number;
  /** adam() by default. */
  readonly optimizer?: Optimizer;
  /** Changes each picture of a step by random numbers of its own; embedding never does. */
  readonly augmentation?: AugmentationOptions;
  /**
   * How activations and their gradients are kept between the passes: `float16` halves what they take and rounds each to 11
   * bits; arithmetic, weights and moments are float32 always. `float32` by default.
   */
  readonly storage?: "float32" | "float16";
  /** Makes the first block's activations, the largest, again in the backward pass: less memory, a few percent more time. */
  readonly recompute?: boolean;
  /** What becomes of the training when its device is lost: by default it goes on, on another. False ends it. */
  readonly recovery?: RecoveryOptions | false;
  /** Replays a step that is not finite from the last kept state, and names the tensor where that began. */
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
  recovery: 1,
  debugNumerics: 1,
  communicator: 1,
  syncEvery: 1,
  outerMomentum: 1,
};

export class Trainer {
  readonly network: Network;
  readonly options: Omit<TrainingSpec, "network">;
  private diagnosed = false;

  private constructor(
    private readonly spec: TrainingSpec,
    private readonly recovery: Recovery,
    private readonly debugNumerics: boolean,
    /** With other ranks: what is exchanged with them. */
    readonly distribution?: Distribution,
  ) {
    const { network, ...options } = spec;
    this.network = network;
    this.options = options;
  }

  /** Compiles the training step for pictures in bytes; the one for float32 follows when first needed. */
  static async create(device: Device, network: Network, options: TrainerOptions): Promise<Trainer> {
    checkOptions("Trainer", options, trainerOptions);
    const { batchSize, l2 = 0, optimizer = adam(), recovery = {} } = options;
    const { debugNumerics = false } = options;
    if (!Number.isInteger(batchSize) || batchSize < 1) {
      throw new TwingradError(
        "BAD_INPUT",
        `Trainer: batchSize is ${batchSize}; expected a whole number of at least 1.`,
      );
    }
    if (!(l2 >= 0 && l2 < Number.POSITIVE_INFINITY))
      throw new TwingradError("BAD_INPUT", `Trainer: l2 is ${l2}; expected a number of at least 0.`);
    const loss = resolveLoss(options, network);
    const { length: towers } = network.options.towers;
    if (batchSize % towers !== 0) {
      const what = `batchSize is ${batchSize}; expected a multiple of ${towers}, as each tower takes a part of its own`;
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
    const spec: TrainingSpec = { network, batchSize, ...loss, l2, optimizer, pictures, augmenter, storage, recompute };
    if (options.communicator) {
      // It cannot go on alone when its device is lost: the job ends, and is resumed from a checkpoint.
      const { distributed } = await import("./distributed/distribution.ts");
      const own = distributed(spec, options);
      const session = await Session.open(device, own.spec);
      const distribution = own.open(session);
      const trainer = new Trainer(own.spec, new Recovery(session, undefined, false), false, distribution);
      await distribution.begin(trainer);
      return trainer;
    }
    return new Trainer(
      spec,
      new Recovery(await Session.open(device, spec), recovery || undefined, debugNumerics),
      debugNumerics,
    );
  }

  /** The device that it trains on now: another than it was created on, once that one was lost. */
  get device(): Device {
    return this.recovery.session.device;
  }

  get store(): ParameterStore {
    return this.recovery.session.store;
  }

  /** Steps taken so far, those of a loaded checkpoint included. */
  get steps(): number {
    return this.store.step;
  }

  /**
   * One update. `loss` is the total, the L2 penalty included; `step` counts from 1. Call it again without awaiting:
   * a few steps are in flight and settle in order. A batch's arrays may be reused at once, except `stacked` and its
   * parts. Throws `NOT_FINITE` where the loss or a gradient is NaN or infinite: the parameters are lost then, load an
   * earlier state. With a communicator every rank takes the step, each with a batch of its own.
   */
  async step(batch: Batch): Promise<{ loss: number; step: number }> {
    const { dtype, inputs } = this.feed(batch);
    const bytes = Object.values(inputs).reduce((n, { byteLength }) => n + byteLength, 0);
    const { loss, step, finite } = await this.recovery.change(
      async (session) => {
        const program = await session.program("step", dtype);
        return this.distribution ? this.distribution.step(program, inputs) : program.start(inputs);
      },
      { bytes },
    );
    if (!finite) throw new NotFiniteError(step, loss, await this.diagnose(step, dtype, inputs));
    return { loss, step };
  }

  /** The total loss (under "loss") and its gradients by parameter; updates nothing. */
  async gradients(batch: Batch): Promise<Map<string, Float32Array>> {
    const { dtype, inputs } = this.feed(batch);
    const { loss, ...found } = await this.recovery.ask(async (session) =>
      (await session.program("gradients", dtype)).start(inputs),
    );
    return new Map([["loss", new Float32Array([loss])], ...Object.entries(found as Record<string, Float32Array>)]);
  }

  /** Nanoseconds of each kernel in one step on this batch, which counts as a step. Exchanges nothing with other ranks. */
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

  /** Every parameter, the moving averages included. Reads and writes keep their place among the steps. */
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
   * A checkpoint: weights, moving averages, optimizer state, step and the network's options, as safetensors with a digest
   * of the whole. `metadata` goes in beside them: where the data stream stands, the configuration.
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
    };
    return this.recovery.ask(async ({ store }) => ({ result: saveState(store, model, this.spec.optimizer, metadata) }));
  }

  /**
   * Takes a checkpoint's state. Throws `CORRUPT_FILE` for damaged bytes and `CHECKPOINT_MISMATCH` where a tensor does not
   * fit or the file is of another task or optimizer, and changes nothing then. With a communicator every rank loads the same.
   */
  load(bytes: Uint8Array): Promise<void> {
    return this.recovery.change(
      async ({ store }) => {
        await loadState(store, bytes, { task: this.network.task, optimizer: this.spec.optimizer });
        this.distribution?.replaced();
        return { result: Promise.resolve() };
      },
      { bytes: bytes.length, replaces: true },
    );
  }

  /**
   * Compiles the tower with inference statistics; the function it gives embeds any number of pictures, `batchSize` at a
   * time, and returns [N, embedding]. It uses the trainer's weights as they are at each call.
   */
  async embedder(options: { readonly batchSize?: number } = {}): Promise<(images: Pictures) => Promise<Float32Array>> {
    const { batchSize = 2 * this.options.batchSize } = options;
    await this.recovery.ask(async (session) => ({ result: session.embedder(batchSize) }));
    return (images) =>
      this.recovery.ask(async (session) => ({ result: (await session.embedder(batchSize)).embed(images) }));
  }

  /**
   * Runs `work`, which makes what it needs on the device itself, and runs it again on another when the device is lost
   * meanwhile.
   */
  withDevice<T>(work: (device: Device) => Promise<T>): Promise<T> {
    return this.recovery.ask(async ({ device }) => ({ result: work(device) }));
  }

  /**
   * What the network makes of two embeddings: larger means more alike. With cross-entropy the head's logit, positive
   * for "the same person"; else minus the Euclidean distance. Uses the weights as they are now.
   */
  async scorer(): Promise<(a: ArrayLike<number>, b: ArrayLike<number>) => number> {
    if (this.network.task === "liveness") {
      throw new TwingradError(
        "BAD_INPUT",
        "Trainer: a liveness network compares no embeddings; LivenessModel tells its scores.",
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

  /** Frees all that the trainer holds on the device, which stays open; one that it opened itself it disposes of. */
  dispose(): Promise<void> {
    this.distribution?.dispose();
    return this.recovery.dispose();
  }

  /** Where the first step that was not finite went wrong; those in flight behind it have their trouble from it. */
  private async diagnose(step: number, dtype: InputDtype, inputs: Record<string, Pictures>) {
    if (!this.debugNumerics || this.diagnosed) return undefined;
    this.diagnosed = true;
    const found = await this.recovery.before(step, async (session) =>
      (await session.program("step", dtype)).trace(inputs),
    );
    return found ? describeNotFinite(found) : "a replay of the step from the last kept state was finite";
  }

  private write(name: string, values: Float32Array): Promise<void> {
    return this.recovery.change(
      async ({ store }) => {
        store.write(name, values);
        this.distribution?.replaced();
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
