// From operations to dispatches: each node of a graph launches its kernels, in order. This is the only stage that knows
// kernels; what it gives is a list that the planner can place in memory.

import { TwingradError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import type { BindingsOf, ConstantsOf, Shader, TunablesOf } from "../gpu/shader.ts";
import { Graph, type Node } from "./graph.ts";
import { type Dtype, Storage } from "./lowering/storage.ts";
import type { Tape, TapeOptions } from "./tape.ts";
import { sizeOf, Tensor } from "./tensor.ts";

/** One dispatch to be: what runs, on which storages, how many workgroups. */
export interface Launch {
  readonly shader: Shader;
  readonly bindings: Readonly<Record<string, Storage>>;
  readonly constants: Readonly<Record<string, number>>;
  readonly tunables: Readonly<Record<string, number>>;
  readonly workgroups: readonly [number, number, number];
  /** The operation that it is a part of. */
  readonly operation: string;
  /** What it is a part of, where that was computed by one of several candidates. */
  choice?: Choice;
}

/** Which candidate computes something, and why that one. */
export interface Choice {
  /** What is computed, with every extent that its time depends on. */
  readonly key: string;
  readonly taken: string;
  /**
   * `only`: no other fits this device. `rule`: by rule of thumb. `timed`: found fastest, in this process or before.
   * `portable`: the device takes portable kernels alone.
   */
  readonly why: "only" | "rule" | "timed" | "portable";
  /** All that fit, in the order in which the rules ask them. */
  readonly candidates: readonly string[];
}

export type Workgroups = readonly [number, number?, number?];

/**
 * Another way in which the elements of a tensor can lie than as one float32 array: in parts, packed, not yet normalized.
 * Readers that know the form take it as it is; for others it is written out, once.
 */
export interface Form<Value> {
  readonly name: string;
  /** Where the elements lie as one float32 array, after launching what writes it. */
  written(to: Lowering, tensor: Tensor, value: Value): Storage;
}

export class Lowering {
  readonly tape: Tape;
  readonly device: Device;
  readonly options: TapeOptions;
  /** Whether nothing may be written that outlives the step. */
  readonly frozen: boolean;
  readonly launches: Launch[] = [];
  /** Launches that stand in front of all others: work gathered from several operations. Each is called at the end. */
  readonly prologue: (() => void)[] = [];
  /** By what it writes, how to launch a part of the prologue by itself: for a candidate that is tried without the program. */
  readonly alone = new Map<Storage, () => void>();
  private readonly places = new Map<Tensor, Storage>();
  private readonly forms = new Map<Tensor, { readonly form: Form<unknown>; readonly value: unknown }>();
  private readonly left = new Map<Node, unknown>();
  private readonly shared = new Map<unknown, unknown>();
  private graph: Graph;
  private operation = "";

  constructor(tape: Tape, frozen = false) {
    this.tape = tape;
    this.frozen = frozen;
    this.device = tape.device;
    this.options = tape.options;
    this.graph = new Graph([], []);
  }

  /** Lowers every node, in order. @param asked tensors that are read besides. */
  lower(nodes: readonly Node[], asked: Iterable<Tensor>): void {
    this.graph = new Graph(nodes, asked);
    for (const node of nodes) {
      this.operation = node.operation.name;
      this.left.set(node, node.operation.lower(node, this));
    }
    this.operation = "update";
  }

  /** The prologue, then all others. */
  finish(): readonly Launch[] {
    const behind = this.launches.splice(0);
    this.operation = "prologue";
    for (const launch of this.prologue.splice(0)) launch();
    for (const launch of behind) this.launches.push(launch); // there may be more than a call takes arguments
    return this.launches;
  }

  /** Whether anything reads this output of the node that is being lowered. */
  isRead(tensor: Tensor): boolean {
    return this.graph.isRead(tensor);
  }

  /**
   * What the lowering of an earlier node returned: the gradient of a block needs where the block's values lie, and that is no
   * tensor.
   */
  leftBy<Left>(node: Node): Left {
    if (!this.left.has(node))
      throw new TwingradError("SHADER", `lowering: "${node.operation.name}" is not lowered yet.`);
    return this.left.get(node) as Left;
  }

  /** One value for the whole program, made when it is first asked for: what several nodes gather for one launch. */
  once<Value>(key: unknown, make: () => Value): Value {
    if (!this.shared.has(key)) this.shared.set(key, make());
    return this.shared.get(key) as Value;
  }

  /** Where a tensor lies as one array; launches what writes it where it lies in another form so far. */
  storage(tensor: Tensor): Storage {
    const known = tensor.source ?? this.places.get(tensor);
    if (known) return known;
    const other = this.forms.get(tensor);
    if (!other) throw new TwingradError("SHADER", `lowering: "${tensor.name}" is read before it is computed.`);
    const written = other.form.written(this, tensor, other.value);
    this.places.set(tensor, written);
    return written;
  }

  /** Says where a tensor lies. */
  place(tensor: Tensor, storage: Storage): void {
    this.places.set(tensor, storage);
  }

  /** Says that a tensor lies in another form. */
  placeAs<Value>(form: Form<Value>, tensor: Tensor, value: Value): void {
    this.forms.set(tensor, { form: form as Form<unknown>, value });
  }

  /** How a tensor lies in that form, where it does. */
  as<Value>(form: Form<Value>, tensor: Tensor): Value | undefined {
    const found = this.forms.get(tensor);
    return found?.form === form ? (found.value as Value) : undefined;
  }

  /** A tensor for launches between an operation's inputs and its outputs. */
  temporary(name: string, shape: readonly number[], dtype: Dtype = "f32"): Tensor {
    return this.view(new Storage("temporary", name, sizeOf(shape), dtype), shape, name);
  }

  /** What lies at a storage, as a tensor. */
  view(storage: Storage, shape: readonly number[], name = storage.name): Tensor {
    return new Tensor(this.tape, shape, name, storage);
  }

  constant(name: string, shape: readonly number[], data: Float32Array): Tensor {
    return this.tape.constant(name, shape, data);
  }

  /**
   * Appends one dispatch. Every binding and every constant without a default must be given: the types see to it. An output
   * that has no place yet gets one.
   */
  launch<S extends Shader>(
    shader: S,
    bindings: BindingsOf<S, Tensor | Storage>,
    constants: ConstantsOf<S>,
    workgroups: Workgroups,
    tunables?: TunablesOf<S>,
  ): Launch {
    const storages: Record<string, Storage> = {};
    for (const [name, target] of Object.entries(bindings as Record<string, Tensor | Storage>)) {
      const written = shader.bindings[name]?.access === "read_write";
      if (target instanceof Storage) storages[name] = target;
      else storages[name] = written ? this.output(target) : this.storage(target);
    }
    const launch: Launch = {
      shader,
      bindings: storages,
      constants: constants as Record<string, number>,
      tunables: (tunables ?? {}) as Record<string, number>,
      workgroups: [workgroups[0], workgroups[1] ?? 1, workgroups[2] ?? 1],
      operation: this.operation,
    };
    this.launches.push(launch);
    return launch;
  }

  private output(tensor: Tensor): Storage {
    const known = tensor.source ?? this.places.get(tensor);
    if (known) return known;
    const made = new Storage("temporary", tensor.name, tensor.size, tensor.dtype);
    this.places.set(tensor, made);
    return made;
  }
}
