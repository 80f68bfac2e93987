// The distributed part of a trainer: averages the gradients of all ranks in each step, or their parameters every N
// steps. It is loaded if a communicator is given.
import { TwingradError } from "../../errors.ts";
import type { Device } from "../../gpu/device.ts";
import type { BufferRange, InputValues } from "../../gpu/dispatch.ts";
import { type DividedStep, divideStep, submitDivided } from "../../gpu/exchange/dividedStep.ts";
import { type Exchange, MessageRing, messagesOf } from "../../gpu/exchange/messages.ts";
import type { Program } from "../../gpu/program.ts";
import { readBuffer } from "../../gpu/readback.ts";
import type { TuningTable } from "../../gpu/tunerTable.ts";
import type { Arena, ParameterStore } from "../../tape/parameters.ts";
import { sizeOf } from "../../tape/tensor.ts";
import type { Session } from "../session.ts";
import type { TrainingSpec } from "../trainingSpec.ts";
import { BackgroundMean } from "./backgroundMean.ts";
import { broadcast, type Communicator } from "./communicator.ts";
import { expectSame } from "./expectSame.ts";

/** Nesterov momentum on the change of the parameters in each round of local steps: DiLoCo (Douillard et al. 2023). */
export interface OuterMomentum {
  /** 0.7 by default. */
  readonly learningRate?: number;
  /** 0.9 by default. */
  readonly momentum?: number;
}

export interface DistributionOptions {
  /**
   * Connects this process to the other ranks; without it, it trains alone. Every rank creates the same trainer. The
   * trainer then uses the communicator, also between steps: for your own calls, create a `duplicate` first.
   */
  readonly communicator?: Communicator;
  /**
   * Steps between exchanges. 1 (the default) averages the gradients of all ranks in each step. N lets each rank step
   * alone, and averages parameters, moving averages and moments every N steps.
   */
  readonly syncEvery?: number;
  /** With `syncEvery` above 1: momentum over the averaged parameters. No momentum by default. */
  readonly outerMomentum?: OuterMomentum;
  /**
   * With `syncEvery` N above 1: exchanges a copy of the parameters while the next N steps are computed, and then adds
   * the difference between the mean and this rank's copy. Moments and moving averages are averaged only by
   * `Trainer.synchronize`.
   * @default false
   */
  readonly overlap?: boolean;
}

/** The exchange with the other ranks: `Trainer.distribution`. */
export interface Distribution {
  /**
   * Seconds that this rank has waited for other ranks so far; with `overlap`, only those without work on the device.
   */
  readonly seconds: number;
  /** Steps between exchanges. It may be changed on all ranks after the same step, when they are synchronized. */
  syncEvery: number;
}

/** Small, so that the first complete gradients are sent early; large enough that latency hardly matters. */
const messageBytes = 2 ** 20;

const outerVelocity = "outer velocity";

/** The spec for a rank's session, and a function that opens its exchange. */
export function distributed(spec: TrainingSpec, options: DistributionOptions & { readonly debugNumerics?: boolean }) {
  const refuse = (what: string): never => {
    throw new TwingradError("BAD_INPUT", `Trainer: ${what}.`);
  };
  const { syncEvery = 1, outerMomentum, overlap = false, debugNumerics } = options;
  const { learningRate = 0.7, momentum = 0.9 } = outerMomentum ?? {};
  if (!(Number.isInteger(syncEvery) && syncEvery >= 1))
    refuse(`syncEvery is ${syncEvery}; expected a whole number of at least 1`);
  if (outerMomentum && syncEvery === 1) refuse("outerMomentum is for local steps; expected syncEvery above 1");
  if (overlap && syncEvery === 1) refuse("overlap is for local steps; expected syncEvery above 1");
  if (!(learningRate > 0 && learningRate < Number.POSITIVE_INFINITY))
    refuse(`outerMomentum.learningRate is ${learningRate}; expected a number above 0`);
  if (!(momentum >= 0 && momentum < 1))
    refuse(`outerMomentum.momentum is ${momentum}; expected a number of at least 0 and below 1`);
  if (debugNumerics)
    refuse("debugNumerics replays steps, which one rank cannot do alone; leave it out with a communicator");
  const outer = outerMomentum && { learningRate, momentum };
  return {
    spec: outer ? withOuterVelocity(spec) : spec,
    agree: (device: Device, time: () => Promise<void>) => shareKernels(device, options.communicator!, time),
    open: (session: Session) => new RankExchange(session, options.communicator!, { syncEvery, outer, overlap }),
  };
}

/**
 * Rank 0 times kernels, and the others take its choices: their results, and so those of all ranks, depend on them in the
 * last bits. Whether this rank may time kernels.
 */
