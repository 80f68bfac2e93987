// Hash that ties galleries and exports to a model.
import type { Safetensors } from "../formats/safetensors.ts";
import { sha256 } from "../formats/seal.ts";
import { defaultEpsilon } from "../ops/fused/blockShape.ts";
import type { ModelDescription } from "./description.ts";
import { isFurther, openSaved } from "./modelFile.ts";

/** The fingerprint of a model file: that of the `Model` opened from it. */
export async function fingerprintOfModel(bytes: Uint8Array): Promise<string> {
  const { file, description } = await openSaved(bytes);
  return fingerprintOf(file, description);
}

/** SHA-256 over what embeddings and distances depend on: the network's options, its pictures, its loss, its weights. */
export async function fingerprintOf(file: Safetensors, { network, loss, pictures }: ModelDescription): Promise<string> {
  const { imageSize, filters, embedding, embeddingActivation, batchNormEpsilon } = network;
  // Defaults are left out, so that models from before these options keep their fingerprints.
  const activation = embeddingActivation === "sigmoid" ? undefined : embeddingActivation;
  const epsilon = batchNormEpsilon === defaultEpsilon ? undefined : batchNormEpsilon;
  const towers = network.towers.every((kind) => kind === "pixels") ? undefined : network.towers;
  const matters = (name: string) => /^(tower\d*|head)\//.test(name) || isFurther(name);
  const names = [...file.tensors.keys()].filter(matters).sort();
  const options = new TextEncoder().encode(
    JSON.stringify({ imageSize, filters, embedding, activation, epsilon, towers, loss, names, pictures }),
  );
  const parts = [options, ...names.map((name) => file.tensors.get(name)!.bytes)];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return sha256(whole);
}
