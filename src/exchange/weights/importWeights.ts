// Imports weights of another framework as a model.

import { TwingradError } from "../../errors.ts";
import { decode } from "../../formats/safetensors.ts";
import { decodeSealed, encodeSealed } from "../../formats/seal.ts";
import { defaultMargin, descriptionMetadata, type ModelDescription, readDescription } from "../../model/description.ts";
import { isFurther } from "../../model/modelFile.ts";
import { picturesSaid } from "../../model/pictures.ts";
import type { NetworkOptions } from "../../nn/networkOptions.ts";
import { checkOptions, expectBytes } from "../../options.ts";
import { type ImportOptions, importOptions } from "./importOptions.ts";
import { checkLayout, type Framework, frameworks } from "./layouts.ts";
import { assign } from "./names.ts";
import { networkOfWeights } from "./networkOfWeights.ts";
import { takeTensors } from "./takeTensors.ts";
import { checkModel, type DescribedModel, isMargin, licenseKey, modelIn, networkIn } from "./weightMetadata.ts";

/** A model from another framework's weights. */
export interface ImportedWeights {
  /** The bytes of a model file, for `Model.open` or a trainer's `init`. */
  readonly model: Uint8Array;
  /** The number of imported tensors. */
  readonly tensors: number;
  /** The names of ignored tensors: counters, optimizer state, and those that the map ignores. */
  readonly ignored: readonly string[];
  /** The names of convolution biases that the file lacks: they are zeros in the model. */
  readonly zeros: readonly string[];
  /** Options of the network that neither the file nor the caller gave, with the values that were assumed. */
  readonly assumed: Partial<Pick<NetworkOptions, "imageSize" | "batchNormEpsilon" | "embeddingActivation">>;
}

const defaultsOf: Readonly<Record<Framework, Partial<NetworkOptions>>> = {
  pytorch: { batchNormEpsilon: 1e-5, batchNormMomentum: 0.9 },
  keras: { batchNormEpsilon: 1e-3, batchNormMomentum: 0.99 },
  twingrad: {},
};

/**
 * Imports weights that another framework trained, as a model.
 * @param bytes - the bytes of a safetensors file; float16, bfloat16 and float64 are converted to float32.
 * @throws WeightsError with all tensors that are missing, unused, of a wrong shape or not finite; CORRUPT_FILE for bytes that are
 * not a safetensors file; BAD_INPUT for invalid options.
 * @example
 * ```ts
 * import { readFile } from "node:fs/promises";
 * import { importWeights } from "twingrad/exchange";
 *
 * const { model, ignored } = await importWeights(await readFile("weights.safetensors"), {
 *   from: "pytorch",
 *   network: { imageSize: [56, 46] },
 * });
 * ```
 */
export async function importWeights(bytes: Uint8Array, options: ImportOptions): Promise<ImportedWeights> {
  checkOptions("importWeights", options, importOptions);
  const { from, map } = options;
  if (!frameworks.includes(from)) {
    throw new TwingradError("BAD_INPUT", `import: from is "${from}"; expected ${frameworks.join(", ")}.`);
  }
  expectBytes("importWeights: the file", bytes);
  const file = from === "twingrad" ? await decodeSealed(bytes) : decode(bytes);
  const saved = from === "twingrad" && file.metadata.twingrad !== undefined ? readDescription(file) : undefined;
  if (saved) refuseOthers(options, saved);
  else checkLayout(file, from);
  const said = modelIn(file);
  const kept = saved || said ? [...file.tensors.keys()].filter(isFurther) : [];
  const parameters = new Map([...file.tensors].filter(([name]) => !kept.includes(name)));
  const names = assign(parameters, from, map);
  const given = networkIn(file, options.network);
  const network = { ...defaultsOf[from], ...given };
  const model = modelOf(said, options);
  const description: ModelDescription = saved ?? {
    ...model,
    network: networkOfWeights(file, names.tensors, { from, task: model.task, network }),
  };
  const { taken, zeros } = takeTensors(file, description, names, { from, map, kept, complete: saved !== undefined });
  const { license = file.metadata[licenseKey] } = options;
  const metadata = { ...(saved && file.metadata), ...(license !== undefined && { [licenseKey]: license }) };
  const bytesOfModel = await encodeSealed(taken, {
    ...metadata,
    ...descriptionMetadata(description, saved?.step ?? 0),
  });
  checkModel(decode(bytesOfModel));
  const { imageSize, batchNormEpsilon, embeddingActivation } = description.network;
  const ofFile = Object.entries({ imageSize, batchNormEpsilon, embeddingActivation });
  const assumed = saved ? {} : Object.fromEntries(ofFile.filter(([name]) => given[name as keyof typeof given] === undefined)); // biome-ignore format: one choice
  return { model: bytesOfModel, tensors: taken.size - zeros.length, ignored: names.ignored, zeros, assumed };
}

/** A model of twingrad says all of itself: another value beside it would be ignored. */
function refuseOthers(options: ImportOptions, { network, pictures = {}, ...rest }: ModelDescription): void {
  const { from, map, license, network: givenNetwork = {}, pictures: givenPictures = {}, ...given } = options;
  const { imageSize } = givenNetwork;
  const said: Record<string, unknown> = { ...rest, ...network, ...pictures };
  if (imageSize) said.imageSize = network.imageSize.slice(0, imageSize.length); // without channels, too
  const isOther = ([name, value]: [string, unknown]) =>
    value !== undefined && JSON.stringify(value) !== JSON.stringify(said[name]);
  const other = Object.entries({ ...given, ...givenNetwork, ...givenPictures }).find(isOther);
  if (!other) return;
  const [name, value] = other.map((one) => JSON.stringify(one));
  const own = JSON.stringify(said[other[0]]) ?? "none";
  throw new TwingradError(
    "BAD_INPUT",
    `import: ${name} is ${value}; the file is a model of twingrad, which has ${own}.`,
  );
}

/** The task, loss and preprocessing: those given, completed from the file's metadata. */
function modelOf(said: Partial<DescribedModel> = {}, options: ImportOptions): DescribedModel {
  const sameLoss = options.loss === undefined || options.loss === said.loss;
  const { task, loss, mining, margin, temperature } = sameLoss
    ? said
    : { ...said, mining: undefined, margin: undefined, temperature: undefined };
  const resolved = options.loss ?? loss ?? "cross-entropy";
  const resolvedTask = options.task ?? task ?? "recognition";
  const refuse = (what: string) => {
    throw new TwingradError("BAD_INPUT", `import: ${what}.`);
  };
  if (resolvedTask === "liveness" && resolved !== "cross-entropy") {
    refuse(`the task (--task) is liveness, whose loss is cross-entropy, and the loss (--loss) is ${resolved}`);
  }
  if (options.margin !== undefined && resolved !== "contrastive" && resolved !== "triplet") {
    refuse(`margin (--margin) is of the losses contrastive and triplet, not ${resolved}`);
  }
  if (options.margin !== undefined && !isMargin(options.margin)) {
    refuse(`margin (--margin) is ${options.margin}; expected a distance above 0`);
  }
  return {
    task: resolvedTask,
    loss: resolved,
    mining,
    margin: options.margin ?? margin ?? defaultMargin(resolved),
    temperature,
    pictures: picturesSaid({ ...said.pictures, ...options.pictures }),
  };
}
