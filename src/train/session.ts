// The part of a trainer on one device: its parameters and compiled programs. It is lost with the device, and is
// recreated on another.

import { ResourceError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import type { Program } from "../gpu/program.ts";
import { type Embedder, towerEmbedder } from "../model/embedder.ts";
import { type InputDtype, picturesInput } from "../model/pictures.ts";
import { add } from "../ops/add.ts";
import { scale } from "../ops/scale.ts";
import { slice } from "../ops/slice.ts";
import { l2Penalty } from "../ops/sum.ts";
import { gradients } from "../tape/gradients.ts";
import { ParameterStore } from "../tape/parameters.ts";
import { type CompileOptions, lowerTape, planProgram } from "../tape/plan.ts";
import { Tape } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";
import { batchFields } from "./batch.ts";
import { batchLoss } from "./loss.ts";
import { whatWouldFit } from "./memoryAdvice.ts";
import type { TrainingSpec } from "./trainingSpec.ts";

export class Session {
  readonly device: Device;
  readonly spec: TrainingSpec;
  readonly store: ParameterStore;
  private readonly programs = new Map<string, Promise<Program>>();
  private readonly embedders = new Map<number, Promise<Embedder>>();
  /** Whether kernels are timed before a program is compiled. */
  private times = true;

  private constructor(device: Device, spec: TrainingSpec) {
    this.device = device;
    this.spec = spec;
    this.store = new ParameterStore(device, spec.frozen);
  }

  /**
   * Compiles the training step for pictures in bytes; other programs are compiled on first use.
   * @param agree called before, with a function that times the step's kernels: whether this session may time kernels.
   */
  static async open(
    device: Device,
    spec: TrainingSpec,
    agree?: (device: Device, time: () => Promise<void>) => Promise<boolean>,
  ): Promise<Session> {
    const before = device.live().bytes;
    const session = new Session(device, spec);
    try {
      Session.plan(device, spec); // throws early if it does not fit, before any kernel is timed
      if (agree) session.times = await agree(device, () => session.tune("step", "u8"));
      await session.program("step", "u8");
    } catch (error) {
      session.store.dispose();
      if (!(error instanceof ResourceError)) throw error;
      throw whatWouldFit(error, spec, before, (other) => Session.plan(device, other));
    }
    return session;
  }

  /** Planned bytes of a training step, without creating it. Throws `LIMIT` if the adapter could not hold it. */
  static plan(device: Device, spec: TrainingSpec): number {
    const { tape, loss } = new Session(device.planning(), spec).record("u8");
    return planProgram(tape, { loss, optimizer: spec.optimizer }).memory.total;
  }

  /** The parameters of a training session, without opening it. */
  static parameters(device: Device, spec: TrainingSpec): ReturnType<ParameterStore["list"]> {
    const session = new Session(device.planning(), spec);
    session.record("u8");
    return session.store.list();
  }

  /** `step` updates; `gradients` returns the loss and all gradients without an update. Compiled once for each dtype. */
  program(kind: "step" | "gradients", dtype: InputDtype): Promise<Program> {
    return kept(this.programs, `${kind} ${dtype}`, async () => {
      await this.tune(kind, dtype);
      const { tape, options } = this.recordProgram(kind, dtype);
      return tape.compile(options);
    });
  }

  private async tune(kind: "step" | "gradients", dtype: InputDtype): Promise<void> {
    if (!this.times) return;
    await this.device.tuner.tune(() => {
      const { tape, options } = this.recordProgram(kind, dtype);
      lowerTape(tape, options);
    });
  }

  private recordProgram(kind: "step" | "gradients", dtype: InputDtype): { tape: Tape; options: CompileOptions } {
    const { tape, loss } = this.record(dtype);
    if (kind === "step") return { tape, options: { loss, optimizer: this.spec.optimizer } };
    return { tape, options: { loss, outputs: withGradients(tape, loss), frozen: true } };
  }

  embedder(batchSize: number): Promise<Embedder> {
    const { device, store, spec } = this;
    const { network, loss, pictures } = spec;
    return kept(this.embedders, batchSize, async () => {
      // Evaluation embeds many pictures: one program, padded at the end, instead of further programs for the rest.
      const sizes = [batchSize];
      const embedder = towerEmbedder({ device, store, network, loss, sizes, pictures, tune: false });
      await embedder.compile(batchSize, "bytes");
      return embedder;
    });
  }

  async dispose(): Promise<void> {
    for (const program of this.programs.values()) (await program).dispose();
    for (const embedder of this.embedders.values()) await (await embedder).dispose();
    this.store.dispose();
  }

  private record(dtype: InputDtype): { tape: Tape; loss: Tensor } {
    const { network, batchSize, pictures, augmenter, storage, recompute } = this.spec;
    const tape = new Tape(this.device, { parameters: this.store, storage, recompute });
    const { branches, target } = batchFields({ ...this.spec, task: network.task });
    const count = branches.length * batchSize;
    const change = augmenter && ((images: Tensor) => augmenter.record(images));
    const pixels = picturesInput(tape, network, count, dtype, pictures, { change });
    const targets = target && tape.input(target.name, [batchSize]);
    const { length: towers } = network.options.towers;
    const losses = Array.from({ length: towers }, (_, index) => {
      const part = (x: Tensor) => (towers === 1 ? x : slice(x, (index * x.shape[0]) / towers, x.shape[0] / towers));
      const mode = { training: true, groups: branches.length, index };
      const embeddings = network.tower(tape, part(pixels), mode);
      return batchLoss(this.spec, network, tape, embeddings, targets && part(targets));
    });
    const data = losses.reduce((sum, loss) => add(sum, loss));
    return { tape, loss: this.withPenalties(tape, towers === 1 ? data : scale(data, 1 / towers)) };
  }

  private withPenalties(tape: Tape, loss: Tensor): Tensor {
    const { network, l2 } = this.spec;
    let total = loss;
    if (l2 === 0) return total;
    // The penalty on a frozen kernel is a constant, which would cost launches at each step.
    const trained = network.penalised(tape).filter(({ trainable }) => trainable);
    for (const kernel of trained) total = add(total, l2Penalty(kernel, l2));
    return total;
  }
}

/** The gradients by parameter. */
function withGradients(tape: Tape, loss: Tensor): Record<string, Tensor> {
  const trained = [...tape.parameters.values()].filter((p) => p.trainable);
  const found = gradients(loss, trained);
  return Object.fromEntries(trained.map((p, i) => [p.name, found[i]]));
}

/** Created once under `key`, unless that fails. */
function kept<K, T>(made: Map<K, Promise<T>>, key: K, make: () => Promise<T>): Promise<T> {
  let value = made.get(key);
  if (!value) {
    value = make();
    made.set(key, value);
    value.catch(() => made.delete(key));
  }
  return value;
}
