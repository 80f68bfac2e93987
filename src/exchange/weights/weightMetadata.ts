// What a weight file's metadata say of its model, since tensors do not: the network's options under "network", and its
// task, loss and preprocessing under "model".
import { TwingradError } from "../../errors.ts";
import { jsonMetadata, type Safetensors } from "../../formats/safetensors.ts";
import { centeringOf } from "../../model/centering.ts";
import { type LossName, lossNames, type ModelDescription, readDescription } from "../../model/description.ts";
import { addedIn, type SavedModel } from "../../model/modelFile.ts";
import { arePictures } from "../../model/pictures.ts";
import { whiteningOf } from "../../model/whitening.ts";
import { embeddingLength } from "../../nn/network.ts";
import type { GivenNetwork } from "./importOptions.ts";

export const licenseKey = "license";
/** The network's options that do not follow from its tensors, as JSON. */
const networkKey = "network";
/** The rest of the model's description, as JSON. */
const modelKey = "model";

/** A model's description without its network. */
export type DescribedModel = Pick<ModelDescription, "task" | "loss" | "mining" | "margin" | "temperature" | "pictures">;

export function weightMetadata({ file, description }: SavedModel): Record<string, string> {
  const { network, task, loss, mining, margin, temperature, pictures } = description;
  const { imageSize, embeddingActivation, batchNormEpsilon, batchNormMomentum } = network;
  const license = file.metadata[licenseKey];
  return {
    [networkKey]: JSON.stringify({ imageSize, embeddingActivation, batchNormEpsilon, batchNormMomentum }),
    [modelKey]: JSON.stringify({ task, loss, mining, margin, temperature, pictures }),
    ...(license && { [licenseKey]: license }),
  };
}

/** The steps from a picture to its embedding that are not in the network's layers. */
export function outsideOfLayers({ file, description: { network, loss, pictures = {} } }: SavedModel): string[] {
  const { sourceSize, resize, standardize, crop, alignment, views } = pictures;
  const size = network.imageSize.slice(0, 2).join(" x ");
  const added = addedIn(file);
  return [
    crop && `the crop (${crop.mode})`,
    sourceSize && `resizing ${sourceSize.join(" x ")} pictures to ${size} (${resize ?? "area"})`,
    alignment && "alignment",
    standardize && "standardization of each channel, (x - mean) / sqrt(variance + 1e-5) with x from 0 to 1",
    views && `the mean over views (${views.join(", ")})`,
    loss !== "cross-entropy" && "normalization of embeddings to unit length",
    added.whitening && "whitening",
    added.centering && "centering",
  ].filter((step): step is string => typeof step === "string");
}

/** The options in the metadata, and those given, which have precedence. @throws CORRUPT_FILE for invalid metadata. */
export function networkIn(file: Safetensors, given: GivenNetwork = {}): GivenNetwork {
  const network: GivenNetwork = { ...objectIn(file, networkKey), ...given };
  for (const name of ["towers", "filters"] as const) {
    const value: unknown = network[name];
    if (value === undefined || Array.isArray(value)) continue;
    const what = `import: the network's ${name} is ${JSON.stringify(value)}; expected a list`;
    throw new TwingradError(name in given ? "BAD_INPUT" : "CORRUPT_FILE", `${what}.`);
  }
  const size: unknown = network.imageSize;
  const isSize = (value: unknown) => Array.isArray(value) && [2, 3].includes(value.length) && value.every((extent) => Number.isSafeInteger(extent) && extent > 0); // biome-ignore format: one condition
  if (size === undefined || isSize(size)) return network;
  const expected = "expected [height, width] or [height, width, channels] as positive integers";
  if (given.imageSize)
    throw new TwingradError("BAD_INPUT", `import: imageSize is ${JSON.stringify(size)}; ${expected}.`);
  throw new TwingradError(
    "CORRUPT_FILE",
    `The file's metadata "${networkKey}" have the imageSize ${JSON.stringify(size)}; ${expected}.`,
  );
}

/** Undefined for a file that another program wrote. @throws CORRUPT_FILE if it is not valid. */
export function modelIn(file: Safetensors): Partial<DescribedModel> | undefined {
  const model = objectIn(file, modelKey);
  if (!model) return undefined;
  const { pictures, loss = "cross-entropy", margin = 1 } = model;
  const wrong = (what: string) => new TwingradError("CORRUPT_FILE", `The file's metadata "${modelKey}" have ${what}.`);
  if (!arePictures(pictures)) throw wrong(`invalid pictures: ${JSON.stringify(pictures)}`);
  if (!lossNames.includes(loss as LossName)) {
    throw wrong(`the loss ${JSON.stringify(loss)}; expected ${lossNames.join(", ")}`);
  }
  if (!isMargin(margin)) throw wrong(`the margin ${JSON.stringify(margin)}; expected a distance above 0, or "soft"`);
  return model;
}

/** Half of it is a threshold, which nothing would reach at 0. */
export const isMargin = (value: unknown): boolean =>
  value === "soft" || (typeof value === "number" && Number.isFinite(value) && value > 0);

function objectIn(file: Safetensors, key: string): Record<string, unknown> | undefined {
  const isObject = (value: unknown) => typeof value === "object" && value !== null && !Array.isArray(value);
  return jsonMetadata(
    file,
    key,
    isObject,
    (text) => `The file's metadata "${key}" is ${text}; expected a JSON object.`,
  );
}

/** @throws CORRUPT_FILE if this model would be refused when it is opened. */
export function checkModel(file: Safetensors): void {
  const { network } = readDescription(file);
  whiteningOf(file, { towers: network.towers.length, length: network.embedding });
  centeringOf(file, embeddingLength(network));
}
