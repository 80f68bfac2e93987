// A compiled program: a fixed list of dispatches with everything they need, replayed once a step.

import { TwingradError } from "../errors.ts";
import type { Device } from "./device.ts";
import type { NotFinite } from "./diagnosis/notFinite.ts";
import { type BufferRange, type Dispatch, type Divide, encode, type InputValues, submit } from "./dispatch.ts";
import type { ProgramGraph } from "./programGraph.ts";
import type { StagingRing } from "./readback.ts";

/** Planned bytes by role. */
export interface Memory {
  readonly parameters: number;
  readonly optimizer: number;
  /** Temporaries of the forward and backward pass, which share buffers, and constants. */
  readonly activations: number;
  /** Gradients of the parameters. */
  readonly gradients: number;
  /** Inputs and the ring of results. */
  readonly staging: number;
  readonly total: number;
  /** Number of buffers. */
  readonly buffers: number;
  /** The most bytes of temporaries alive at once: what `activations` cannot go below. */
  readonly lowerBound: number;
  readonly largestBinding: number;
}

export interface ProgramParts {
  readonly device: Device;
  /** What depends on parameters alone, in front of the others; runs where they have changed since it last did. */
  readonly constant: readonly Dispatch[];
  readonly dispatches: readonly Dispatch[];
  /** Counts the changes of the parameters. */
  readonly parameters: { version: number };
  readonly inputs: ReadonlyMap<string, { range: BufferRange; elements: number; dtype: string }>;
  readonly outputs: { name: string; range: BufferRange; elements: number; offset: number; scalar: boolean }[];
  readonly ring: StagingRing;
  readonly own: readonly GPUBuffer[];
  readonly memory: Memory;
  /** The stages it came by, and the same as text. */
  readonly graph: () => ProgramGraph;
  readonly explain: (graph: ProgramGraph) => string;
  /** What the update reads: a buffer of each arena, none where nothing is trained. */
  readonly gradients: readonly BufferRange[];
  /** What the optimizer wants written before each step. */
  readonly schedule?: {
    range: BufferRange;
    next: () => readonly [number, number, number?];
    count: () => number;
    /** Where the update leaves the schedule's third float when a gradient is not finite, and where that is read back. */
    fault: { range: BufferRange; offset: number };
  };
}

/** What a step may give, for programs of which it is not known what was asked of them. */
type AnyResult = { loss: number; step: number; finite: boolean } & Record<string, Float32Array | number | boolean>;

/**
 * The loss as a number, every other output as its elements. Where there is an optimizer, also the `step`'s number and
 * whether its loss and all gradients were `finite`. `Outputs` is what `Tape.compile` was asked for.
 */
// biome-ignore lint/suspicious/noExplicitAny: any program is a `Program`, whatever was asked of it
export type StepResult<Outputs = any> = 0 extends Outputs & 1 ? AnyResult : Outputs;

/** Numbers of runs are exact in float32 up to here; then they begin again. */
const mostRuns = 2 ** 24;

/** What one launch of a step took on the GPU. */
export interface KernelTime {
  readonly kernel: string;
  /** What it is a part of, where that was computed by one of several candidates: `conv2d.forward batch=8 ...`. */
  readonly part?: string;
  readonly nanoseconds: number;
  /** Of what it binds: those that it moves where everything is read or written once. */
  readonly bytes: number;
}

// biome-ignore lint/suspicious/noExplicitAny: see `StepResult`
export class Program<Outputs = any> {
  private readonly parts: ProgramParts;
  private disposed = false;
  private runs = 0;
  /** The version of the parameters that the constant part was computed with. */
  private computed?: number;
  private readonly changesParameters: boolean;
  /** What one step dispatches, in order; what depends on parameters alone runs once, in front of the first, and is not among it. */
  readonly launches: readonly {
    readonly kernel: string;
    readonly part?: string;
    readonly workgroups: readonly [number, number, number];
    readonly reads: readonly string[];
    readonly writes: readonly string[];
  }[];

