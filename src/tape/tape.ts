// The tape: operations call `launch` and `record` on it while the network is being written down; `compile` turns the
// list into a program and the tape is done. It holds no GPU object.

import { ShapeError, TwingradError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import type { Program } from "../gpu/program.ts";
import type { BindingsOf, ConstantsOf, Shader, TunablesOf } from "../gpu/shader.ts";
// Circles of types: a tape makes its tensors and parameters, and hands itself over to be compiled.
import { compile } from "./compile.ts";
import { type Parameter, type ParameterOptions, ParameterStore } from "./parameters.ts";
import type { CompileOptions } from "./plan.ts";
import { type Dtype, describe, Storage, sizeOf, Tensor } from "./tensor.ts";

/** One dispatch to be: what runs, on which storages, how many workgroups. */
export interface Launch {
  readonly shader: Shader;
  readonly bindings: Readonly<Record<string, Storage>>;
  readonly constants: Readonly<Record<string, number>>;
  readonly tunables: Readonly<Record<string, number>>;
  readonly workgroups: readonly [number, number, number];
  /** What it is a part of, where that was computed by one of several candidates: the choice's key. */
  part?: string;
}

/**
 * The chain rule of one recorded operation: from the gradient of its output to those of its inputs, in the order of
 * `inputs`. `wanted[i]` is false where nothing needs the gradient of input i; what is returned there is ignored.
 */
export type Backward = (gradient: Tensor, wanted: readonly boolean[]) => readonly (Tensor | undefined)[];

export interface Node {
  readonly operation: string;
  readonly inputs: readonly Tensor[];
  readonly output: Tensor;
  readonly backward: Backward;
  /** What `batchNorm` needs to know to put the operation into one with itself: see `src/ops/fused/block.ts`. */
  readonly fusible?: unknown;
}

export interface TapeOptions {
  /** A store to share with other tapes on the same device; a new one by default. */
  readonly parameters?: ParameterStore;
  /** How blocks keep their activations and their gradients; arithmetic is float32 always. `float32` by default. */
  readonly storage?: "float32" | "float16";
  /** Whether the first block's activations are made again in the backward pass instead of being kept. */
  readonly recompute?: boolean;
}

export type Workgroups = readonly [number, number?, number?];

export class Tape {
  readonly device: Device;
  readonly store: ParameterStore;
  readonly inputs = new Map<string, Tensor>();
  readonly parameters = new Map<string, Parameter>();
  readonly nodes: Node[] = [];
  readonly launches: Launch[] = [];
  /** Work gathered from several operations into launches in front of all others, done when the program is compiled. */
  readonly prologue: (() => void)[] = [];
  /** Scalars that are factor * sum(w^2) / 2 of one parameter: where they are terms of the loss, `compile` merges them. */
  readonly penalties = new Map<Tensor, { readonly parameter: Tensor; readonly factor: number }>();

  readonly options: TapeOptions;

  constructor(device: Device, options: TapeOptions = {}) {
    this.device = device;
    this.options = options;
    this.store = options.parameters ?? new ParameterStore(device);
  }

  /** A tensor that `Program.run` is given anew each step. `u8` holds bytes (pictures): see `scaleBytes`. */
  input(name: string, shape: readonly number[], options: { readonly dtype?: "f32" | "u8" } = {}): Tensor {
    checkShape("input", name, shape);
    if (this.inputs.has(name)) throw new TwingradError("BAD_INPUT", `input: the tape already has an input "${name}".`);
    const storage = new Storage("input", name, sizeOf(shape), options.dtype ?? "f32");
    const tensor = new Tensor(this, [...shape], storage, name);
    this.inputs.set(name, tensor);
    return tensor;
  }

  /** A trained (or, with `trainable: false`, merely kept) tensor. The same name gives the same parameter again. */
  parameter(name: string, shape: readonly number[], options: ParameterOptions): Parameter {
    checkShape("parameter", name, shape);
    const known = this.parameters.get(name);
    if (known && describe(known.shape) === describe(shape)) return known;
    const parameter = this.store.declare(this, name, shape, options);
    this.parameters.set(name, parameter);
    return parameter;
  }

  /** A tensor whose values never change, written when the program is compiled. */
  constant(name: string, shape: readonly number[], data: Float32Array): Tensor {
    const storage = new Storage("constant", name, sizeOf(shape), "f32");
    storage.data = data;
    return new Tensor(this, [...shape], storage, name);
  }

  /** A tensor for a launch to write. */
  temporary(name: string, shape: readonly number[], dtype: Dtype = "f32"): Tensor {
    return new Tensor(this, [...shape], new Storage("temporary", name, sizeOf(shape), dtype), name);
  }

  /**
   * A tensor that is computed only if something reads it: `launch` is then called once with the storage to write. What
   * an operation that takes its place does without is never launched.
   */
  deferred(name: string, shape: readonly number[], launch: (storage: Storage) => void): Tensor {
    const compute = () => {
      const storage = new Storage("temporary", name, sizeOf(shape), "f32");
      launch(storage);
      return storage;
    };
    return new Tensor(this, [...shape], compute, name);
  }

  /** The same elements under another shape of the same size. */
  view(x: Tensor, shape: readonly number[]): Tensor {
    return new Tensor(this, [...shape], () => x.storage, x.name);
  }

  /** Appends one dispatch. Every binding and every constant without a default must be given: the types see to it. */
  launch<S extends Shader>(
    shader: S,
    bindings: BindingsOf<S, Tensor | Storage>,
    constants: ConstantsOf<S>,
    workgroups: Workgroups,
    tunables?: TunablesOf<S>,
  ): Launch {
    const storages: Record<string, Storage> = {};
    for (const [name, target] of Object.entries(bindings as Record<string, Tensor | Storage>)) {
      storages[name] = target instanceof Tensor ? target.storage : target;
    }
    const launch: Launch = {
      shader,
      bindings: storages,
      constants: constants as Record<string, number>,
      tunables: (tunables ?? {}) as Record<string, number>,
      workgroups: [workgroups[0], workgroups[1] ?? 1, workgroups[2] ?? 1],
    };
    this.launches.push(launch);
    return launch;
  }

  /**
   * Puts what `launch` appends in the place of an earlier dispatch: for a forward pass that has more to leave behind once
   * a gradient is asked for.
   */
  replace(earlier: Launch, launch: () => Launch): void {
    const later = launch();
    this.launches.splice(this.launches.indexOf(later), 1);
    this.launches[this.launches.indexOf(earlier)] = later;
  }

  /** Appends an operation with its chain rule and returns its output. */
  record(operation: string, inputs: readonly Tensor[], output: Tensor, backward: Backward, fusible?: unknown): Tensor {
    this.nodes.push({ operation, inputs, output, backward, fusible });
    return output;
  }

  /** The operation that `tensor` is the output of, where it is the named one. */
  madeBy(operation: string, tensor: Tensor): Node | undefined {
    return this.nodes.find((node) => node.output === tensor && node.operation === operation);
  }

  /** Plans memory, makes every pipeline, buffer and bind group, and returns the program to be replayed. */
  compile(options: CompileOptions): Promise<Program> {
    return compile(this, options);
  }
}

/** The tape that all of an operation's inputs are on. Throws where they are on different ones. */
export function tapeOf(operation: string, ...tensors: readonly (Tensor | undefined)[]): Tape {
  const given = tensors.filter((t) => t !== undefined);
  for (const t of given) {
    if (!(t instanceof Tensor)) throw new ShapeError(operation, `expected tensors of a tape, got ${typeof t}.`);
    if (t.tape !== given[0].tape) {
      throw new ShapeError(operation, `"${given[0].name}" and "${t.name}" are on different tapes.`);
    }
  }
  return given[0].tape;
}

function checkShape(what: string, name: string, shape: readonly number[]): void {
  if (!shape.every((extent) => Number.isInteger(extent) && extent > 0)) {
    throw new ShapeError(what, `"${name}" has shape ${describe(shape)}; expected positive whole numbers.`);
  }
}
