// Matrix products that may round their operands to float16, where a tape allows it and the GPU supports it. Inference
// networks never do, so a page that only embeds does not download the kernel.
import halfShader from "../../../shaders/gpu/dense.forward.half.wgsl";
import type { Lowering } from "../../tape/lower.ts";
import {
  type Activation,
  type LaunchAlike,
  launchProduct,
  type Product,
  type ProductTensors,
} from "./matrixProduct.ts";
import { allowsHalf } from "./matrixTiles.ts";

export function launchRoundedProduct(
  to: Lowering,
  product: Product,
  tensors: ProductTensors,
  activation?: Activation,
): void {
  const grid = [Math.ceil(product.outputs / 32), Math.ceil(product.rows / 32)] as const;
  const half: LaunchAlike = (bindings, constants) => to.launch(halfShader, bindings, constants, grid);
  launchProduct(to, product, tensors, activation, allowsHalf(to) && product.batch === 1 ? half : undefined);
}
