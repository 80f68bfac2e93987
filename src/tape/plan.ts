// All stages from the recorded graph to a planned program: rewrite, differentiate, lower, plan memory, and check the
// adapter's limits before anything is allocated.
import { ResourceError, ShapeError, TwingradError } from "../errors.ts";
import type { Memory, StepResult } from "../gpu/program.ts";
import { shapeBytes } from "../gpu/shapeUniform.ts";
import type { Known } from "../options.ts";
import { differentiate, type Node } from "./graph.ts";
import { type Launch, Lowering } from "./lower.ts";
import { foldConstants } from "./lowering/constantFold.ts";
import { type Plan, planMemory, removeDead } from "./lowering/memoryPlan.ts";
import type { Storage } from "./lowering/storage.ts";
import type { Optimizer } from "./optimizer.ts";
import type { Arena } from "./parameters.ts";
import { type Rewrite, type Rule, rewrite, withoutUnread } from "./rewrite.ts";
import type { Tape } from "./tape.ts";
import { describe, type Tensor } from "./tensor.ts";

/** What a tape is compiled to. */
export interface CompileOptions {
  /** The scalar to minimize (with `optimizer`) or to report. */
  readonly loss?: Tensor;
  /** Minimizes the loss; a program without one trains nothing. */
  readonly optimizer?: Optimizer;
  /** Further tensors to read back at each step, by name. */
  readonly outputs?: Readonly<Record<string, Tensor>>;
  /** Leaves all state that outlives the step unchanged: moving averages are not updated. */
  readonly frozen?: boolean;
  /**
   * Whether a program without an optimizer computes the part that depends on parameters alone once, and again only
   * after they change. True by default; false is for measuring an operation whose operands are parameters.
   */
  readonly fold?: boolean;
}

export const compileOptions: Known<CompileOptions> = { loss: 1, optimizer: 1, outputs: 1, frozen: 1, fold: 1 };

/** The type of a step's result for these compile options. */
export type OutputsOf<Options extends CompileOptions> = CompileOptions extends Options
  ? StepResult // their type is unknown
  : { [Name in keyof Options["outputs"]]: Float32Array } & (Options extends { readonly loss: Tensor }
      ? { loss: number }
      : unknown) &
      (Options extends { readonly optimizer: Optimizer } ? { step: number; finite: boolean } : unknown);

/** The results of the stages, from the first to the last. */
export interface Stages {
  readonly recorded: readonly Node[];
  readonly rewrites: readonly Rewrite[];
  /** The graph that was lowered: rewritten, with its gradients. */
  readonly lowered: readonly Node[];
  readonly launches: readonly Launch[];
}

export interface ProgramPlan extends Plan {
  readonly stages: Stages;
  readonly optimizer?: Optimizer;
  readonly launches: readonly Launch[];
  /** The number of leading launches that run only after parameters changed. */
  readonly constant: number;
  /** The tensors that a step reads back, with their offsets in `resultBytes`; `fault` comes after them. */
  readonly results: readonly { name: string; storage: Storage; elements: number; offset: number; scalar: boolean }[];
  readonly faultOffset: number;
  readonly resultBytes: number;
  readonly schedule?: Storage;
  readonly fault?: Storage;
  /** What the update reads, one of each arena. */
  readonly gradients: readonly Storage[];
  readonly memory: Memory;
}

/** The number of steps in flight before `run` waits. */
export const stepsInFlight = 4;

interface Lowered {
  readonly stages: Stages;
  readonly outputs: readonly { readonly name: string; readonly tensor: Tensor; readonly storage: Storage }[];
  readonly reported?: Tensor;
  readonly arenas: readonly Arena[];
  readonly schedule?: Storage;
  readonly fault?: Storage;
  readonly gradients: readonly Storage[];
}

/**
 * The stages up to the list of dispatches. Places the parameters in their store; allocates nothing else.
 * @param unused rules to skip, for tests.
 */
export function lowerTape(tape: Tape, options: CompileOptions, unused?: readonly Rule[]): Lowered {
  const { store } = tape;
  const { loss, optimizer, outputs = {}, frozen = false } = options;
  if (optimizer && !optimizer.record)
    throw new TwingradError(
      "BAD_INPUT",
      `compile: optimizer is ${optimizer}; expected the result of adam(), adamW() or sgd().`,
    );
  if (loss && loss.size !== 1) {
    throw new ShapeError("compile", `the loss has shape ${describe(loss.shape)}; expected a scalar.`);
  }
  store.place();
  for (const p of tape.parameters.values()) {
    const { buffer, offset } = store.location(p.name);
    p.source!.external = { buffer, offset };
  }
  const training = loss && optimizer?.training(tape, loss, optimizer);
  const recorded = training?.nodes ?? tape.nodes;
  const base = training?.loss ?? loss;
  const asked = [...(base ? [base] : []), ...Object.values(outputs), ...(training?.asked ?? [])];

  const fused = rewrite(recorded, asked, "recorded", unused);
  const differentiated = rewrite(differentiate(fused.nodes), asked, "differentiated", unused);
  const lowered = withoutUnread(differentiated.nodes, asked, frozen);

  const to = new Lowering(tape, frozen);
  to.lower(lowered, asked);
  const update = training?.lower(to);
  const reported = update?.loss ?? base;
  const named = Object.entries({ ...(reported ? { loss: reported } : {}), ...outputs });
  const found = named.map(([name, tensor]) => ({ name, tensor, storage: to.storage(tensor) }));
  const launches = to.finish();
  const rewrites = [...fused.rewrites, ...differentiated.rewrites];
  return {
    stages: { recorded, rewrites, lowered, launches },
    outputs: found,
    reported,
    arenas: update?.arenas ?? [],
    schedule: update?.schedule,
    fault: update?.fault,
    gradients: update?.gradients ?? [],
  };
}

