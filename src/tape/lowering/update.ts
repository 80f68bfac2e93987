// The part of a training step after the forward pass: gradients of all trainable parameters, gathered in arenas, the L2
// penalties among the loss's terms, and the optimizer's update.
import penaltyShader from "../../../shaders/penalty.forward.wgsl";
import scaleShader from "../../../shaders/scale.forward.wgsl";
import sumShader from "../../../shaders/sum.forward.wgsl";
import { TwingradError } from "../../errors.ts";
import { gradients } from "../gradients.ts";
import type { Node } from "../graph.ts";
import type { Lowering } from "../lower.ts";
import type { Optimizer } from "../optimizer.ts";
import type { Arena, Parameter } from "../parameters.ts";
import { addition, additionOperation } from "../sum.ts";
import type { Tape } from "../tape.ts";
import type { Tensor } from "../tensor.ts";
import { type ArenaGradients, clipFactor } from "./clip.ts";
import { summing, vec4Threads } from "./grid.ts";
import { Storage } from "./storage.ts";

/** Floats per block: parameters start at multiples of 256 bytes, so that each block belongs to one parameter. */
const block = 64;

/** The parameters that a training step updates. */
function trainedBy(tape: Tape): Parameter[] {
  const trained = [...tape.parameters.values()].filter((p) => p.trainable);
  if (trained.length === 0)
    throw new TwingradError("BAD_INPUT", "compile: an optimizer requires a trainable parameter.");
  return trained;
}

/** The optimizer's task and its operands. */
interface Update {
  readonly optimizer: Optimizer;
  readonly trained: readonly Parameter[];
  /** The gradient of each parameter, in their order. */
  readonly gradients: readonly Tensor[];
  /** Factors of the L2 penalties that were removed from the loss. */
  readonly decayOf: ReadonlyMap<Tensor, number>;
  readonly schedule: Storage;
}

/** The stages of a training step: every optimizer's `training`. */
export const training: Optimizer["training"] = (tape, loss, optimizer) => {
  const trained = trainedBy(tape);
  const reduced = withoutPenalties(tape, tape.nodes, loss);
  const request = tape.aside(() => gradients(reduced.loss, trained));
  return {
    nodes: [...reduced.nodes, ...request.nodes],
    loss: reduced.loss,
    asked: request.result,
    lower(to) {
      const schedule = new Storage("input", "schedule", 4, "f32");
      const { decayOf } = reduced;
      const update = { optimizer, trained, gradients: request.result, decayOf, schedule };
      return { ...lowerUpdate(to, reduced.loss, update), schedule };
    },
  };
};

/**
 * Launches the update after the lowered operations. Returns the loss to report, with the penalties added, the arenas,
 * and where the update reports a non-finite gradient.
 */
function lowerUpdate(
  to: Lowering,
  loss: Tensor,
  { optimizer, trained, gradients, decayOf, schedule }: Update,
): { loss: Tensor; arenas: Arena[]; gradients: Storage[]; fault: Storage } {
  const { store } = to.tape;
  const byArena = new Map<Arena, [Parameter, Tensor][]>();
  trained.forEach((p, i) => {
    const { arena } = store.location(p.name);
    byArena.set(arena!, [...(byArena.get(arena!) ?? []), [p, gradients[i]]]);
  });
  const places = gradients.map((gradient) => to.storage(gradient));

  let total = loss;
  const gathered: (ArenaGradients & { arena: Arena })[] = [];
  for (const [arena, members] of byArena) {
    const elements = arena.bytes / 4;
    const gradientArena = new Storage("buffer", "gradients", elements, "f32");
    const blocks = new Float32Array((2 * elements) / block);
    for (const [parameter, gradient] of members) {
      const { offset } = store.location(parameter.name);
      const shared = places.filter((storage) => storage === to.storage(gradient)).length > 1;
      gatherGradient(to, gradient, gradientArena, offset, shared);
      for (let left = parameter.size, at = (2 * offset) / 4 / block; left > 0; left -= block, at += 2) {
        blocks[at] = decayOf.get(parameter) ?? 0;
        blocks[at + 1] = Math.min(block, left);
      }
    }
    const values = external("parameters", elements, arena.values);
    const ofBlocks = to.constant("blocks", [blocks.length], blocks);
    if (members.some(([p]) => decayOf.get(p))) total = plusPenalty(to, total, values, ofBlocks);
    gathered.push({ arena, elements, values, gradients: gradientArena, blocks: to.storage(ofBlocks) });
  }
  const clip = clipFactor(to, gathered, optimizer.clipNorm);
  const fault = new Storage("buffer", "fault", 1, "u32");
  for (const { arena, ...storages } of gathered) {
    const state = (name: string) => external(name, storages.elements, store.state(arena, name));
    optimizer.record(to, { ...storages, clip, fault, state }, schedule);
  }
  return { loss: total, arenas: [...byArena.keys()], gradients: gathered.map((one) => one.gradients), fault };
}

