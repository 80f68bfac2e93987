// A compiled program: a fixed list of dispatches with their resources, replayed once per step.

import { TwingradError } from "../errors.ts";
import { areNumbers, typeName } from "../options.ts";
import type { Device } from "./device.ts";
import type { NotFinite } from "./diagnosis/notFinite.ts";
import { type BufferRange, type Dispatch, type Divide, encode, type InputValues, submit } from "./dispatch.ts";
import type { ProgramGraph } from "./programGraph.ts";
import type { StagingRing } from "./readback.ts";

/** Planned bytes by role. */
export interface Memory {
  /** Bytes of the parameters. */
  readonly parameters: number;
  /** Bytes of the optimizer's state. */
  readonly optimizer: number;
  /** Temporaries of the forward and backward pass, which share buffers, and constants. */
  readonly activations: number;
  /** Gradients of the parameters. */
  readonly gradients: number;
  /** Inputs and the ring of results. */
  readonly staging: number;
  /** Bytes of all buffers. */
  readonly total: number;
  /** Number of buffers. */
  readonly buffers: number;
  /** The most bytes of temporaries alive at once: a lower bound of `activations`. */
  readonly lowerBound: number;
  /** Bytes of the largest binding, which the adapter's `maxStorageBufferBindingSize` bounds. */
  readonly largestBinding: number;
}

export interface ProgramParts {
  readonly device: Device;
  /** Dispatches that depend on parameters alone, before the others; they run again only after the parameters change. */
  readonly constant: readonly Dispatch[];
  readonly dispatches: readonly Dispatch[];
  /** Counts the changes of the parameters. */
  readonly parameters: { version: number };
  readonly inputs: ReadonlyMap<string, { range: BufferRange; elements: number; dtype: string }>;
  readonly outputs: { name: string; range: BufferRange; elements: number; offset: number; scalar: boolean }[];
  readonly ring: StagingRing;
  readonly own: readonly GPUBuffer[];
  readonly memory: Memory;
  /** The stages of compilation as data, and the same as text. */
  readonly graph: () => ProgramGraph;
  readonly explain: (graph: ProgramGraph) => string;
  /** The buffers that the update reads, one per arena; empty where nothing is trained. */
  readonly gradients: readonly BufferRange[];
  /** The optimizer's values to write before each step. */
  readonly schedule?: {
    range: BufferRange;
    next: () => readonly [number, number, number?];
    count: () => number;
    /** Where the update copies the schedule's third float if a gradient is not finite, and where it is read back. */
    fault: { range: BufferRange; offset: number };
  };
}

/** The result of a step if the program's outputs are not known by type. */
type AnyResult = { loss: number; step: number; finite: boolean } & Record<string, Float32Array | number | boolean>;

/**
 * The loss as a number, every other output as its elements. With an optimizer, also the number of the `step` and
 * whether its loss and all gradients were `finite`. `Outputs` is the type of the outputs given to `Tape.compile`.
 */
// biome-ignore lint/suspicious/noExplicitAny: any program is a `Program`, whatever its outputs
export type StepResult<Outputs = any> = 0 extends Outputs & 1 ? AnyResult : Outputs;

/** Run numbers are exact in float32 up to here; then they restart. */
const mostRuns = 2 ** 24;

/** The GPU time of one launch of a step. */
export interface KernelTime {
  /** The kernel's name. */
  readonly kernel: string;
  /** The choice that selected this kernel among several candidates: `conv2d.forward batch=8 ...`. */
  readonly part?: string;
  /** Between the timestamps before and after the dispatch. */
  readonly nanoseconds: number;
  /** Bytes bound: the traffic if everything is read or written once. */
  readonly bytes: number;
}

/**
 * A compiled program: a fixed list of dispatches, replayed with each `run`. `Tape.compile` makes it.
 * @example
 * ```ts
 * const y = tape.input("y", [4]);
 * const program = await tape.compile({ outputs: { doubled: scale(y, 2) } });
 * const { doubled } = await program.run({ y: [1, 2, 3, 4] }); // Float32Array [2, 4, 6, 8]
 * console.log(program.explain());
 * program.dispose();
 * ```
 */
