// What is recorded: operations with their inputs, options and outputs. A list of them is a graph, in an order in which
// each comes behind those that it reads.
import type { Lowering } from "./lower.ts";
import type { Rule } from "./rewrite.ts";
import type { Tensor } from "./tensor.ts";

/** One kind of operation: how it is differentiated, and what it becomes on the device. */
export interface Operation<Options = unknown> {
  readonly name: string;
  /** Of an operation with a chain rule the one without (see `withGradient`). Rules take both for the same. */
  readonly plain?: Operation<Options>;
  /**
   * The chain rule: from the gradient of the first output to those of the inputs, in their order. It records further
   * operations. `wanted[i]` is false where nothing needs the gradient of input i; what is returned there is ignored.
   * Where one is wanted that there is not, differentiating throws; null is for an input whose part other inputs carry.
   * Without it nothing can be differentiated through the operation.
   */
  gradient?(node: Node<Options>, gradient: Tensor, wanted: readonly boolean[]): readonly (Tensor | undefined | null)[];
  /** Launches the kernels that compute the outputs. What it returns is kept for the lowering of its gradient. */
  lower(node: Node<Options>, to: Lowering): unknown;
  /** Rules that may fuse it with others, in the order in which they are tried. */
  readonly rules?: readonly Rule[];
  /** Whether it changes something that outlives the step, such as moving averages: it counts though nobody reads it. */
  lasting?(node: Node<Options>): boolean;
  /** Of a request for gradients: what computes them, from what stands in front of it. See differentiate.ts. */
  differentiate?(request: Node<Options>, before: readonly Node[]): Node[];
  /** Of a scalar that is factor * sum(w^2) / 2 of one tensor: as a term of a loss it can be left to the optimizer. */
  decay?(node: Node<Options>): { readonly of: Tensor; readonly factor: number };
}

export interface Node<Options = unknown> {
  readonly operation: Operation<Options>;
  readonly inputs: readonly Tensor[];
  readonly options: Options;
  readonly outputs: readonly Tensor[];
}

/**
 * An operation with its chain rule, and what else it takes to train. Networks that are not trained record the one without, so that a
 * page that only embeds is not sent the kernels of the backward pass.
 */
export const withGradient = <Options>(
  plain: Operation<Options>,
  more: Partial<Operation<Options>> & Required<Pick<Operation<Options>, "gradient">>,
): Operation<Options> => ({ ...plain, ...more, plain });

/** Whether an operation is this one, with its chain rule or without. */
export const computes = (operation: Operation | undefined, plain: Operation<never>): boolean =>
  operation === plain || (operation !== undefined && operation.plain === plain);

/** Every request for gradients replaced by what computes them. */
export function differentiate(nodes: readonly Node[]): Node[] {
  const result: Node[] = [];
  for (const node of nodes) {
    const found = node.operation.differentiate?.(node, result);
    result.push(...(found ? differentiate(found) : [node])); // a chain rule may ask for gradients itself
  }
  return result;
}

/** Who makes each tensor of a graph, and who reads it. */
export class Graph {
  readonly nodes: readonly Node[];
  private readonly makers = new Map<Tensor, Node>();
  private readonly readers = new Map<Tensor, Node[]>();
  /** Read from outside: by the caller, or by the update behind the graph. */
  private readonly asked: ReadonlySet<Tensor>;

  /** @param asked the tensors that somebody outside reads. */
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

  /** The same where nothing but one node reads the tensor, so that it need not be there once that node does without it. */
  soleMaker<O>(operation: Operation<O>, tensor: Tensor): Node<O> | undefined {
    return this.soleReader(tensor) && this.maker(operation, tensor);
  }

  /**
   * The node whose first input the tensor is, where nothing else reads it: no other input of that node, no other node, nobody
   * outside. What it makes of the tensor can then be computed without the tensor ever being there.
   */
  soleReader(tensor: Tensor): Node | undefined {
    const [reader, ...others] = this.readersOf(tensor);
    return others.length > 0 || this.asked.has(tensor) || reader?.inputs.lastIndexOf(tensor) ? undefined : reader;
  }

  readersOf(tensor: Tensor): readonly Node[] {
    return this.readers.get(tensor) ?? [];
  }

  /** Whether somebody asks for gradients by this tensor. */
  isDifferentiatedBy(tensor: Tensor): boolean {
    return this.readersOf(tensor).some(
      ({ operation, inputs }) => operation.differentiate !== undefined && inputs.indexOf(tensor, 2) >= 0,
    );
  }

  /** Whether anybody asks for gradients at all. */
  get isDifferentiated(): boolean {
    return this.nodes.some(({ operation }) => operation.differentiate);
  }

  isRead(tensor: Tensor): boolean {
    return this.asked.has(tensor) || this.readersOf(tensor).length > 0;
  }
}

/** The nodes in an order in which each comes behind those that it reads; as they are given where that is one. */
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

/** All nodes that these tensors are computed from. */
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
