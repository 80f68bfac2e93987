// An update that the host computed, added to the parameters on the device: they may change until it arrives there.
import shader from "../../shaders/arena.add.wgsl";
import { vec4Threads } from "../tape/lowering/grid.ts";
import type { Arena, ParameterStore } from "../tape/parameters.ts";

/** A dispatch that adds the values of `terms`, which has the arena's layout, to its parameters. */
export async function arenaAddition(
  { device: { kernels } }: ParameterStore,
  { bytes, values }: Arena,
  terms: GPUBuffer,
) {
  const { groups, constants } = vec4Threads(bytes / 4);
  const pipeline = await kernels.pipeline(shader, constants);
  const bindGroup = kernels.bindGroup(shader, { values: { buffer: values }, terms: { buffer: terms } }, undefined);
  return { pipeline, bindGroup, workgroups: [...groups, 1] as const };
}
