// The tape: the list of operations of a network, recorded while it is composed. Recording computes nothing, launches
// nothing and knows no kernels; `compile` makes a program of the list.

import { ShapeError, TwingradError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import type { Program } from "../gpu/program.ts";
import { checkOptions } from "../options.ts";
import { compile } from "./compile.ts";
import type { Node, Operation } from "./graph.ts";
import { type Dtype, Storage } from "./lowering/storage.ts";
import { type Parameter, type ParameterOptions, ParameterStore } from "./parameters.ts";
import { type CompileOptions, compileOptions, type OutputsOf } from "./plan.ts";
import { describe, sizeOf, Tensor } from "./tensor.ts";
import { view } from "./view.ts";

/** Options of a tape. */
export interface TapeOptions {
  /** A store to share with other tapes on the same device; a new one by default. */
  readonly parameters?: ParameterStore;
  /** How blocks keep their activations and their gradients; arithmetic is float32. @default "float32" */
  readonly storage?: "float32" | "float16";
  /** Whether the first block's activations are recomputed in the backward pass instead of being kept. */
  readonly recompute?: boolean;
  /**
   * `float16`: dense layers and `matmul` may round their operands to float16, where the adapter can compute with it;
   * sums are float32. For inference: outputs are off by up to 1e-3 of the largest.
   * @default "float32"
   */
  readonly products?: "float32" | "float16";
}

/** A planned output: its shape, and its name and dtype if they are not the operation's and f32. */
export interface Output {
  readonly shape: readonly number[];
  readonly name?: string;
  readonly dtype?: Dtype;
}

/**
 * Records operations on tensors and compiles them to a program.
 * @example
 * ```ts
 * const tape = new Tape(device);
 * const x = tape.input("x", [8, 4]);
 * const w = tape.parameter("w", [4, 1], { initial: "glorot-uniform", seed: 1 });
 * const loss = sigmoidCrossEntropy(flatten(dense(x, w)), tape.input("y", [8]));
 * const program = await tape.compile({ loss, optimizer: adam({ learningRate: 1e-3 }) });
 * const { loss: value } = await program.run({ x: new Float32Array(32), y: new Float32Array(8) });
 * ```
 */
export class Tape {
  /** Where programs of this tape run. */
  readonly device: Device;
  /** Holds the parameters; several tapes may share one. */
  readonly store: ParameterStore;
  /** By name. */
  readonly inputs = new Map<string, Tensor>();
  /** By name. */
  readonly parameters = new Map<string, Parameter>();
  /** @internal */
  readonly options: TapeOptions;
  private recorded: Node[] = [];

  constructor(device: Device, options: TapeOptions = {}) {
    checkOptions("Tape", options, { parameters: 1, storage: 1, recompute: 1, products: 1 });
    this.device = device;
    this.options = options;
    this.store = options.parameters ?? new ParameterStore(device);
  }

  /**
   * What has been recorded so far.
   * @internal
   */
  get nodes(): readonly Node[] {
    return this.recorded;
  }

  /** A tensor that each `Program.run` takes new values for. `u8` holds bytes (pictures): see `scaleBytes`. */
  input(name: string, shape: readonly number[], options: { readonly dtype?: "f32" | "u8" } = {}): Tensor {
    checkOptions("input", options, { dtype: 1 });
    checkShape("input", name, shape);
    if (this.inputs.has(name)) throw new TwingradError("BAD_INPUT", `input: the tape already has an input "${name}".`);
    const tensor = new Tensor(
      this,
      [...shape],
      name,
      new Storage("input", name, sizeOf(shape), options.dtype ?? "f32"),
    );
    this.inputs.set(name, tensor);
    return tensor;
  }

  /** A trainable tensor; with `trainable: false`, one that is only kept. The same name returns the same parameter. */
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
    return new Tensor(this, [...shape], name, storage);
  }

  /** The same elements in another shape of the same size; in a smaller one, the first elements, without a gradient. */
  view(x: Tensor, shape: readonly number[]): Tensor {
    return view(x, shape);
  }

  /**
   * Records an operation with one output.
   * @internal
   */
  record<O>(operation: Operation<O>, inputs: readonly Tensor[], options: O, shape: readonly number[]): Tensor {
    return this.recordAll(operation, inputs, options, [{ shape }])[0];
  }

  /**
   * Records an operation and returns its outputs.
   * @internal
   */
  recordAll<O>(
    operation: Operation<O>,
    inputs: readonly Tensor[],
    options: O,
    outputs: readonly Output[],
  ): readonly Tensor[] {
    const tensors = outputs.map(
      ({ shape, name, dtype }) => new Tensor(this, [...shape], name ?? operation.name, dtype),
    );
    this.recorded.push({ operation, inputs, options, outputs: tensors } as Node);
    return tensors;
  }

  /**
   * Records `work` in a separate list, which the tape does not keep: for stages after recording.
   * @internal
   */
  aside<T>(work: () => T): { nodes: readonly Node[]; result: T } {
    const kept = this.recorded;
    this.recorded = [];
    try {
      const result = work();
      return { nodes: this.recorded, result };
    } finally {
      this.recorded = kept;
    }
  }

  /**
   * Rewrites, differentiates and lowers the recorded operations, plans memory and creates all GPU objects: a program to
   * replay. The type of its results follows from the outputs requested here.
   * @example
   * const program = await tape.compile({ outputs: { embedding } });
   * const { embedding: values } = await program.run({ images }); // a Float32Array
   */
  compile<Options extends CompileOptions>(options: Options): Promise<Program<OutputsOf<Options>>> {
    checkOptions("compile", options, compileOptions);
    return compile(this, options);
  }
}

/** The tape of an operation's inputs. Throws if they are on different tapes. */
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
    throw new ShapeError(what, `"${name}" has shape ${describe(shape)}; expected positive integers.`);
  }
}
