// From a plan to a program: all GPU objects of a step are created here, once.

import { TwingradError } from "../errors.ts";
import type { Device } from "../gpu/device.ts";
import type { BufferRange, Dispatch, Operand } from "../gpu/dispatch.ts";
import { Program, type ProgramParts } from "../gpu/program.ts";
import { StagingRing } from "../gpu/readback.ts";
import { writeShapes } from "../gpu/shapeUniform.ts";
import { explain, graphOf } from "./explain.ts";
import type { Launch } from "./lower.ts";
import type { Storage } from "./lowering/storage.ts";
import { type CompileOptions, type ProgramPlan, planProgram, stepsInFlight } from "./plan.ts";
import type { Rule } from "./rewrite.ts";
import type { Tape } from "./tape.ts";

/** @param unused rules to skip, for tests. */
export async function compile(tape: Tape, options: CompileOptions, unused?: readonly Rule[]): Promise<Program> {
  const { device } = tape;
  const { plan, created } = await device.checked("compile", () => {
    const plan = planProgram(tape, options, unused);
    return { plan, created: createPipelines(device, plan) }; // they compile while the device is asked about its memory
  });
  const pipelines = await device.wait(created);
  const own: GPUBuffer[] = [];
  const make = (...buffer: Parameters<Device["createBuffer"]>) => {
    own.push(device.createBuffer(...buffer));
    return own[own.length - 1];
  };
  try {
    return await device.checked("compile", () => build(tape, plan, pipelines, own, make));
  } catch (error) {
    for (const buffer of own) device.release(buffer); // a failed compilation leaves no buffers behind
    throw error;
  }
}

function createPipelines({ kernels }: Device, { launches }: ProgramPlan): Promise<GPUComputePipeline[]> {
  const created = Promise.all(
    launches.map(({ shader, constants, tunables }) => kernels.pipeline(shader, constants, tunables)),
  );
  created.catch(() => {}); // nobody waits for them if there is too little memory
  return created;
}

function build(
  tape: Tape,
  plan: ProgramPlan,
  pipelines: readonly GPUComputePipeline[],
  own: readonly GPUBuffer[],
  make: Device["createBuffer"],
): Program {
  const { device, store } = tape;
  const { schedule, fault, optimizer } = plan;
  const slots = plan.slots.map((bytes, i) => make(`temporaries ${i}`, bytes));
  const fixed = new Map<Storage, GPUBuffer>();
  const rangeOf = (storage: Storage): BufferRange => {
    if (storage.external) return { ...storage.external, size: storage.bytes };
    if (storage.within) return { ...rangeOf(storage.within.whole), offset: storage.within.offset, size: storage.bytes };
    const slot = plan.slotOf.get(storage);
    if (slot !== undefined) return { buffer: slots[slot], offset: 0, size: storage.bytes };
    let buffer = fixed.get(storage);
    if (!buffer) {
      buffer = make(storage.name, storage.bytes, storage === schedule ? "uniform" : "storage");
      fixed.set(storage, buffer);
      if (storage.kind === "constant") device.write(buffer, 0, storage.data!);
    }
    return { buffer, offset: 0, size: storage.bytes };
  };

  const shapes = writeShapes(device, plan.launches, make);
  const dispatches = plan.launches.map((launch, i) => makeDispatch(tape, launch, pipelines[i], shapes[i], rangeOf));
  const inputs: ProgramParts["inputs"] = new Map(
    [...tape.inputs].map(([name, t]) => [name, { range: rangeOf(t.source!), elements: t.size, dtype: t.dtype }]),
  );
  const outputs = plan.results.map(({ storage, ...result }) => ({ ...result, range: rangeOf(storage) }));
  const staging = Array.from({ length: stepsInFlight }, (_, i) => make(`results ${i}`, plan.resultBytes, "readback"));
  return new Program({
    device,
    constant: dispatches.slice(0, plan.constant),
    dispatches: dispatches.slice(plan.constant),
    parameters: store,
    inputs,
    outputs,
    ring: new StagingRing(device, staging),
    own,
    memory: plan.memory,
    graph: () => graphOf(plan),
    explain,
    gradients: plan.gradients.map(rangeOf),
    schedule: optimizer && {
      range: rangeOf(schedule!),
      next: () => optimizer.schedule(++store.step),
      count: () => store.step,
      fault: { range: rangeOf(fault!), offset: plan.faultOffset },
    },
  });
}

function makeDispatch(
  tape: Tape,
  launch: Launch,
  pipeline: GPUComputePipeline,
  shape: GPUBufferBinding | undefined,
  rangeOf: (storage: Storage) => BufferRange,
): Dispatch {
  const { shader } = launch;
  const { kernels } = tape.device;
  const ranges: Record<string, BufferRange> = {};
  const operands: Operand[] = [];
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
    const { elements, dtype, kind } = storage;
    operands.push({ name: storage.name, range, elements, dtype, written: writable, kept: kind === "parameter" });
  }
  for (const buffer of written) {
    if (read.has(buffer)) throw new TwingradError("SHADER", `${shader.name} would read and write "${buffer.label}".`);
  }
  const bindGroup = kernels.bindGroup(shader, ranges, shape);
  return {
    kernel: shader.name,
    pipeline,
    bindGroup,
    part: launch.choice?.key,
    workgroups: launch.workgroups,
    reads,
    writes,
    operands,
  };
}