function external(name: string, elements: number, buffer: GPUBuffer): Storage {
  const storage = new Storage("parameter", name, elements, "f32");
  storage.external = { buffer, offset: 0 };
  return storage;
}

/**
 * Removes the L2 penalties of trainable parameters from a loss that is a sum: the optimizer adds their gradient,
 * factor * w, which saves two launches and a gradient's memory for each of them.
 */
function withoutPenalties(
  tape: Tape,
  nodes: readonly Node[],
  loss: Tensor,
): { nodes: readonly Node[]; loss: Tensor; decayOf: Map<Tensor, number> } {
  const makers = new Map(nodes.flatMap((node) => node.outputs.map((output) => [output, node] as const)));
  const decayOf = new Map<Tensor, number>();
  const terms: Tensor[] = [];
  const visit = (term: Tensor) => {
    const node = makers.get(term);
    const penalty = node?.operation.decay?.(node);
    const parameter = penalty && tape.parameters.get(penalty.of.name);
    if (node?.operation === additionOperation) node.inputs.forEach(visit);
    else if (parameter?.trainable && parameter === penalty?.of) {
      decayOf.set(parameter, (decayOf.get(parameter) ?? 0) + penalty.factor);
    } else terms.push(term);
  };
  visit(loss);
  if (decayOf.size === 0) return { nodes, loss, decayOf };
  const zero = () => tape.constant("zero", [], new Float32Array(1));
  const rest = tape.aside(() => (terms.length > 0 ? terms.reduce(addition) : zero()));
  return { nodes: [...nodes, ...rest.nodes], loss: rest.result, decayOf };
}

/** The loss plus the sum of decay w^2 / 2 over an arena. */
function plusPenalty(to: Lowering, loss: Tensor, values: Storage, blocks: Tensor): Tensor {
  const chunk = 64;
  const [BLOCKS, CHUNK] = [blocks.size / 2, chunk];
  let count = Math.ceil(BLOCKS / chunk);
  let output = to.temporary("penalty", [count]);
  to.launch(penaltyShader, { values, blocks, output }, { BLOCKS, CHUNK }, [count], summing(to));
  do {
    const [COUNT, CHUNK, x] = [count, 4096, output];
    count = Math.ceil(count / CHUNK);
    output = to.temporary("penalty", [count]);
    to.launch(sumShader, { x, base: loss, output }, { COUNT, CHUNK, BASE: count === 1 ? 1 : 0 }, [count]);
  } while (count > 1);
  return to.view(to.storage(output), [], "loss");
}

/**
 * Makes the launch that writes this gradient write it into the arena. A gradient is copied instead if it is not a
 * launch's own result, is read by others, or belongs to two parameters: a launch must not read the arena while writing
 * to it.
 */
function gatherGradient(to: Lowering, gradient: Tensor, arena: Storage, offset: number, shared: boolean): void {
  const storage = to.storage(gradient);
  const uses = to.launches.filter((l) => Object.values(l.bindings).includes(storage)).length;
  if (storage.kind === "temporary" && uses === 1 && !shared) {
    storage.within = { whole: arena, offset };
    return;
  }
  const copy = to.temporary(gradient.name, gradient.shape);
  to.storage(copy).within = { whole: arena, offset };
  const { groups, constants } = vec4Threads(gradient.size);
  to.launch(scaleShader, { x: gradient, output: copy }, { ...constants, FACTOR: 1 }, groups);
}