  constructor(parts: ProgramParts) {
    this.parts = parts;
    this.changesParameters = parts.dispatches.some(({ operands }) => operands.some((o) => o.written && o.kept));
    this.launches = parts.dispatches.map(({ kernel, part, workgroups, reads, writes }) => ({
      kernel,
      part,
      workgroups,
      reads,
      writes,
    }));
  }

  /** What it was made of: the recorded operations, what was fused, the kernels taken and why, and which tensors share buffers. */
  get graph(): ProgramGraph {
    return this.parts.graph();
  }

  /** The same as text, a line for each operation, kernel and buffer. */
  explain(): string {
    return this.parts.explain(this.graph);
  }

  memory(): Memory {
    return this.parts.memory;
  }

  /**
   * One step: uploads the inputs, submits the dispatches once, and resolves with what was asked to be read back.
   * It may be called again before it resolves: up to four steps are in flight, results come in order. Until a call
   * resolves its arrays must stay as they are. Throws `SHAPE`-like errors for missing or mis-sized inputs at once.
   */
  async run(inputs: InputValues = {}): Promise<StepResult<Outputs>> {
    return (await this.start(inputs)).result;
  }

  /**
   * The same in two parts: resolves once the step is submitted, when its arrays may change, with the result to come.
   * @param divide submits the step instead, in parts; no other step may be started before it resolves.
   */
  async start(inputs: InputValues = {}, divide?: Divide): Promise<{ result: Promise<StepResult<Outputs>> }> {
    this.checkInputs(inputs);
    const { device, outputs, ring, schedule } = this.parts;
    const acquired = ring.acquire();
    const slot = acquired instanceof Promise ? await device.wait(acquired) : acquired;
    this.upload(inputs);
    const step = this.advance();
    const dispatches = [...this.constantsDue(), ...this.parts.dispatches];
    const results = (encoder: GPUCommandEncoder) => this.copyResults(encoder, slot);
    if (divide) {
      const [loss] = outputs; // it is the first, where there is one
      await divide({ device, dispatches, gradients: this.parts.gradients, loss: loss.range, results });
    } else submit(device, dispatches, results);
    const { runs } = this;
    const result = ring.collect(slot, (bytes) => {
      const result: Record<string, Float32Array | number | boolean> = step === undefined ? {} : { step };
      for (const { name, elements, offset, scalar } of outputs) {
        const values = new Float32Array(bytes, offset, elements);
        result[name] = scalar ? values[0] : values.slice();
      }
      if (schedule) {
        const [fault] = new Float32Array(bytes, schedule.fault.offset, 1);
        result.finite = Number.isFinite(result.loss as number) && fault !== runs;
      }
      return result as StepResult<Outputs>;
    });
    return { result };
  }

  /** Computes what depends on parameters alone, if they have changed: the next run need not. */
  prepare(): void {
    if (this.disposed) throw new TwingradError("DISPOSED", "prepare: the program was disposed.");
    const due = this.constantsDue();
    if (due.length > 0) submit(this.parts.device, due);
  }

  /** Of the constant part what is to be computed before the next step, which is then taken to be. */
  private constantsDue(): readonly Dispatch[] {
    const { constant, parameters } = this.parts;
    if (this.changesParameters) parameters.version++;
    const due = this.computed === parameters.version ? [] : constant;
    this.computed = parameters.version;
    return due;
  }

  private copyResults(encoder: GPUCommandEncoder, slot: GPUBuffer): void {
    const { outputs, schedule } = this.parts;
    for (const { range, elements, offset } of outputs) {
      encoder.copyBufferToBuffer(range.buffer, range.offset, slot, offset, elements * 4);
    }
    if (!schedule) return;
    const { range, offset } = schedule.fault;
    encoder.copyBufferToBuffer(range.buffer, range.offset, slot, offset, 4);
  }

