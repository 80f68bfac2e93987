// Clipping by the global norm: one factor for all gradients of a step, computed on the device before the update.
import partialShader from "../../../shaders/gradientNorm.partial.wgsl";
import scaleShader from "../../../shaders/gradientNorm.scale.wgsl";
import type { Lowering } from "../lower.ts";
import type { ArenaStorages } from "../optimizer.ts";
import { Storage } from "./storage.ts";

export type ArenaGradients = Pick<ArenaStorages, "elements" | "values" | "gradients" | "blocks">;

/** Floats per block, and blocks per workgroup. */
const block = 64;
const chunk = 64;
/** Alignment of binding offsets. */
const alignment = 256;

/**
 * One float: the factor that scales all gradients down to a global norm of `clipNorm` if it is exceeded; the constant 1
 * if there is no clipping.
 */
export function clipFactor(to: Lowering, arenas: readonly ArenaGradients[], clipNorm: number | undefined): Storage {
  if (clipNorm === undefined) return to.storage(to.constant("no clipping", [1], Float32Array.of(1)));
  const sizes = arenas.map(({ elements }) => Math.ceil(elements / block / chunk));
  const starts: number[] = [];
  let bytes = 0;
  for (const size of sizes) {
    starts.push(bytes);
    bytes += Math.ceil((size * 8) / alignment) * alignment; // the padding stays (0, 0) and adds nothing
  }
  const partials = new Storage("buffer", "gradient norms", bytes / 4, "f32");
  arenas.forEach(({ elements, values, gradients, blocks }, i) => {
    const output = to.storage(to.temporary("gradient norms", [2 * sizes[i]]));
    output.within = { whole: partials, offset: starts[i] };
    const constants = { BLOCKS: elements / block, CHUNK: chunk };
    to.launch(partialShader, { values, gradients, blocks, output }, constants, [sizes[i]]);
  });
  const output = to.temporary("clip factor", [1]);
  to.launch(scaleShader, { partials, output }, { COUNT: bytes / 8, CLIP: clipNorm }, [1]);
  return to.storage(output);
}
