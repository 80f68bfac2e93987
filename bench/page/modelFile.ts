// The common weights as a model file, for engines that read files.
import { encodeSealed } from "../../src/formats/seal.ts";
import { siamese } from "../../src/index.ts";
import { descriptionMetadata } from "../../src/model/description.ts";
import type { Configuration, Values } from "../configurations.ts";

/** A model file with these weights. */
export function modelFile(
  { image: imageSize, filters, embedding }: Configuration,
  weights: ReadonlyMap<string, Values>,
): Promise<Uint8Array> {
  const { task, options: network } = siamese({ imageSize, filters, embedding, seed: 1 });
  const tensors = new Map(
    [...weights].map(([name, { shape, data }]) => [name, { dtype: "F32", shape, data } as const]),
  );
  return encodeSealed(tensors, descriptionMetadata({ task, network, loss: "cross-entropy", margin: 1 }, 0));
}
