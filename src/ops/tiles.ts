// What one thread and one workgroup of the matrix kernels (conv2d.*, dense.*) compute.

/** Rows (or pixels) and columns (or channels) of a thread's register tile. */
export const tile = 8;

/** A workgroup of 64 threads: as many over columns as there are tiles of columns, up to eight; the rest over rows. */
export function lanesFor(columns: number): { LANES: number; TILES: number } {
  const LANES = Math.min(8, 2 ** Math.ceil(Math.log2(Math.ceil(columns / tile))));
  return { LANES, TILES: 64 / LANES };
}

/** Workgroups that keep an adapter busy; more parts than that only make the second pass longer. */
const busy = 256;

/** How many parts a sum of that length is cut into, where one part takes `workgroups` workgroups. */
export function partsFor(length: number, workgroups: number): { part: number; parts: number } {
  const part = Math.ceil(length / Math.min(length, Math.ceil(busy / workgroups)));
  return { part, parts: Math.ceil(length / part) };
}
