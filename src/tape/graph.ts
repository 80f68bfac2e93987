// The recorded form of a computation: operations with their inputs, options and outputs. A graph is a list of them in
// topological order.
import type { Lowering } from "./lower.ts";
import type { Rule } from "./rewrite.ts";
import type { Tensor } from "./tensor.ts";

/** One kind of operation: its chain rule, and its lowering to kernels. */
export interface Operation<Options = unknown> {
  readonly name: string;
  /** For an operation with a chain rule: the one without (see `withGradient`). Rules treat both alike. */
  readonly plain?: Operation<Options>;
  /**
   * The chain rule: from the gradient of the first output to those of the inputs, in their order. It records further
   * operations. `wanted[i]` is false if the gradient of input i is not needed; its entry is then ignored. A missing
   * entry that is wanted is an error; null means that other inputs carry this input's gradient. Without a chain rule
   * the operation cannot be differentiated.
   */
  gradient?(node: Node<Options>, gradient: Tensor, wanted: readonly boolean[]): readonly (Tensor | undefined | null)[];
  /** Launches the kernels that compute the outputs. Its return value is kept for the lowering of the gradient. */
  lower(node: Node<Options>, to: Lowering): unknown;
  /** Fusion rules that start from it, in the order of trial. */
  readonly rules?: readonly Rule[];
  /** Whether it changes state that outlives the step, such as moving averages: it then runs even if it is unread. */
  lasting?(node: Node<Options>): boolean;
  /** For a request for gradients: the operations that compute them, from the preceding nodes. See differentiate.ts. */
  differentiate?(request: Node<Options>, before: readonly Node[]): Node[];
  /** For a scalar factor * sum(w^2) / 2 of one tensor: as a term of the loss, the optimizer can apply it. */
  decay?(node: Node<Options>): { readonly of: Tensor; readonly factor: number };
}

export interface Node<Options = unknown> {
  readonly operation: Operation<Options>;
  readonly inputs: readonly Tensor[];
  readonly options: Options;
  readonly outputs: readonly Tensor[];
}

/**
 * An operation with its chain rule and rewrite rules for training. Inference networks record the one without, so that a
 * page that only embeds downloads no kernels of the backward pass.
 */
export const withGradient = <Options>(
  plain: Operation<Options>,
  more: Partial<Operation<Options>> & Required<Pick<Operation<Options>, "gradient">>,
): Operation<Options> => ({ ...plain, ...more, plain });

/** Whether an operation is this one, with its chain rule or without. */
export const computes = (operation: Operation | undefined, plain: Operation<never>): boolean =>
  operation === plain || (operation !== undefined && operation.plain === plain);

/** Replaces every request for gradients by the operations that compute them. */
export function differentiate(nodes: readonly Node[]): Node[] {
  const result: Node[] = [];
  for (const node of nodes) {
    const found = node.operation.differentiate?.(node, result);
    result.push(...(found ? differentiate(found) : [node])); // a chain rule may request gradients itself
  }
  return result;
}

/** The maker and the readers of each tensor of a graph. */
export class Graph {
  readonly nodes: readonly Node[];
  private readonly makers = new Map<Tensor, Node>();
  private readonly readers = new Map<Tensor, Node[]>();
  /** Read from outside: by the caller, or by the update after the graph. */
  private readonly asked: ReadonlySet<Tensor>;

  /** @param asked the tensors that are read from outside. */
  constructor(nodes: readonly Node[], asked: Iterable<Tensor>) {
    this.nodes = nodes;
    this.asked = new Set(asked);
    for (const node of nodes) {
      for (const output of node.outputs) this.makers.set(output, node);
      for (const input of new Set(node.inputs)) {
        const known = this.readers.get(input);
        if (known) known.push(node);
        else this.readers.set(input, [node]);
      }
    }
  }

  /** The node of this operation that makes the tensor. */
  maker<O>(operation: Operation<O>, tensor: Tensor): Node<O> | undefined {
    const node = this.makers.get(tensor);
    return computes(node?.operation, operation) ? (node as Node<O>) : undefined;
  }

  /** The same, if only one node reads the tensor: a fusion may then remove it. */
  soleMaker<O>(operation: Operation<O>, tensor: Tensor): Node<O> | undefined {
    return this.soleReader(tensor) && this.maker(operation, tensor);
  }

  /**
   * The node whose first input is the tensor, if nothing else reads it: no other input of that node, no other node,
   * nobody outside. The tensor can then be fused into that node.
   */
  soleReader(tensor: Tensor): Node | undefined {
    const [reader, ...others] = this.readersOf(tensor);
    return others.length > 0 || this.asked.has(tensor) || reader?.inputs.lastIndexOf(tensor) ? undefined : reader;
  }

  readersOf(tensor: Tensor): readonly Node[] {
    return this.readers.get(tensor) ?? [];
  }

  /** Whether gradients with respect to this tensor are requested. */
  isDifferentiatedBy(tensor: Tensor): boolean {
    return this.readersOf(tensor).some(
      ({ operation, inputs }) => operation.differentiate !== undefined && inputs.indexOf(tensor, 2) >= 0,
    );
  }

  /** Whether any gradients are requested. */
  get isDifferentiated(): boolean {
    return this.nodes.some(({ operation }) => operation.differentiate);
  }

  isRead(tensor: Tensor): boolean {
    return this.asked.has(tensor) || this.readersOf(tensor).length > 0;
  }
}

/** The nodes in topological order; the given order if it is topological. */
export function ordered(nodes: readonly Node[]): Node[] {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const done = new Set<Node>();
  const result: Node[] = [];
  const visit = (node: Node) => {
    if (done.has(node)) return;
    done.add(node);
    for (const input of node.inputs) {
      const maker = makers.get(input);
      if (maker) visit(maker);
    }
    result.push(node);
  };
  for (const node of nodes) visit(node);
  return result;
}

/** All nodes that these tensors depend on. */
export function ancestors(nodes: readonly Node[], tensors: Iterable<Tensor>): Set<Node> {
  const wanted = new Set(tensors);
  const found = new Set<Node>();
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((output) => wanted.has(output))) continue;
    found.add(node);
    for (const input of node.inputs) wanted.add(input);
  }
  return found;
}
