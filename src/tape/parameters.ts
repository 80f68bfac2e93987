// Parameters outlive tapes and programs: a store holds them on the device, so that a training program and an inference
// program use the same weights. Trainable ones are contiguous, so that one launch updates them all.

import { inBytes, ResourceError, ShapeError, TwingradError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import { readBuffer } from "../gpu/readback.ts";
import { checkNumbers, checkOptions, type Known, typeName } from "../options.ts";
import { type InitialOptions, initialValues } from "./initial.ts";
import { Storage } from "./lowering/storage.ts";
import type { Tape } from "./tape.ts";
import { describe, sizeOf, Tensor } from "./tensor.ts";

/** How a parameter is declared. */
export interface ParameterOptions extends InitialOptions {
  /** False for state that is kept but not trained (moving averages). */
  readonly trainable?: boolean;
}

const parameterOptions: Known<ParameterOptions> = { initial: 1, seed: 1, trainable: 1 };

/** Alignment of bindings: the largest minStorageBufferOffsetAlignment that WebGPU allows. */
const alignment = 256;

/** Trainable parameters in one buffer, with gradients and optimizer state of the same layout. */
export interface Arena {
  readonly bytes: number;
  readonly values: GPUBuffer;
  readonly members: readonly string[];
  /** The optimizer's buffers by its own names ("first moment"); zero at first. */
  readonly state: Map<string, GPUBuffer>;
}

interface Entry {
  readonly name: string;
  readonly shape: readonly number[];
  readonly trainable: boolean;
  /** Computes the values on demand: planning does not need them. */
  initial?: () => Float32Array;
  arena?: Arena;
  buffer?: GPUBuffer;
  offset: number;
}

/** A tensor whose values persist between steps. */
export class Parameter extends Tensor {
  /** Whether optimizers update it; moving averages are kept but not trained. */
  readonly trainable: boolean;
  private readonly entry: Entry;

  /** @internal */
  constructor(tape: Tape, entry: Entry) {
    super(tape, entry.shape, entry.name, new Storage("parameter", entry.name, sizeOf(entry.shape), "f32"));
    this.trainable = entry.trainable;
    this.entry = entry;
  }

  /** Its current values: after the steps submitted so far; before the first compile the initial ones. */
  read(): Promise<Float32Array> {
    return this.tape.store.read(this.entry.name);
  }

  /** Replaces its values. Throws `SHAPE` if the number of elements differs. */
  write(values: ArrayLike<number>): void {
    this.tape.store.write(this.entry.name, values);
  }
}

/**
 * The parameters of one or several tapes on one device, with the optimizer's state beside them.
 * @example Two tapes that share their parameters, one to train and one to embed.
 * ```ts
 * const parameters = new ParameterStore(device);
 * const training = new Tape(device, { parameters });
 * const inference = new Tape(device, { parameters });
 * ```
 */
export class ParameterStore {
  /** The device that holds them. */
  readonly device: Device;
  /** @internal */
  readonly arenas: Arena[] = [];
  /** Number of optimizer steps taken so far on these parameters. */
  step = 0;
  /** Counts the changes of values, by the host and by programs: values computed from them before are out of date. */
  version = 0;
  private readonly entries = new Map<string, Entry>();
  private readonly frozen: ReadonlySet<string>;

  /** @param frozen names of parameters that are kept as they are, whatever they are declared as. */
  constructor(device: Device, frozen: ReadonlySet<string> = new Set()) {
    this.device = device;
    this.frozen = frozen;
  }

  /** @internal */
  declare(tape: Tape, name: string, shape: readonly number[], options: ParameterOptions): Parameter {
    let entry = this.entries.get(name);
    if (!entry) {
      checkOptions("parameter", options, parameterOptions);
      const { initial, seed } = options;
      const trainable = (options.trainable ?? true) && !this.frozen.has(name);
      const fits = initial instanceof Float32Array ? initial.length === sizeOf(shape) : typeof initial === "number";
      if (!fits && initial !== "glorot-uniform") {
        const got = typeof initial === "object" ? `${typeName(initial)} of ${initial?.length}` : initial;
        const expected = `"glorot-uniform", a number, or a Float32Array of ${sizeOf(shape)}`;
        throw new TwingradError("BAD_INPUT", `parameter: initial of "${name}" is ${got}; expected ${expected}.`);
      }
      const given = { initial: initial instanceof Float32Array ? initial.slice() : initial, seed };
      const own = [...shape];
      entry = { name, shape: own, trainable, initial: () => initialValues(name, own, given), offset: 0 };
      this.entries.set(name, entry);
    }
    if (describe(entry.shape) !== describe(shape)) {
      throw new ShapeError(
        "parameter",
        `"${name}" already has shape ${describe(entry.shape)}; it cannot be declared with ${describe(shape)}.`,
      );
    }
    return new Parameter(tape, entry);
  }

  /** Names and shapes in the order of declaration. */
  list(): {
    /** The declared name. */
    name: string;
    /** The declared shape. */
    shape: readonly number[];
    /** Whether optimizers update it. */
    trainable: boolean;
  }[] {
    return [...this.entries.values()].map(({ name, shape, trainable }) => ({ name, shape, trainable }));
  }

  /**
   * Allocates the parameters that are not on the device yet. @throws LIMIT before anything is allocated.
   * @internal
   */
  place(): void {
    const fresh = [...this.entries.values()].filter((e) => !e.buffer);
    const trainable = fresh.filter((e) => e.trainable);
    const { maxBufferSize, maxStorageBufferBindingSize } = this.device.gpu.limits;
    for (const { name, shape } of fresh) {
      checkLimit(`those of "${name}"`, sizeOf(shape) * 4, Math.min(maxBufferSize, maxStorageBufferBindingSize));
    }
    if (trainable.length > 0) {
      let bytes = 0;
      for (const entry of trainable) {
        entry.offset = bytes;
        bytes += Math.ceil((sizeOf(entry.shape) * 4) / alignment) * alignment;
      }
      checkLimit("all parameters, in one buffer,", bytes, maxBufferSize);
      const values = this.device.createBuffer("parameters", bytes);
      const arena: Arena = { bytes, values, members: trainable.map((e) => e.name), state: new Map() };
      this.arenas.push(arena);
      for (const entry of trainable) {
        entry.arena = arena;
        entry.buffer = values;
      }
    }
    for (const entry of fresh) {
      entry.buffer ??= this.device.createBuffer(entry.name, Math.ceil((sizeOf(entry.shape) * 4) / 16) * 16);
      this.device.write(entry.buffer, entry.offset, entry.initial!);
      entry.initial = undefined;
    }
  }

  /**
   * The buffer and the offset of an allocated parameter.
   * @internal
   */
  location(name: string): { buffer: GPUBuffer; offset: number; arena?: Arena } {
    const { buffer, offset, arena } = this.entry(name);
    return { buffer: buffer!, offset, arena };
  }

  /**
   * The optimizer's buffer of that name for an arena, created with zeros on first use.
   * @internal
   */
  state(arena: Arena, name: string): GPUBuffer {
    let buffer = arena.state.get(name);
    if (!buffer) {
      buffer = this.device.createBuffer(name, arena.bytes);
      arena.state.set(name, buffer);
    }
    return buffer;
  }

  /** A parameter's values now. */
  async read(name: string): Promise<Float32Array> {
    const entry = this.entry(name);
    if (!entry.buffer) return entry.initial!();
    return readBuffer(this.device, entry.buffer, entry.offset, sizeOf(entry.shape));
  }

  /** Replaces a parameter's values. @throws SHAPE where the number of elements differs. */
  write(name: string, values: ArrayLike<number>): void {
    const entry = this.entry(name);
    const data = sized(name, entry.shape, values);
    this.version++;
    if (entry.buffer) this.device.write(entry.buffer, entry.offset, data);
    else entry.initial = () => data.slice();
  }

  /** One parameter's slice of an optimizer state; zeros if the optimizer has not run yet. */
  async readState(name: string, state: string): Promise<Float32Array> {
    const { arena, offset, shape } = this.entry(name);
    const buffer = arena?.state.get(state);
    return buffer ? readBuffer(this.device, buffer, offset, sizeOf(shape)) : new Float32Array(sizeOf(shape));
  }

  /** Replaces one parameter's slice of an optimizer state. */
  writeState(name: string, state: string, values: ArrayLike<number>): void {
    this.place();
    const { arena, offset, shape } = this.entry(name);
    if (!arena) throw new TwingradError("BAD_INPUT", `"${name}" is not trainable, so it has no optimizer state.`);
    this.device.write(this.state(arena, state), offset, sized(name, shape, values));
  }

  /** Frees the parameters and the optimizer's state. */
  dispose(): void {
    for (const { buffer } of this.entries.values()) if (buffer) this.device.release(buffer);
    for (const { state } of this.arenas) for (const buffer of state.values()) this.device.release(buffer);
  }

  private entry(name: string): Entry {
    const entry = this.entries.get(name);
    if (!entry) {
      const known = [...this.entries.keys()].join(", ");
      throw new TwingradError("BAD_INPUT", `Unknown parameter "${name}"; expected one of ${known}.`);
    }
    return entry;
  }
}

function checkLimit(what: string, needed: number, available: number): void {
  if (needed <= available) return;
  const text = `parameters: ${what} take ${inBytes(needed)}; this adapter supports at most ${inBytes(available)}`;
  throw new ResourceError("LIMIT", text, { needed, available });
}

function sized(name: string, shape: readonly number[], values: ArrayLike<number>): Float32Array<ArrayBuffer> {
  checkNumbers(`parameter: values of "${name}"`, values);
  if (values.length !== sizeOf(shape)) {
    throw new ShapeError(
      "parameter",
      `"${name}" has shape ${describe(shape)}; expected ${sizeOf(shape)} values, got ${values.length}.`,
    );
  }
  return Float32Array.from(values);
}
