// From the recorded list to what a program will be: gradients and update appended, dead launches dropped, memory planned,
// and all of it held to the adapter's limits before anything is allocated for it.
import { ResourceError, ShapeError, TwingradError } from "../errors.ts";
import type { Memory } from "../gpu/program.ts";
import { shapeBytes } from "../gpu/shapeUniform.ts";
import type { Optimizer } from "./optimizer.ts";
import type { Arena } from "./parameters.ts";
import { type Plan, planMemory, removeDead } from "./planner.ts";
import type { Launch, Tape } from "./tape.ts";
import { describe, Storage, type Tensor } from "./tensor.ts";
import { recordUpdate } from "./update.ts";

export interface CompileOptions {
  /** The scalar to minimise (with `optimizer`) or to report. */
  readonly loss?: Tensor;
  readonly optimizer?: Optimizer;
  /** Further tensors to read back at each step, by name. */
  readonly outputs?: Readonly<Record<string, Tensor>>;
  /** Leaves everything that outlives the step as it is: moving averages do not move. */
  readonly frozen?: boolean;
}

export interface ProgramPlan extends Plan {
  readonly optimizer?: Optimizer;
  readonly launches: readonly Launch[];
  /** What a step reads back, and where each lies among `resultBytes`; `fault` comes behind them. */
  readonly results: readonly { name: string; tensor: Tensor; elements: number; offset: number; scalar: boolean }[];
  readonly faultOffset: number;
  readonly resultBytes: number;
  readonly schedule?: Storage;
  readonly fault?: Storage;
  readonly memory: Omit<Memory, "total">;
}

/** Steps that may be in flight before `run` waits. */
export const stepsInFlight = 4;

/** Places the parameters in their store, appends to the tape what the step does after its loss, and plans the whole. */
export function planProgram(tape: Tape, options: CompileOptions): ProgramPlan {
  const { store } = tape;
  const { loss, optimizer } = options;
  if (loss && loss.size !== 1) {
    throw new ShapeError("compile", `the loss has shape ${describe(loss.shape)}; expected a scalar.`);
  }
  store.place();
  for (const p of tape.parameters.values()) {
    const { buffer, offset } = store.location(p.name);
    p.storage.external = { buffer, offset };
  }

  const schedule = optimizer ? new Storage("input", "schedule", 4, "f32") : undefined;
  const update = loss && optimizer ? recordUpdate(tape, loss, optimizer, schedule!) : undefined;
  const fault = update?.fault;
  const reported = update?.loss ?? loss;
  const outputs = { ...(reported ? { loss: reported } : {}), ...options.outputs };
  const required = new Set(Object.values(outputs).map((t) => t.storage));
  if (fault) required.add(fault);
  const recorded = tape.launches.splice(0);
  for (const launch of tape.prologue.splice(0)) launch();
  tape.launches.push(...recorded);
  const launches = removeDead(tape.launches, required, options.frozen);
  const plan = planMemory(launches, required);
  checkLimits(tape, launches);

  let resultBytes = 0;
  const results = Object.entries(outputs).map(([name, tensor]) => {
    const offset = resultBytes;
    resultBytes += Math.ceil(tensor.size / 4) * 16;
    return { name, tensor, elements: tensor.size, offset, scalar: tensor === reported };
  });
  const faultOffset = resultBytes;
  resultBytes = Math.max(16, resultBytes + (fault?.bytes ?? 0));
  const memory = measure(tape, plan, launches, { arenas: update?.arenas ?? [], resultBytes });
  return { ...plan, optimizer, launches, results, faultOffset, resultBytes, schedule, fault, memory };
}

/** Bytes by role, and the number of buffers. */
function measure(
  tape: Tape,
  plan: Plan,
  launches: readonly Launch[],
  { arenas, resultBytes }: { arenas: readonly Arena[]; resultBytes: number },
): Omit<Memory, "total"> {
  const bound = launches.flatMap(({ bindings }) => Object.values(bindings));
  const fixed = new Set(
    [...bound, ...[...tape.inputs.values()].map((t) => t.storage)].map((s) => s.within?.whole ?? s),
  );
  const own = [...fixed].filter((s) => !s.external && !plan.slotOf.has(s));
  const bytesOf = (...kinds: Storage["kind"][]) =>
    own.filter((s) => kinds.includes(s.kind)).reduce((n, s) => n + s.bytes, 0);
  const kept = [...tape.parameters.values()].filter((p) => !p.trainable).reduce((n, p) => n + p.storage.bytes, 0);
  const shapes = shapeBytes(launches);
  return {
    parameters: kept + arenas.reduce((n, a) => n + a.bytes, 0) + untrained(tape, arenas),
    optimizer: arenas.reduce((n, a) => n + a.bytes * a.state.size, 0),
    activations: plan.slots.reduce((a, b) => a + b, 0) + bytesOf("constant") + shapes,
    gradients: bytesOf("buffer"),
    staging: bytesOf("input") + stepsInFlight * resultBytes,
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

/** Bytes of the arenas that the tape's parameters lie in but this program does not update. */
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
      const what = `${shader.name}: "${name}" takes ${bytes} bytes; this adapter binds at most ${most}`;
      throw new ResourceError("LIMIT", what, { needed: bytes, available: most });
    }
    const [needed, available] = [Math.max(...workgroups), limits.maxComputeWorkgroupsPerDimension];
    if (needed > available) {
      const what = `${shader.name}: ${workgroups.join(" x ")} workgroups; this adapter takes ${available} in each dimension`;
      throw new ResourceError("LIMIT", what, { needed, available });
    }
    const storageBindings = Object.values(shader.bindings).filter((b) => b.access !== "uniform").length;
    if (storageBindings > limits.maxStorageBuffersPerShaderStage) {
      throw new TwingradError(
        "LIMIT",
        `${shader.name} binds ${storageBindings} buffers; this adapter takes ${limits.maxStorageBuffersPerShaderStage}.`,
      );
    }
  }
}
