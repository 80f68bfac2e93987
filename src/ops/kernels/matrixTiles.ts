// What one thread and one workgroup of the matrix kernels (conv2d.*, dense.*) compute.
import type { Lowering } from "../../tape/lower.ts";

/** Rows (or pixels) and columns (or channels) of a thread's register tile. */
export const tile = 8;

/**
 * A workgroup of up to 64 threads: as many over columns as there are tiles of columns, up to eight; the rest over rows, no
 * more than there are tiles of rows. A software adapter goes through all instructions with threads that have nothing to do.
 */
export function lanesFor(rows: number, columns: number): { LANES: number; TILES: number } {
  const LANES = Math.min(8, 2 ** Math.ceil(Math.log2(Math.ceil(columns / tile))));
  return { LANES, TILES: Math.min(64 / LANES, Math.ceil(rows / tile)) };
}

/** What a workgroup of the `.uniform` kernels computes. */
export const uniformTile = { rows: 8, gradientRows: 16, columns: 64 };

/** Whether the `.uniform` kernels can do it, which read one operand as vec4s at addresses that a workgroup shares. */
export const fitsUniform = (inputs: number): boolean => inputs % 4 === 0;

/** On GPUs that load costs next to nothing; software adapters make four loads of it for each of their few lanes. */
export const prefersUniform = (to: Lowering): boolean => !to.device.adapter.software;

/** Whether kernels may add over subgroups: on GPUs that have them, and nowhere that takes the portable kernels alone. */
export const hasSubgroups = ({ device: { gpu, adapter, portable } }: Lowering): boolean =>
  !portable && !adapter.software && gpu.features.has("subgroups");

/** Whether products may round to float16: where the tape allows it and the GPU can. */
export const allowsHalf = ({ device: { gpu, adapter }, options }: Lowering): boolean =>
  options.products === "float16" && !adapter.software && gpu.features.has("shader-f16");

/** Terms that a part of a sum has at least: fewer would cost more in the second pass than they gain. */
const fewestTerms = 256;

/**
 * How many parts a sum over `lines` lines of `width` terms is cut into, where one part takes `workgroups` workgroups: as
 * many as keep the adapter busy, of at least `fewest` terms each.
 */
export function partsFor(
  to: Lowering,
  lines: number,
  width: number,
  workgroups: number,
  fewest = fewestTerms,
): { part: number; parts: number } {
  const busy = to.device.adapter.software ? 32 : 1024;
  const most = Math.max(1, Math.floor((lines * width) / fewest));
  const part = Math.ceil(lines / Math.min(lines, most, Math.ceil(busy / workgroups)));
  return { part, parts: Math.ceil(lines / part) };
}
