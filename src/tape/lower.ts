// From operations to dispatches: each node of a graph launches its kernels, in order. Only this stage knows kernels;
// its result is a list of launches whose tensors the planner places in memory.

import { TwingradError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import type { BindingsOf, ConstantsOf, Shader, TunablesOf } from "../gpu/shader.ts";
import { Graph, type Node } from "./graph.ts";
import { type Dtype, Storage, whole } from "./lowering/storage.ts";
import type { Tape, TapeOptions } from "./tape.ts";
import { sizeOf, Tensor } from "./tensor.ts";

/** One planned dispatch: its kernel, its storages and its number of workgroups. */
export interface Launch {
  readonly shader: Shader;
  readonly bindings: Readonly<Record<string, Storage>>;
  readonly constants: Readonly<Record<string, number>>;
  readonly tunables: Readonly<Record<string, number>>;
  readonly workgroups: readonly [number, number, number];
  /** The operation that it is a part of. */
  readonly operation: string;
  /** The choice that selected this kernel among several candidates. */
  choice?: Choice;
}

/** The storages that a launch writes: its read_write bindings. */
export function writesOf(launch: Launch): Storage[] {
  return Object.entries(launch.bindings)
    .filter(([name]) => launch.shader.bindings[name].access === "read_write")
    .map(([, storage]) => storage);
}

/** The storages that a launch reads: its other bindings. */
export function readsOf(launch: Launch): Storage[] {
  return Object.entries(launch.bindings)
    .filter(([name]) => launch.shader.bindings[name].access !== "read_write")
    .map(([, storage]) => storage);
}

/** The chosen candidate for a computation, and the reason. */
export interface Choice {
  /** The computation, with every extent that its time depends on. */
  readonly key: string;
  readonly taken: string;
  /** `only`: no other fits this device. `rule`: by rule. `timed`: measured fastest. `portable`: no other is allowed. */
  readonly why: "only" | "rule" | "timed" | "portable";
  /** All candidates that fit, in the order of preference. */
  readonly candidates: readonly string[];
}

export type Workgroups = readonly [number, number?, number?];

/**
 * An alternative layout of a tensor's elements, other than one float32 array: in parts, packed, not yet normalized.
 * Readers that know the form read it directly; for others it is converted once.
 */
export interface Form<Value> {
  readonly name: string;
  /** Launches the conversion to one float32 array, and returns its storage. */
  written(to: Lowering, tensor: Tensor, value: Value): Storage;
}

export class Lowering {
  readonly tape: Tape;
  readonly device: Device;
  readonly options: TapeOptions;
  /** Whether state that outlives the step may not be written. */
  readonly frozen: boolean;
  readonly launches: Launch[] = [];
  /** Launches before all others: work gathered from several operations. Each is called at the end. */
  readonly prologue: (() => void)[] = [];
  /** The same after the last launch that writes the storage, for work on what the step computes. */
  readonly following = new Map<Storage, () => void>();
  /** By storage: launches the part of the above that writes it, for a candidate that is tried on its own. */
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

  /** Lowers every node, in order. @param asked further tensors that are read. */
  lower(nodes: readonly Node[], asked: Iterable<Tensor>): void {
    this.graph = new Graph(nodes, asked);
    for (const node of nodes) {
      this.operation = node.operation.name;
      this.left.set(node, node.operation.lower(node, this));
    }
    this.operation = "update";
  }

  /** The prologue, then all others, each with what follows it. */
  finish(): readonly Launch[] {
    const others = this.launches.splice(0);
    this.operation = "prologue";
    for (const launch of this.prologue.splice(0)) launch();
    const lastWriter = new Map(others.flatMap((launch) => writesOf(launch).map((storage) => [whole(storage), launch])));
    for (const launch of others) {
      this.launches.push(launch);
      this.operation = launch.operation;
      for (const [storage, follow] of this.following) {
        if (lastWriter.get(whole(storage)) === launch) follow();
      }
    }
    return this.launches;
  }

  /** Whether this output of the node being lowered is read. */
  isRead(tensor: Tensor): boolean {
    return this.graph.isRead(tensor);
  }

  /** The return value of an earlier node's lowering, such as storages that are not tensors of the graph. */
  leftBy<Left>(node: Node): Left {
    if (!this.left.has(node))
      throw new TwingradError("SHADER", `lowering: "${node.operation.name}" is not lowered yet.`);
    return this.left.get(node) as Left;
  }

  /** One value per program, created on first use; several nodes gather work for one launch in it. */
  once<Value>(key: unknown, make: () => Value): Value {
    if (!this.shared.has(key)) this.shared.set(key, make());
    return this.shared.get(key) as Value;
  }

  /** A tensor's storage as one array; launches the conversion if it has another form so far. */
  storage(tensor: Tensor): Storage {
    const known = tensor.source ?? this.places.get(tensor);
    if (known) return known;
    const other = this.forms.get(tensor);
    if (!other) throw new TwingradError("SHADER", `lowering: "${tensor.name}" is read before it is computed.`);
    const written = other.form.written(this, tensor, other.value);
    this.places.set(tensor, written);
    return written;
  }

  /** Sets a tensor's storage. */
  place(tensor: Tensor, storage: Storage): void {
    this.places.set(tensor, storage);
  }

  /** Sets a tensor's alternative form. */
  placeAs<Value>(form: Form<Value>, tensor: Tensor, value: Value): void {
    this.forms.set(tensor, { form: form as Form<unknown>, value });
  }

  /** A tensor's value in that form, if it has it. */
  as<Value>(form: Form<Value>, tensor: Tensor): Value | undefined {
    const found = this.forms.get(tensor);
    return found?.form === form ? (found.value as Value) : undefined;
  }

  /** A temporary tensor between an operation's inputs and its outputs. */
  temporary(name: string, shape: readonly number[], dtype: Dtype = "f32"): Tensor {
    return this.view(new Storage("temporary", name, sizeOf(shape), dtype), shape, name);
  }

  /** A storage as a tensor. */
  view(storage: Storage, shape: readonly number[], name = storage.name): Tensor {
    return new Tensor(this.tape, shape, name, storage);
  }

  constant(name: string, shape: readonly number[], data: Float32Array): Tensor {
    return this.tape.constant(name, shape, data);
  }

  /** Appends one dispatch. The types require all bindings and constants. An output without a storage gets one. */
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
