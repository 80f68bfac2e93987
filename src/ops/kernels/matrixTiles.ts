// Tile sizes of the matrix kernels (conv2d.*, dense.*) per thread and per workgroup.
import type { Lowering } from "../../tape/lower.ts";

/** Rows (or pixels) and columns (or channels) of a thread's register tile. */
export const tile = 8;

/**
 * A workgroup of up to 64 threads: up to eight over columns, the rest over rows, at most one per tile. Idle threads
 * cost a software adapter as much as busy ones.
 */
export function lanesFor(rows: number, columns: number): { LANES: number; TILES: number } {
  const LANES = Math.min(8, 2 ** Math.ceil(Math.log2(Math.ceil(columns / tile))));
  return { LANES, TILES: Math.min(64 / LANES, Math.ceil(rows / tile)) };
}

/** The tile of a workgroup of the `.uniform` kernels. */
export const uniformTile = { rows: 8, gradientRows: 16, columns: 64 };

/** Whether the `.uniform` kernels apply: they read one operand as vec4s at addresses that a workgroup shares. */
export const fitsUniform = (inputs: number): boolean => inputs % 4 === 0;

/** On GPUs that load is nearly free; software adapters execute four loads for each of their few lanes. */
export const prefersUniform = (to: Lowering): boolean => !to.device.adapter.software;

/** Whether kernels may use subgroups: on GPUs that have them, unless only portable kernels are allowed. */
export const hasSubgroups = ({ device: { gpu, adapter, portable } }: Lowering): boolean =>
  !portable && !adapter.software && gpu.features.has("subgroups");

/** Whether products may round to float16: if the tape allows it and the GPU supports it. */
export const allowsHalf = ({ device: { gpu, adapter }, options }: Lowering): boolean =>
  options.products === "float16" && !adapter.software && gpu.features.has("shader-f16");

/** The fewest terms of a part of a sum: the second pass would cost more than smaller parts gain. */
const fewestTerms = 256;

/**
 * The number of parts of a sum over `lines` lines of `width` terms, if one part takes `workgroups` workgroups: enough
 * to keep the adapter busy, with at least `fewest` terms each.
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
