// Clipping by the global norm (Pascanu, Mikolov and Bengio 2013, algorithm 1): g * clipNorm / max(norm, clipNorm), with
// norm the root of the sum of g^2 over all gradients together.

import { map, type NdArrays } from "../ndarray.ts";

export function clip(gradients: NdArrays, clipNorm: number): NdArrays {
  const all = Object.values(gradients).flatMap(({ data }) => [...data]);
  const norm = Math.hypot(...all);
  const factor = clipNorm / Math.max(norm, clipNorm);
  return Object.fromEntries(Object.entries(gradients).map(([name, g]) => [name, map(g, (v) => factor * v)]));
}
