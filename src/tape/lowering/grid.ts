// The number of workgroups for a launch of independent threads, and the threads of one whose threads are summed.
import type { Lowering } from "../lower.ts";

const workgroupSize = 64;
const groupsPerDimension = 65535; // WebGPU's default of maxComputeWorkgroupsPerDimension

/**
 * Grid and constants of a launch of `count` independent threads in workgroups of 64. Beyond the device limit of 65,535
 * workgroups per dimension the grid has a second one; ROW is the number of threads in one row of the grid.
 */
export function threads(count: number): { groups: [number, number]; constants: { COUNT: number; ROW: number } } {
  const groups = Math.ceil(count / workgroupSize);
  const x = Math.min(groups, groupsPerDimension);
  return { groups: [x, Math.ceil(groups / x)], constants: { COUNT: count, ROW: x * workgroupSize } };
}

/** The same for an element-wise launch with one vec4 per thread. */
export function vec4Threads(size: number): ReturnType<typeof threads> {
  return threads(Math.ceil(size / 4));
}

/**
 * Threads of a workgroup that sum some hundred values through workgroup memory. A software adapter executes four at a
 * time and switches between them at each barrier: seven barriers of 64 threads cost more than the sums.
 */
export const summing = (to: Lowering) => ({ WORKGROUP: to.device.adapter.software ? 4 : 64 });
