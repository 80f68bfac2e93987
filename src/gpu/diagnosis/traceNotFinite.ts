// Finds the launch that produced a step's first non-finite value: runs launch by launch and reads back each result.
import type { Device } from "../device.ts";
import type { Dispatch, InputValues, Operand } from "../dispatch.ts";
import { readBuffer } from "../readback.ts";
import type { NotFinite } from "./notFinite.ts";

function search(tensor: string, values: ArrayLike<number>): Omit<NotFinite, "launch"> | undefined {
  let at = -1;
  let count = 0;
  for (let i = 0; i < values.length; i++) {
    if (Number.isFinite(values[i])) continue;
    if (at < 0) at = i;
    count++;
  }
  return at < 0 ? undefined : { tensor, at, value: values[at], count, elements: values.length };
}

/** Expects the inputs and the schedule to be written. */
export async function traceNotFinite(
  device: Device,
  dispatches: readonly Dispatch[],
  inputs: InputValues,
): Promise<NotFinite | undefined> {
  for (const [name, values] of Object.entries(inputs)) {
    const found = search(name, values);
    if (found) return found;
  }
  const read = ({ name, range, elements }: Operand) =>
    readBuffer(device, range.buffer, range.offset, elements).then((values) => search(name, values));
  const visited = new Set<string>();
  for (const { operands } of dispatches) {
    for (const operand of operands) {
      const { name, kept, elements } = operand;
      if (!kept || operand.written || visited.has(`${name} ${elements}`)) continue;
      visited.add(`${name} ${elements}`);
      const found = await read(operand);
      if (found) return found;
    }
  }
  for (const [index, { kernel, pipeline, bindGroup, workgroups, operands }] of dispatches.entries()) {
    const encoder = device.gpu.createCommandEncoder();
    const pass = encoder.beginComputePass();
    pass.setPipeline(pipeline);
    pass.setBindGroup(0, bindGroup);
    pass.dispatchWorkgroups(workgroups[0], workgroups[1], workgroups[2]);
    pass.end();
    device.gpu.queue.submit([encoder.finish()]);
    const reads = operands.filter(({ written }) => !written).map(({ name }) => name);
    for (const operand of operands.filter(({ written, dtype }) => written && dtype === "f32")) {
      const found = await read(operand);
      if (found) return { ...found, launch: { index, of: dispatches.length, kernel, reads } };
    }
  }
  return undefined;
}
