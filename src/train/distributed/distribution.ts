// What a trainer does besides where several ranks train one network: it takes the mean of their gradients in every step, or of
// their parameters every so many steps. It is loaded where a communicator is given.
import { TwingradError } from "../../errors.ts";
import type { BufferRange, InputValues } from "../../gpu/dispatch.ts";
import { type DividedStep, divideStep, submitDivided } from "../../gpu/exchange/dividedStep.ts";
import { type Exchange, MessageRing, messagesOf } from "../../gpu/exchange/messages.ts";
import type { Program } from "../../gpu/program.ts";
import { readBuffer } from "../../gpu/readback.ts";
import type { Arena, ParameterStore } from "../../tape/parameters.ts";
import { sizeOf } from "../../tape/tensor.ts";
import type { Session } from "../session.ts";
import type { TrainingSpec } from "../trainingSpec.ts";
import { BackgroundMean } from "./backgroundMean.ts";
import { broadcast, type Communicator } from "./communicator.ts";
import { expectSame } from "./expectSame.ts";

/** Nesterov's momentum on the change that each round of local steps makes: DiLoCo (Douillard et al. 2023). */
export interface OuterMomentum {
  /** 0.7 by default. */
  readonly learningRate?: number;
  /** 0.9 by default. */
  readonly momentum?: number;
}

export interface DistributionOptions {
  /**
   * The other ranks; without it this process trains alone. Every rank creates the same trainer. From then on its calls are the
   * trainer's, which makes them between steps as well: calls of your own go to a `duplicate` made before.
   */
  readonly communicator?: Communicator;
  /**
   * Steps between exchanges: 1, the default, takes the mean of all ranks' gradients in every step; N lets each rank step alone
   * and takes the mean of parameters, moving averages and moments every N steps.
   */
  readonly syncEvery?: number;
  /** With `syncEvery` above 1: momentum across the means. Undefined, the default, takes them as they are. */
  readonly outerMomentum?: OuterMomentum;
  /**
   * With `syncEvery` N above 1: exchanges a copy of the parameters while the next N steps are computed, and adds to them then the
   * difference of the mean and this rank's copy. Moments and moving averages stay with their rank up to `Trainer.synchronize`.
   * @default false
   */
  readonly overlap?: boolean;
}

/** The exchange with other ranks, as `Trainer.distribution` tells it. */
export interface Distribution {
  /** Seconds that this rank waited for the other ranks' values, so far; with `overlap` those with nothing else to compute. */
  readonly seconds: number;
  /** Steps between exchanges. All ranks may change it after the same step, once they are synchronized. */
  syncEvery: number;
}

/** Small enough that what is complete first need not wait for much else, large enough that latency is no part of the cost. */
const messageBytes = 2 ** 20;

const outerVelocity = "outer velocity";

/** What a rank's session and its exchange are made with. */
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
    open: (session: Session) => new RankExchange(session, options.communicator!, { syncEvery, outer, overlap }),
  };
}

/** With outer momentum its velocity is saved and loaded with the moments. */
function withOuterVelocity({ optimizer, ...spec }: TrainingSpec): TrainingSpec {
  const { name, states } = optimizer;
  return {
    ...spec,
    optimizer: { ...optimizer, name: `${name} with outer momentum`, states: [...states, outerVelocity] },
  };
}

/** The exchange of a distributed trainer with the other ranks, which the trainer drives. */
export class RankExchange implements Distribution {
  seconds = 0;
  syncEvery: number;
  private readonly outer: Required<OuterMomentum> | undefined;
  private readonly overlap: boolean;
  private readonly divided = new WeakMap<Program, DividedStep>();
  private readonly ring: MessageRing;
  /** With overlap. */
  private background: BackgroundMean | undefined;
  /** The step of the last mean, or of the one that is under way. */
  private synchronized: number;
  /** With outer momentum: the parameters at the last mean and the velocity, of each arena. */
  private anchors: Map<Arena, { values: Float32Array; velocity: Float32Array }> | undefined;
  /** Since when the trainer waits for the exchange, in milliseconds; infinite while it is under way in the background. */
  private waitingSince = 0;
  /** Local steps that the device has not ended, and when it last had none left. */
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

  /** @throws BAD_INPUT on every rank where they do not train the same thing. */
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

  /** One step of this rank, and what is to be exchanged around it. */
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
    // Before the step, and not behind the last one: where a checkpoint lies between, all is exchanged already.
    if (this.background && this.isDue) await this.exchangeBehind(this.background);
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

  /** Whether a mean is to be taken after the last step. */
  private get isDue(): boolean {
    return this.store.step % this.syncEvery === 0 && this.store.step !== this.synchronized;
  }

  /** Adds what came of the last exchange, and begins the next. */
  private async exchangeBehind(background: BackgroundMean): Promise<void> {
    await this.endExchange(() => background.end());
    this.waitingSince = Number.POSITIVE_INFINITY;
    const mean = async (values: Float32Array, arena: Arena, first: number) => {
      await this.mean(values);
      this.accelerate(arena, first, values);
    };
    background.begin(mean, messageBytes);
    this.synchronized = this.store.step;
  }

  /** Takes the mean of what the ranks have become since the last one. Every rank calls it after the same step. */
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

  /** To be called where the parameters were replaced: by the same ones on every rank. */
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

  /** From here on the trainer waits for what was exchanged in the background. */
  private async endExchange(end: () => Promise<void> | undefined): Promise<void> {
    this.waitingSince = performance.now();
    await end();
  }

  /** Replaces the values by their mean over ranks. */
  private async mean(values: Float32Array): Promise<void> {
    const since = performance.now();
    await this.communicator.allReduce(values);
    // While the device computes nobody waits: the trainer is only some steps ahead of it.
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

  /** With outer momentum: puts in the place of the ranks' mean, from this element of the arena on, where momentum takes it. */
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
