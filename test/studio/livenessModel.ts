// Liveness models that decide by brightness, without training: one takes bright pictures for attacks, the other dark ones.
import { parametersOf } from "../../src/exchange/weights/parameters.ts";
import { encodeSealed } from "../../src/formats/seal.ts";
import { descriptionMetadata } from "../../src/model/description.ts";
import { networkOf } from "../../src/nn/livenessNetwork.ts";

const side = 24;
/** Mean brightness between that of drawn faces and white. */
const middle = 0.75;

/** @param refuses which pictures score less than 0.5. */
export function livenessOfBrightness(refuses: "bright" | "dark"): Promise<Uint8Array> {
  const { options: network } = networkOf("liveness", { imageSize: [side, side, 3], filters: [1], embedding: 1 });
  const sign = refuses === "bright" ? -1 : 1;
  const tensors = new Map<string, { dtype: "F32"; shape: readonly number[]; data: Float32Array }>();
  for (const [name, { shape }] of parametersOf(network, { head: true })) {
    const size = shape.reduce((product, extent) => product * extent, 1);
    const data = new Float32Array(size);
    if (/conv\/kernel$/.test(name)) data.fill(1 / 3, 12, 15); // the mean of the channels, at the kernel's center
    if (/gamma$|moving_variance$/.test(name)) data.fill(1);
    if (/dense\/kernel$/.test(name)) data.fill(20 / size); // 20 times the mean of all pixels
    if (/dense\/bias$/.test(name)) data.fill(-20 * middle); // the embedding is the sigmoid
    if (/head\/kernel$/.test(name)) data.fill(10 * sign);
    if (/head\/bias$/.test(name)) data.fill(-5 * sign);
    tensors.set(name, { dtype: "F32", shape, data });
  }
  return encodeSealed(
    tensors,
    descriptionMetadata({ task: "liveness", network, loss: "cross-entropy", margin: 1 }, 1000),
  );
}
