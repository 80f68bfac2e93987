// What a training step does after the forward pass: gradients of all trained parameters, gathered in arenas, the L2
// penalties among the loss's terms, and the optimizer's update.
import penaltyShader from "../../shaders/penalty.forward.wgsl";
import scaleShader from "../../shaders/scale.forward.wgsl";
import sumShader from "../../shaders/sum.forward.wgsl";
import { TwingradError } from "../errors.ts";
import { type ArenaGradients, clipFactor } from "./clip.ts";
import { gradients, launchSum } from "./gradients.ts";
import { vec4Threads } from "./grid.ts";
import type { Optimizer } from "./optimizer.ts";
import type { Arena, Parameter } from "./parameters.ts";
import type { Tape } from "./tape.ts";
import { Storage, Tensor } from "./tensor.ts";

/** Floats in a block: parameters start at multiples of 256 bytes, so that each block belongs to one parameter. */
const block = 64;

/**
 * Returns the loss to report, which is the given one put together anew where it has penalties, the arenas, and where
 * the update tells of a gradient that is not finite.
 */
export function recordUpdate(
  tape: Tape,
  loss: Tensor,
  optimizer: Optimizer,
  schedule: Storage,
): { loss: Tensor; arenas: Arena[]; fault: Storage } {
  const { store } = tape;
  const trained = [...tape.parameters.values()].filter((p) => p.trainable);
  if (trained.length === 0) throw new TwingradError("BAD_INPUT", "compile: an optimizer, but no trainable parameter.");
  const { rest, decayOf } = splitPenalties(tape, loss);
  const found = gradients(rest, trained);
  const byArena = new Map<Arena, [Parameter, Tensor][]>();
  trained.forEach((p, i) => {
    const { arena } = store.location(p.name);
    byArena.set(arena!, [...(byArena.get(arena!) ?? []), [p, found[i]]]);
  });

  let total = rest;
  const gathered: (ArenaGradients & { arena: Arena })[] = [];
  for (const [arena, members] of byArena) {
    const elements = arena.bytes / 4;
    const gradientArena = new Storage("buffer", "gradients", elements, "f32");
    const blocks = new Float32Array((2 * elements) / block);
    for (const [parameter, gradient] of members) {
      const { offset } = store.location(parameter.name);
      const shared = found.filter((g) => g.storage === gradient.storage).length > 1;
      gatherGradient(tape, gradient, gradientArena, offset, shared);
      for (let left = parameter.size, at = (2 * offset) / 4 / block; left > 0; left -= block, at += 2) {
        blocks[at] = decayOf.get(parameter) ?? 0;
        blocks[at + 1] = Math.min(block, left);
      }
    }
    const values = external("parameters", elements, arena.values);
    const ofBlocks = tape.constant("blocks", [blocks.length], blocks);
    if (members.some(([p]) => decayOf.get(p))) total = plusPenalty(tape, total, values, ofBlocks);
    gathered.push({ arena, elements, values, gradients: gradientArena, blocks: ofBlocks.storage });
  }
  const clip = clipFactor(tape, gathered, optimizer.clipNorm);
  const fault = new Storage("buffer", "fault", 1, "u32");
  for (const { arena, ...storages } of gathered) {
    const state = (name: string) => external(name, storages.elements, store.state(arena, name));
    optimizer.record(tape, { ...storages, clip, fault, state }, schedule);
  }
  return { loss: total, arenas: [...byArena.keys()], fault };
}

function external(name: string, elements: number, buffer: GPUBuffer): Storage {
  const storage = new Storage("parameter", name, elements, "f32");
  storage.external = { buffer, offset: 0 };
  return storage;
}

/**
 * Takes the L2 penalties of trained parameters out of a loss that is a sum: their gradient, factor * w, is the
 * optimizer's to add, which saves two launches and a gradient's memory for each of them.
 */
function splitPenalties(tape: Tape, loss: Tensor): { rest: Tensor; decayOf: Map<Tensor, number> } {
  const made = new Map(tape.nodes.map((node) => [node.output, node]));
  const decayOf = new Map<Tensor, number>();
  const terms: Tensor[] = [];
  const visit = (term: Tensor) => {
    const node = made.get(term);
    const penalty = tape.penalties.get(term);
    if (node?.operation === "add") node.inputs.forEach(visit);
    else if (penalty && tape.parameters.get(penalty.parameter.name) === penalty.parameter) {
      decayOf.set(penalty.parameter, (decayOf.get(penalty.parameter) ?? 0) + penalty.factor);
    } else terms.push(term);
  };
  visit(loss);
  if (decayOf.size === 0) return { rest: loss, decayOf };
  const zero = () => tape.constant("zero", [], new Float32Array(1));
  return { rest: terms.length > 0 ? terms.reduce((a, b) => recordedSum(tape, a, b)) : zero(), decayOf };
}

/** a + b with its chain rule, as the operation add records it. */
function recordedSum(tape: Tape, a: Tensor, b: Tensor): Tensor {
  return tape.record("add", [a, b], launchSum(tape, a, b), (gradient) => [gradient, gradient]);
}

/** The loss plus the sum of decay w^2 / 2 over an arena. */
function plusPenalty(tape: Tape, loss: Tensor, values: Storage, blocks: Tensor): Tensor {
  const chunk = 64;
  const [BLOCKS, CHUNK] = [blocks.size / 2, chunk];
  let count = Math.ceil(BLOCKS / chunk);
  let output = tape.temporary("penalty", [count]);
  tape.launch(penaltyShader, { values, blocks, output }, { BLOCKS, CHUNK }, [count]);
  do {
    const [COUNT, CHUNK, x] = [count, 4096, output];
    count = Math.ceil(count / CHUNK);
    output = tape.temporary("penalty", [count]);
    tape.launch(sumShader, { x, base: loss, output }, { COUNT, CHUNK, BASE: count === 1 ? 1 : 0 }, [count]);
  } while (count > 1);
  return new Tensor(tape, [], output.storage, "loss");
}

/**
 * Makes the launch that writes this gradient write it into the arena. What is no launch's own result, is read by others
 * as well or is the gradient of two parameters is copied: a launch must not read the arena while it writes to it.
 */
function gatherGradient(tape: Tape, gradient: Tensor, arena: Storage, offset: number, shared: boolean): void {
  const { storage } = gradient;
  const uses = tape.launches.filter((l) => Object.values(l.bindings).includes(storage)).length;
  if (storage.kind === "temporary" && uses === 1 && !shared) {
    storage.within = { whole: arena, offset };
    return;
  }
  const copy = tape.temporary(gradient.name, gradient.shape);
  copy.storage.within = { whole: arena, offset };
  const { groups, constants } = vec4Threads(gradient.size);
  tape.launch(scaleShader, { x: gradient, output: copy }, { ...constants, FACTOR: 1 }, groups);
}