  /**
   * Runs one step with a timestamp around each dispatch and returns the nanoseconds that each took. Counts as a step.
   * Throws `LIMIT` where the adapter has no timestamp queries.
   */
  async profile(inputs: InputValues = {}): Promise<KernelTime[]> {
    this.checkInputs(inputs);
    const { device, dispatches } = this.parts;
    const { hasTimestamps, timePasses } = await import("./timing.ts");
    if (!hasTimestamps(device)) throw new TwingradError("LIMIT", "profile: this adapter has no timestamp queries.");
    this.upload(inputs);
    this.advance();
    this.prepare();
    const times = await timePasses(
      device,
      dispatches.map((dispatch) => (pass) => encode(pass, dispatch)),
    );
    return dispatches.map(({ kernel, part, operands }, i) => {
      const bytes = operands.reduce((sum, { range }) => sum + range.size, 0);
      return { kernel, part, nanoseconds: times[i], bytes };
    });
  }

  /**
   * Runs one step launch by launch and looks at each result: tells where the first value appeared that is NaN or
   * infinite, undefined where none did. Slow; counts as a step.
   */
  async trace(inputs: InputValues = {}): Promise<NotFinite | undefined> {
    this.checkInputs(inputs);
    const { traceNotFinite } = await import("./diagnosis/traceNotFinite.ts");
    this.upload(inputs);
    this.advance();
    this.constantsDue();
    const { device, constant, dispatches } = this.parts;
    return traceNotFinite(device, [...constant, ...dispatches], inputs);
  }

  /** Frees the program's own buffers; parameters stay, they belong to their store. Steps under way reject. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.parts.ring.close(new TwingradError("DISPOSED", "run: the program was disposed while the step was under way."));
    for (const buffer of this.parts.own) this.parts.device.release(buffer);
  }

  private checkInputs(inputs: InputValues): void {
    if (this.disposed) throw new TwingradError("DISPOSED", "run: the program was disposed.");
    for (const [name, { elements, dtype }] of this.parts.inputs) {
      const values = inputs[name];
      if (!values) throw new TwingradError("BAD_INPUT", `run: the input "${name}" is missing.`);
      const expected = unfit(values, dtype);
      if (expected) throw new TwingradError("BAD_INPUT", `run: the input "${name}" ${expected}.`);
      if (values.length !== elements) {
        throw new TwingradError(
          "BAD_INPUT",
          `run: the input "${name}" takes ${elements} values, got ${values.length}.`,
        );
      }
    }
    for (const name of Object.keys(inputs)) {
      if (!this.parts.inputs.has(name)) throw new TwingradError("BAD_INPUT", `run: there is no input "${name}".`);
    }
  }

  private upload(inputs: InputValues): void {
    const { queue } = this.parts.device.gpu;
    for (const [name, { range, dtype }] of this.parts.inputs) {
      const given = inputs[name];
      const Wanted = dtype === "u8" ? Uint8Array : Float32Array;
      let values = given instanceof Wanted ? given : Wanted.from(given as ArrayLike<number>);
      if (values.byteLength % 4 !== 0) {
        const padded = new Uint8Array(Math.ceil(values.byteLength / 4) * 4); // writeBuffer takes whole words
        padded.set(values as Uint8Array);
        values = padded;
      }
      queue.writeBuffer(range.buffer, range.offset, values as Uint8Array<ArrayBuffer>);
    }
  }

  private advance(): number | undefined {
    const { device, schedule } = this.parts;
    if (!schedule) return undefined;
    this.runs = (this.runs % mostRuns) + 1;
    const [x, y, w = 0] = schedule.next();
    const values = Float32Array.of(x, y, this.runs, w);
    device.gpu.queue.writeBuffer(schedule.range.buffer, schedule.range.offset, values);
    return schedule.count();
  }
}

/**
 * What is wrong with the array of an input. Float32 inputs take numbers of any kind, rounded to float32. Bytes are taken as
 * they are, or from a list of whole numbers from 0 to 255: other arrays would be cut down to 8 bits.
 */
function unfit(values: unknown, dtype: string): string | undefined {
  const bytes = dtype === "u8";
  const { name } = Object(values).constructor;
  const fits = Array.isArray(values)
    ? values.every((value) => (bytes ? value === (value & 255) : typeof value === "number"))
    : (bytes ? /^(Uint8|Buffer)/ : /^(Uint|Int|Float|Buffer)/).test(name);
  return fits
    ? undefined
    : `takes ${bytes ? "bytes: Uint8Array" : "Float32Array"} or fitting numbers; got other ${name}`;
}