// biome-ignore lint/suspicious/noExplicitAny: see `StepResult`
export class Program<Outputs = any> {
  private readonly parts: ProgramParts;
  private disposed = false;
  private runs = 0;
  /** The parameter version that the constant part was computed with. */
  private computed?: number;
  private readonly changesParameters: boolean;
  /** The dispatches of one step, in order; those that depend on parameters alone run before it and are not included. */
  readonly launches: readonly {
    /** The kernel's name. */
    readonly kernel: string;
    /** What it is a part of, where candidates compete. */
    readonly part?: string;
    /** In x, y, z. */
    readonly workgroups: readonly [number, number, number];
    /** Names of the tensors that it reads. */
    readonly reads: readonly string[];
    /** Names of the tensors that it writes. */
    readonly writes: readonly string[];
  }[];

  /** @internal */
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

  /** The stages of compilation: recorded operations, fusions, chosen kernels with reasons, and shared buffers. */
  get graph(): ProgramGraph {
    return this.parts.graph();
  }

  /** The same as text, one line per operation, kernel and buffer. */
  explain(): string {
    return this.parts.explain(this.graph);
  }

  /** Planned bytes by role. */
  memory(): Memory {
    return this.parts.memory;
  }

  /**
   * Runs one step: uploads the inputs, submits the dispatches once, and resolves with the requested outputs. It may be
   * called again before it resolves: up to four steps are in flight, and results arrive in order. Do not change the
   * arrays until the call resolves. Throws immediately for missing or mis-sized inputs.
   */
  async run(inputs: InputValues = {}): Promise<StepResult<Outputs>> {
    return (await this.start(inputs)).result;
  }

  /**
   * In two stages: resolves with a promise of the result once the step is submitted; the arrays may then change.
   * @param divide submits the step in parts instead; no other step may start before it resolves.
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

  /** Computes the part that depends on parameters alone, if they changed, so that the next run need not. */
  prepare(): void {
    if (this.disposed) throw new TwingradError("DISPOSED", "prepare: the program was disposed.");
    const due = this.constantsDue();
    if (due.length > 0) submit(this.parts.device, due);
  }

  /** The constant dispatches to run before the next step. The caller must run them: they are marked as computed. */
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
   * Runs one step with a timestamp around each dispatch and returns the nanoseconds of each. Counts as a step.
   * Throws `LIMIT` if the adapter has no timestamp queries.
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
   * Runs one step launch by launch and checks each result. Returns the first NaN or infinite value, or undefined if all
   * values are finite. Slow; counts as a step.
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

  /** Frees the program's own buffers. Parameters stay: they belong to their store. Steps in flight reject. */
  dispose(): void {
    if (this.disposed) return;
    this.disposed = true;
    this.parts.ring.close(new TwingradError("DISPOSED", "run: the program was disposed while the step was in flight."));
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
          `run: the input "${name}" has ${values.length} values; expected ${elements}.`,
        );
      }
    }
    for (const name of Object.keys(inputs)) {
      if (!this.parts.inputs.has(name)) throw new TwingradError("BAD_INPUT", `run: unknown input "${name}".`);
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
      if (!(values.buffer instanceof ArrayBuffer)) values = values.slice(); // shared memory ends Dawn in Node
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
 * What is wrong with an input's array. Float32 inputs take numbers of any kind, rounded to float32. Bytes are taken as
 * they are, or from a list of integers from 0 to 255: other arrays would be truncated to 8 bits.
 */
function unfit(values: unknown, dtype: string): string | undefined {
  const bytes = dtype === "u8";
  const name = typeName(values);
  const areBytes = () => Array.isArray(values) && values.every((value) => value === (value & 255));
  if (areNumbers(values) && (!bytes || /^(Uint8|Buffer)/.test(name) || areBytes())) return undefined;
  return `is ${name}; expected ${bytes ? "Uint8Array or integers from 0 to 255" : "Float32Array or numbers"}`;
}
