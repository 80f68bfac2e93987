// The stages of a program's compilation as data, and as text.
import { inBytes } from "../errors.ts";
import type { GraphOperation, GraphTensor, ProgramGraph } from "../gpu/programGraph.ts";
import type { Node } from "./graph.ts";
import { readsOf, writesOf } from "./lower.ts";
import { sharedBuffers } from "./lowering/memoryPlan.ts";
import type { ProgramPlan } from "./plan.ts";
import { describe, type Tensor } from "./tensor.ts";

export function graphOf(plan: ProgramPlan): ProgramGraph {
  const { stages, launches } = plan;
  const numbers = new Map<Tensor, number>();
  const tensor = (t: Tensor): GraphTensor => {
    if (!numbers.has(t)) numbers.set(t, numbers.size);
    return { id: numbers.get(t)!, name: t.name, shape: t.shape, dtype: t.dtype };
  };
  const operation = ({ operation, inputs, outputs }: Node): GraphOperation => ({
    operation: operation.name,
    inputs: inputs.map(tensor),
    outputs: outputs.map(tensor),
  });
  const names = (nodes: readonly Node[]) => nodes.map(({ operation }) => operation.name);
  return {
    recorded: stages.recorded.map(operation),
    rewrites: stages.rewrites.map(({ rule, nodes, by }) => ({
      rule: rule.name,
      saves: rule.saves,
      from: names(nodes),
      to: names(by),
    })),
    operations: stages.lowered.map(operation),
    kernels: launches.map((launch, i) => ({
      kernel: launch.shader.name,
      operation: launch.operation,
      workgroups: launch.workgroups,
      choice: launch.choice,
      reads: readsOf(launch).map(({ name }) => name),
      writes: writesOf(launch).map(({ name }) => name),
      constant: i < plan.constant,
    })),
    buffers: sharedBuffers(plan, launches),
  };
}

const why = {
  only: "the only one that fits",
  rule: "by rule",
  timed: "measured fastest on this device",
  portable: "the portable kernel",
};

/** Every stage, with one line per operation, kernel and buffer. */
export function explain({ recorded, rewrites, operations, kernels, buffers }: ProgramGraph): string {
  const shown = ({ id, name, shape }: GraphTensor) => `%${id} ${name} ${describe(shape)}`;
  const graph = (list: readonly GraphOperation[]) =>
    list.map(({ operation, inputs, outputs }) => {
      const from = inputs.map(({ id, name }) => `%${id} ${name}`).join(", ");
      return `  ${outputs.map(shown).join(", ")} = ${operation}(${from})`;
    });
  const constant = kernels.filter((kernel) => kernel.constant);
  const folded = constant.length > 0 ? [`${constant.length} of them run once, until the parameters change`] : [];
  const counted = new Map<string, number>();
  for (const { operation } of kernels) counted.set(operation, (counted.get(operation) ?? 0) + 1);
  return [
    `Recorded: ${recorded.length} operations`,
    ...graph(recorded),
    `Rewritten: ${rewrites.length} times`,
    ...rewrites.flatMap(({ rule, saves, from, to }) => [
      `  ${rule}: ${from.join(", ")} -> ${to.join(", ")}`,
      `    saves: ${saves}`,
    ]),
    `Differentiated, unused operations removed: ${operations.length} operations`,
    ...graph(operations),
    `Lowered: ${kernels.length} dispatches`,
    ...folded,
    ...[...counted].map(([operation, count]) => `  ${String(count).padStart(3)} of ${operation}`),
    ...kernels.flatMap(({ kernel, operation, workgroups, choice, reads, writes }, i) => [
      `  ${String(i).padStart(3)} ${kernel} [${workgroups.join(" x ")}] for ${operation}: ${reads.join(", ")} -> ${writes.join(", ")}`,
      ...(choice
        ? [`      ${choice.taken}, ${why[choice.why]} (of ${choice.candidates.join(", ")}): ${choice.key}`]
        : []),
    ]),
    `Planned: ${buffers.length} buffers for temporaries`,
    ...buffers.map(
      ({ bytes, tensors }, i) =>
        `  ${String(i).padStart(3)} ${inBytes(bytes)}: ${tensors.map(({ name, first, last }) => `${name} (${first} to ${last})`).join(", ")}`,
    ),
  ].join("\n");
}
