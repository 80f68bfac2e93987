// Fusion: rules that replace several operations by one. Each has its own file in src/ops/fused, and the table is
// src/ops/fused/rules.ts. An operation names the rules that start from it, so that a bundle holds only those of its
// operations.
import { Graph, type Node, ordered } from "./graph.ts";

export interface Rule {
  readonly name: string;
  /** What it saves, in a sentence. */
  readonly saves: string;
  /** Which graph it reads: what was recorded, or that with its gradients. @default "recorded" */
  readonly graph?: Stage;
  /** The replacement, if the pattern matches around this node and the conditions hold. */
  match(node: Node, graph: Graph): Replacement | undefined;
}

type Stage = "recorded" | "differentiated";

export interface Replacement {
  readonly nodes: readonly Node[];
  /** They make the tensors of `nodes` that others read. */
  readonly by: readonly Node[];
}

/** A rule that has been applied. */
export interface Rewrite {
  readonly rule: Rule;
  readonly nodes: readonly Node[];
  readonly by: readonly Node[];
}

/**
 * Applies the rules of the graph's operations until none matches: from the last node to the first, so that the longer
 * of two overlapping patterns is tried first. @param unused rules to skip: tests check what one of them changes.
 */
export function rewrite(
  nodes: readonly Node[],
  asked: readonly Node["outputs"][number][],
  stage: Stage,
  unused: readonly Rule[] = [],
): { nodes: Node[]; rewrites: Rewrite[] } {
  const rewrites: Rewrite[] = [];
  let current = [...nodes];
  for (;;) {
    const graph = new Graph(current, asked);
    const found = firstMatch(graph, stage, unused);
    if (!found) return { nodes: current, rewrites };
    rewrites.push(found);
    const gone = new Set(found.nodes);
    const last = current.findLastIndex((node) => gone.has(node));
    current = ordered(current.flatMap((node, i) => (i === last ? found.by : gone.has(node) ? [] : [node])));
  }
}

function firstMatch(graph: Graph, stage: Stage, unused: readonly Rule[]): Rewrite | undefined {
  for (const node of [...graph.nodes].reverse()) {
    for (const rule of node.operation.rules ?? []) {
      if ((rule.graph ?? "recorded") !== stage || unused.includes(rule)) continue;
      const replacement = rule.match(node, graph);
      if (replacement) return { rule, ...replacement };
    }
  }
  return undefined;
}

/** The nodes that the requested tensors depend on, and unless `frozen` those that change lasting state. */
export function withoutUnread(
  nodes: readonly Node[],
  asked: readonly Node["outputs"][number][],
  frozen: boolean,
): Node[] {
  const wanted = new Set(asked);
  const kept = [...nodes].reverse().filter((node) => {
    const lasting = !frozen && (node.operation.lasting?.(node) ?? false);
    if (!lasting && !node.outputs.some((output) => wanted.has(output))) return false;
    for (const input of node.inputs) wanted.add(input);
    return true;
  });
  return kept.reverse();
}