async function shareKernels(
  { tuner }: Device,
  communicator: Communicator,
  time: () => Promise<void>,
): Promise<boolean> {
  if (communicator.size === 1) return true;
  const isFirst = communicator.rank === 0;
  if (isFirst) await time();
  const own = isFirst ? new TextEncoder().encode(JSON.stringify(tuner.table())) : undefined;
  const chosen = await broadcast(communicator, own);
  if (!isFirst) tuner.adopt(JSON.parse(new TextDecoder().decode(chosen)) as TuningTable);
  return isFirst;
}

/** The velocity of the outer momentum is saved and loaded with the optimizer's moments. */
function withOuterVelocity({ optimizer, ...spec }: TrainingSpec): TrainingSpec {
  const { name, states } = optimizer;
  return {
    ...spec,
    optimizer: { ...optimizer, name: `${name} with outer momentum`, states: [...states, outerVelocity] },
  };
}

/** A distributed trainer's exchange with the other ranks; the trainer calls it. */
export class RankExchange implements Distribution {
  seconds = 0;
  syncEvery: number;
  private readonly outer: Required<OuterMomentum> | undefined;
  private readonly overlap: boolean;
  private readonly divided = new WeakMap<Program, DividedStep>();
  private readonly ring: MessageRing;
  /** With overlap. */
  private background: BackgroundMean | undefined;
  /** The step of the last exchange, or of the one in flight. */
  private synchronized: number;
  /** With outer momentum: for each arena, the parameters after the last exchange, and the velocity. */
  private anchors: Map<Arena, { values: Float32Array; velocity: Float32Array }> | undefined;
  /** When the trainer began to wait for the exchange, in milliseconds; infinite while it runs in the background. */
  private waitingSince = 0;
  /** Local steps in flight on the device, and when a step last completed. */
  private inFlight = 0;
  private idleSince = 0;

  constructor(
    private readonly session: Session,
    private readonly communicator: Communicator,
    { syncEvery, outer, overlap }: { syncEvery: number; outer: Required<OuterMomentum> | undefined; overlap: boolean },
  ) {
    this.syncEvery = syncEvery;
    this.outer = outer;
    this.overlap = overlap;
    this.ring = new MessageRing(session.device, messageBytes);
    this.synchronized = this.store.step;
  }

  /** Brings all ranks to the state of rank 0. */
  async begin(trainer: { save(): Promise<Uint8Array>; load(bytes: Uint8Array): Promise<void> }): Promise<void> {
    await this.checkSame();
    if (this.overlap) this.background = await BackgroundMean.open(this.store, this.ring);
    const { rank, size } = this.communicator;
    if (size === 1) return;
    const state = await broadcast(this.communicator, rank === 0 ? await trainer.save() : undefined);
    if (rank > 0) await trainer.load(state);
  }

  /** @throws BAD_INPUT on every rank if the ranks' networks or options differ. */
  private async checkSame(): Promise<void> {
    const { batchSize, loss, mining, margin, temperature, l2, optimizer, pictures, storage } = this.session.spec;
    const own = {
      network: this.session.spec.network.options,
      parameters: this.store.list().map(({ name, shape }) => `${name} ${shape.join("x")}`),
      ...{ batchSize, loss, mining, margin, temperature, l2, optimizer: optimizer.name, pictures, storage },
      ...{ syncEvery: this.syncEvery, outerMomentum: this.outer, overlap: this.overlap },
    };
    await expectSame(this.communicator, own);
  }

  /** Starts one step of this rank, with the exchanges that are due. */
  async step(program: Program, inputs: InputValues) {
    if (this.syncEvery === 1) {
      return program.start(inputs, async (parts) => {
        const exchange: Exchange = (values) => this.mean(values);
        const division = { ring: this.ring, most: messageBytes, kept: this.kept(), exchange };
        let divided = this.divided.get(program);
        if (!divided) {
          divided = divideStep(parts, division);
          this.divided.set(program, divided);
        }
        await submitDivided(parts, divided, division);
        this.synchronized = this.store.step;
      });
    }
    await this.anchored();
    // Before this step, not after the last one: a checkpoint in between has exchanged everything already.
    if (this.background && this.isDue) await this.exchangeInBackground(this.background);
    const started = await program.start(inputs);
    this.inFlight++;
    const ended = () => {
      this.inFlight--;
      this.idleSince = performance.now();
    };
    started.result.then(ended, ended);
    if (!this.background && this.isDue) await this.synchronize();
    return started;
  }

  /** Whether an exchange is due after the last step. */
  private get isDue(): boolean {
    return this.store.step % this.syncEvery === 0 && this.store.step !== this.synchronized;
  }

