// Checked by the compiler alone (npm run check): a wrong binding or constant of a shader does not compile. Each line
// under @ts-expect-error would be an error of the check itself if it compiled.
import addShader from "../../shaders/add.forward.wgsl";
import scaleShader from "../../shaders/scale.forward.wgsl";
import sumShader from "../../shaders/sum.forward.wgsl";
import type { Lowering } from "../../src/tape/lower.ts";
import type { Tensor } from "../../src/tape/tensor.ts";

export function launches(to: Lowering, a: Tensor, b: Tensor, output: Tensor): void {
  to.launch(addShader, { a, b, output }, { COUNT: 1, ROW: 64 }, [1]);
  // @ts-expect-error: the binding b is missing
  to.launch(addShader, { a, output }, { COUNT: 1, ROW: 64 }, [1]);
  // @ts-expect-error: there is no binding c
  to.launch(addShader, { a, c: b, output }, { COUNT: 1, ROW: 64 }, [1]);
  // @ts-expect-error: the constant FACTOR has no default
  to.launch(scaleShader, { x: a, output }, { COUNT: 1, ROW: 64 }, [1]);
  // @ts-expect-error: the constant is COUNT, not COUNTS
  to.launch(addShader, { a, b, output }, { COUNTS: 1, ROW: 64 }, [1]);
  to.launch(sumShader, { x: a, base: b, output }, { COUNT: 1, CHUNK: 4 }, [1], { WORKGROUP: 128 });
  // @ts-expect-error: there is no tunable TILE
  to.launch(sumShader, { x: a, base: b, output }, { COUNT: 1, CHUNK: 4 }, [1], { TILE: 128 });
}