export function planProgram(tape: Tape, options: CompileOptions, unused?: readonly Rule[]): ProgramPlan {
  const { stages, outputs, reported, arenas, schedule, fault, gradients } = lowerTape(tape, options, unused);
  const required = new Set(outputs.map(({ storage }) => storage));
  if (fault) required.add(fault);
  const live = removeDead(stages.launches, required, options.frozen);
  const folds = !options.optimizer && options.fold !== false;
  const { launches, constant, kept } = folds
    ? foldConstants(live, required)
    : { launches: live, constant: 0, kept: [] };
  const plan = planMemory(launches, [...required, ...kept]);
  checkLimits(tape, launches);

  let resultBytes = 0;
  const results = outputs.map(({ name, tensor, storage }) => {
    const offset = resultBytes;
    resultBytes += Math.ceil(tensor.size / 4) * 16;
    return { name, storage, elements: tensor.size, offset, scalar: name === "loss" && tensor === reported };
  });
  const faultOffset = resultBytes;
  resultBytes = Math.max(16, resultBytes + (fault?.bytes ?? 0));
  const memory = measure(tape, plan, launches, { arenas, resultBytes });
  tape.device.checkMemory("the program", memory.total);
  const { optimizer } = options;
  const update = { optimizer, schedule, fault, gradients };
  return { ...plan, ...update, stages, launches, constant, results, faultOffset, resultBytes, memory };
}

/** Bytes by role, and the number of buffers. */
function measure(
  tape: Tape,
  plan: Plan,
  launches: readonly Launch[],
  { arenas, resultBytes }: { arenas: readonly Arena[]; resultBytes: number },
): Memory {
  const bound = launches.flatMap(({ bindings }) => Object.values(bindings));
  const fixed = new Set(
    [...bound, ...[...tape.inputs.values()].map((t) => t.source!)].map((s) => s.within?.whole ?? s),
  );
  const own = [...fixed].filter((s) => !s.external && !plan.slotOf.has(s));
  const bytesOf = (...kinds: Storage["kind"][]) =>
    own.filter((s) => kinds.includes(s.kind)).reduce((n, s) => n + s.bytes, 0);
  const kept = [...tape.parameters.values()].filter((p) => !p.trainable).reduce((n, p) => n + p.source!.bytes, 0);
  const shapes = shapeBytes(launches);
  const roles = {
    parameters: kept + arenas.reduce((n, a) => n + a.bytes, 0) + untrained(tape, arenas),
    optimizer: arenas.reduce((n, a) => n + a.bytes * a.state.size, 0),
    activations: plan.slots.reduce((a, b) => a + b, 0) + bytesOf("constant") + shapes,
    gradients: bytesOf("buffer"),
    staging: bytesOf("input") + stepsInFlight * resultBytes,
  };
  return {
    ...roles,
    total: Object.values(roles).reduce((a, b) => a + b),
    lowerBound: plan.lowerBound,
    largestBinding: bound.reduce((most, { bytes }) => Math.max(most, bytes), 0),
    buffers:
      plan.slots.length +
      own.length +
      Number(shapes > 0) +
      stepsInFlight +
      arenas.reduce((n, a) => n + 1 + a.state.size, 0),
  };
}

/** Bytes of the arenas that hold the tape's parameters but are not updated by this program. */
function untrained(tape: Tape, counted: readonly Arena[]): number {
  const others = tape.store.arenas.filter((a) => !counted.includes(a));
  return others.filter((a) => a.members.some((m) => tape.parameters.has(m))).reduce((n, a) => n + a.bytes, 0);
}

function checkLimits(tape: Tape, launches: readonly Launch[]): void {
  const { limits } = tape.device.gpu;
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  for (const { shader, bindings, workgroups } of launches) {
    for (const { name, bytes } of Object.values(bindings)) {
      if (bytes <= most) continue;
      const what = `${shader.name}: "${name}" takes ${bytes} bytes; this adapter supports bindings of at most ${most}`;
      throw new ResourceError("LIMIT", what, { needed: bytes, available: most });
    }
    const [needed, available] = [Math.max(...workgroups), limits.maxComputeWorkgroupsPerDimension];
    if (needed > available) {
      const what = `${shader.name}: ${workgroups.join(" x ")} workgroups; this adapter supports ${available} per dimension`;
      throw new ResourceError("LIMIT", what, { needed, available });
    }
    const storageBindings = Object.values(shader.bindings).filter((b) => b.access !== "uniform").length;
    if (storageBindings > limits.maxStorageBuffersPerShaderStage) {
      throw new TwingradError(
        "LIMIT",
        `${shader.name} binds ${storageBindings} buffers; this adapter supports ${limits.maxStorageBuffersPerShaderStage}.`,
      );
    }
  }
}