  /** Adds the result of the last exchange, and starts the next. */
  private async exchangeInBackground(background: BackgroundMean): Promise<void> {
    await this.endExchange(() => background.end());
    this.waitingSince = Number.POSITIVE_INFINITY;
    const mean = async (values: Float32Array, arena: Arena, first: number) => {
      await this.mean(values);
      this.accelerate(arena, first, values);
    };
    background.begin(mean, messageBytes);
    this.synchronized = this.store.step;
  }

  /**
   * Averages the state of all ranks, if they have stepped since the last exchange. Every rank calls it after the same
   * step.
   */
  async synchronize(): Promise<void> {
    if (this.synchronized === this.store.step && !this.background?.isUnderWay) return;
    await this.endExchange(() => this.background?.end());
    const { arenas, device } = this.store;
    const whole = ({ bytes }: Arena, buffer: GPUBuffer): BufferRange => ({ buffer, offset: 0, size: bytes });
    const moments = arenas.flatMap((arena) =>
      [...arena.state].filter(([name]) => name !== outerVelocity).map(([, buffer]) => whole(arena, buffer)),
    );
    const ranges = [...arenas.map((arena) => whole(arena, arena.values)), ...moments, ...this.kept()];
    const exchange: Exchange = async (values, { ranges: exchanged }) => {
      await this.mean(values);
      let at = 0;
      for (const { buffer, offset, size } of exchanged) {
        const arena = arenas.find((one) => one.values === buffer);
        if (arena) this.accelerate(arena, offset / 4, values.subarray(at, at + size / 4));
        at += size / 4;
      }
    };
    await this.ring.pass(messagesOf(ranges, messageBytes), exchange, (_, copy) => this.ring.submit(copy));
    for (const [arena, { velocity }] of this.anchors ?? [])
      device.write(this.store.state(arena, outerVelocity), 0, velocity);
    this.store.version++;
    this.synchronized = this.store.step;
  }

  /** To be called after all ranks have replaced their parameters by the same ones. */
  async replaced(): Promise<void> {
    await this.endExchange(() => this.background?.discard());
    this.anchors = undefined;
    this.synchronized = this.store.step;
  }

  /** Frees the staging buffers; the trainer calls it. */
  dispose(): void {
    this.ring.dispose();
    this.background?.dispose();
  }

  private get store(): ParameterStore {
    return this.session.store;
  }

  /** The moving averages. */
  private kept(): BufferRange[] {
    const untrained = this.store.list().filter(({ trainable }) => !trainable);
    return untrained.map(({ name, shape }) => ({ ...this.store.location(name), size: sizeOf(shape) * 4 }));
  }

  /** Ends the exchange in the background; the time from here on counts as waiting. */
  private async endExchange(end: () => Promise<void> | undefined): Promise<void> {
    this.waitingSince = performance.now();
    await end();
  }

  /** Replaces the values by their mean over ranks. */
  private async mean(values: Float32Array): Promise<void> {
    const since = performance.now();
    await this.communicator.allReduce(values);
    // While the device still computes, this does not count as waiting: the trainer is only some steps ahead of it.
    const waiting = this.inFlight > 0 ? Number.POSITIVE_INFINITY : Math.max(since, this.waitingSince, this.idleSince);
    this.seconds += Math.max(0, performance.now() - waiting) / 1000;
    const { size } = this.communicator;
    for (let i = 0; i < values.length; i++) values[i] /= size;
  }

  /** With outer momentum: stores the parameters that all ranks start from. */
  private async anchored(): Promise<void> {
    if (!this.outer || this.anchors) return;
    const { arenas, device } = this.store;
    const read = (buffer: GPUBuffer, { bytes }: Arena) => readBuffer(device, buffer, 0, bytes / 4);
    const found = arenas.map(async (arena) => {
      const state = this.store.state(arena, outerVelocity);
      const [values, velocity] = await Promise.all([read(arena.values, arena), read(state, arena)]);
      return [arena, { values, velocity }] as const;
    });
    this.anchors = new Map(await Promise.all(found));
  }

  /**
   * With outer momentum: replaces the ranks' mean, which starts at element `first` of the arena, by the momentum
   * update.
   */
  private accelerate(arena: Arena, first: number, mean: Float32Array): void {
    if (!this.outer) return;
    const { learningRate, momentum } = this.outer;
    const { values, velocity } = this.anchors!.get(arena)!;
    for (let i = 0; i < mean.length; i++) {
      const change = values[first + i] - mean[i];
      velocity[first + i] = momentum * velocity[first + i] + change;
      values[first + i] -= learningRate * (change + momentum * velocity[first + i]);
      mean[i] = values[first + i];
    }
  }
}
