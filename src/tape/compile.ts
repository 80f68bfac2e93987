// From the recorded list to a program: gradients and update appended, dead launches dropped, memory planned, and
// every GPU object that a step will need made here, once.
import { ShapeError, TwingradError } from "../gpu/errors.ts";
import { type BufferRange, type Dispatch, Program, type ProgramParts } from "../gpu/program.ts";
import { StagingRing } from "../gpu/readback.ts";
import type { Optimizer } from "./optimizer.ts";
import type { Arena } from "./parameters.ts";
import { planMemory, removeDead } from "./planner.ts";
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

/** Steps that may be in flight before `run` waits. */
const stepsInFlight = 4;

export async function compile(tape: Tape, options: CompileOptions): Promise<Program> {
  const { device, store } = tape;
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
  const arenas = update?.arenas ?? [];
  const reported = update?.loss ?? loss;

  const fault = update?.fault;
  const outputs = { ...(reported ? { loss: reported } : {}), ...options.outputs };
  const required = new Set(Object.values(outputs).map((t) => t.storage));
  if (fault) required.add(fault);
  const launches = removeDead(tape.launches, required, options.frozen);
  const plan = planMemory(launches, required);
  checkLimits(tape, launches);

  return device.checked("compile", async () => {
    const own: GPUBuffer[] = [];
    const make = (label: string, size: number, kind: "storage" | "uniform" = "storage") => {
      const buffer = device.createBuffer(label, size, kind);
      own.push(buffer);
      return buffer;
    };
    const slots = plan.slots.map((bytes, i) => make(`temporaries ${i}`, bytes));
    const fixed = new Map<Storage, GPUBuffer>();
    const bytesOf = { constants: 0, gradients: 0, inputs: 0 };
    const rangeOf = (storage: Storage): BufferRange => {
      if (storage.external) return { ...storage.external, size: storage.bytes };
      if (storage.within)
        return { ...rangeOf(storage.within.whole), offset: storage.within.offset, size: storage.bytes };
      const slot = plan.slotOf.get(storage);
      if (slot !== undefined) return { buffer: slots[slot], offset: 0, size: storage.bytes };
      let buffer = fixed.get(storage);
      if (!buffer) {
        buffer = make(storage.name, storage.bytes, storage === schedule ? "uniform" : "storage");
        fixed.set(storage, buffer);
        if (storage.kind === "constant") {
          device.write(buffer, 0, storage.data!);
          bytesOf.constants += storage.bytes;
        } else if (storage.kind === "input") bytesOf.inputs += storage.bytes;
        else bytesOf.gradients += storage.bytes;
      }
      return { buffer, offset: 0, size: storage.bytes };
    };

    const dispatches = await Promise.all(launches.map((launch) => makeDispatch(tape, launch, rangeOf)));
    const inputs: ProgramParts["inputs"] = new Map(
      [...tape.inputs].map(([name, t]) => [name, { range: rangeOf(t.storage), elements: t.size, dtype: t.dtype }]),
    );
    const results: ProgramParts["outputs"] = [];
    let resultBytes = 0;
    for (const [name, t] of Object.entries(outputs)) {
      results.push({ name, range: rangeOf(t.storage), elements: t.size, offset: resultBytes, scalar: t === reported });
      resultBytes += Math.ceil(t.size / 4) * 16;
    }
    const faultOffset = resultBytes;
    if (fault) resultBytes += fault.bytes;
    const ring = new StagingRing(device, Math.max(16, resultBytes), stepsInFlight);
    const parameters = [...tape.parameters.values()]
      .filter((p) => !p.trainable)
      .reduce((n, p) => n + p.storage.bytes, 0);
    const memory = {
      parameters: parameters + arenas.reduce((n, a) => n + a.bytes, 0) + untrained(tape, arenas),
      optimizer: arenas.reduce((n, a) => n + a.bytes * a.state.size, 0),
      activations: plan.slots.reduce((a, b) => a + b, 0) + bytesOf.constants,
      gradients: bytesOf.gradients,
      staging: bytesOf.inputs + ring.bytes,
      lowerBound: plan.lowerBound,
      largestBinding: Math.max(...dispatches.flatMap((d) => d.ranges.map((r) => r.size))),
      buffers: own.length + stepsInFlight + arenas.reduce((n, a) => n + 1 + a.state.size, 0),
    };
    return new Program({
      device,
      dispatches,
      inputs,
      outputs: results,
      ring,
      own,
      memory,
      schedule: optimizer && {
        range: rangeOf(schedule!),
        next: () => optimizer.schedule(++store.step),
        count: () => store.step,
        fault: { range: rangeOf(fault!), offset: faultOffset },
      },
    });
  });
}

/** Bytes of the arenas that the tape's parameters lie in but this program does not update. */
function untrained(tape: Tape, counted: readonly Arena[]): number {
  const others = tape.store.arenas.filter((a) => !counted.includes(a));
  return others.filter((a) => a.members.some((m) => tape.parameters.has(m))).reduce((n, a) => n + a.bytes, 0);
}

async function makeDispatch(tape: Tape, launch: Launch, rangeOf: (storage: Storage) => BufferRange): Promise<Dispatch> {
  const { shader } = launch;
  const { kernels } = tape.device;
  const ranges: Record<string, BufferRange> = {};
  const reads: string[] = [];
  const writes: string[] = [];
  const written = new Set<GPUBuffer>();
  const read = new Set<GPUBuffer>();
  for (const [name, storage] of Object.entries(launch.bindings)) {
    const range = rangeOf(storage);
    const writable = shader.bindings[name].access === "read_write";
    (writable ? writes : reads).push(storage.name);
    (writable ? written : read).add(range.buffer);
    ranges[name] = range;
  }
  for (const buffer of written) {
    if (read.has(buffer)) throw new TwingradError("SHADER", `${shader.name} would read and write "${buffer.label}".`);
  }
  const bindGroup = kernels.bindGroup(shader, ranges);
  const pipeline = await kernels.pipeline(shader, launch.constants, launch.tunables);
  return {
    kernel: shader.name,
    pipeline,
    bindGroup,
    workgroups: launch.workgroups,
    reads,
    writes,
    ranges: Object.values(ranges),
  };
}

function checkLimits(tape: Tape, launches: readonly Launch[]): void {
  const { limits } = tape.device.gpu;
  const most = Math.min(limits.maxStorageBufferBindingSize, limits.maxBufferSize);
  for (const { shader, bindings, workgroups } of launches) {
    for (const { name, bytes } of Object.values(bindings)) {
      if (bytes <= most) continue;
      throw new TwingradError(
        "LIMIT",
        `${shader.name}: "${name}" takes ${bytes} bytes; this adapter binds at most ${most}. Use a smaller batch or image.`,
      );
    }
    if (Math.max(...workgroups) > limits.maxComputeWorkgroupsPerDimension) {
      throw new TwingradError(
        "LIMIT",
        `${shader.name}: ${workgroups.join(" x ")} workgroups; this adapter takes ` +
          `${limits.maxComputeWorkgroupsPerDimension} in each dimension. Use a smaller batch or image.`,
      );
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
