// Imports weights of another framework as a model.

import { TwingradError } from "../../errors.ts";
import { decode } from "../../formats/safetensors.ts";
import { decodeSealed, encodeSealed } from "../../formats/seal.ts";
import { descriptionMetadata, type ModelDescription, readDescription } from "../../model/description.ts";
import { isFurther } from "../../model/modelFile.ts";
import { picturesSaid } from "../../model/pictures.ts";
import type { NetworkOptions } from "../../nn/networkOptions.ts";
import { checkOptions, nearest } from "../../options.ts";
import { type ImportOptions, importOptions } from "./importOptions.ts";
import { checkLayout, type Framework, floats, frameworks, fromPytorch, pytorchShape } from "./layouts.ts";
import { assign } from "./names.ts";
import { networkOfWeights } from "./networkOfWeights.ts";
import { parametersOf } from "./parameters.ts";
import { nameIn } from "./theirNames.ts";
import { checkModel, type DescribedModel, licenseKey, modelIn, networkIn } from "./weightMetadata.ts";
import { type InvalidTensor, WeightsError, type WrongTensor } from "./weightsError.ts";

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
  const file = from === "twingrad" ? await decodeSealed(bytes) : decode(bytes);
  const saved = from === "twingrad" && file.metadata.twingrad !== undefined ? readDescription(file) : undefined;
  if (!saved) checkLayout(file, from);
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
  const { loss } = description;
  const expected = parametersOf(description.network, { head: loss === "cross-entropy" });

  const missing: string[] = [];
  const zeros: string[] = [];
  const wrong: WrongTensor[] = [];
  const invalid: InvalidTensor[] = [];
  const taken = new Map<string, { dtype: "F32"; shape: readonly number[]; data: Float32Array }>();
  for (const [name, layout] of expected) {
    const theirs = names.tensors.get(name);
    const tensor = theirs === undefined ? undefined : file.tensors.get(theirs);
    if (!tensor) {
      // Before batch-norm a bias changes nothing, so that most networks of PyTorch have none.
      const isNeedless = theirs === undefined && names.tensors.has(name.replace(/conv\/bias$/, "conv/kernel"));
      if (isNeedless && !saved) {
        zeros.push(nameIn(from, name));
        taken.set(name, { dtype: "F32", shape: layout.shape, data: new Float32Array(layout.shape[0]) });
      } else missing.push(name);
      continue;
    }
    const wanted = from === "pytorch" ? pytorchShape(layout) : layout.shape;
    const values = floats(tensor);
    if (!values || `${tensor.shape}` !== `${wanted}`) {
      wrong.push({ name: theirs!, found: `${tensor.dtype} [${tensor.shape}]`, expected: `floats [${wanted}]` });
      continue;
    }
    const reason = invalidity(name, values);
    if (reason) invalid.push({ name: theirs!, reason });
    const data = from === "pytorch" ? fromPytorch(values, layout) : values;
    taken.set(name, { dtype: "F32", shape: layout.shape, data });
  }
  const unexpected = [...names.tensors].filter(([ours, theirs]) => !expected.has(ours) && file.tensors.has(theirs));
  const inMap = new Set(Object.entries(map ?? {}).flat());
  const misnamed = [...names.tensors.keys()].find((ours) => inMap.has(ours) && !expected.has(ours));
  if (misnamed !== undefined) {
    const near = nearest(misnamed, [...expected.keys()]);
    const meant = near ? `; did you mean "${near}"?` : ".";
    throw new TwingradError("BAD_INPUT", `The map: "${misnamed}" is no parameter of the network${meant}`);
  }
  const unused = [...names.unused, ...unexpected.map(([, theirs]) => theirs)].sort();
  for (const name of kept) {
    const { shape, dtype } = file.tensors.get(name)!;
    const data = floats(file.tensors.get(name)!);
    if (!data) {
      wrong.push({ name, found: `${dtype} [${shape}]`, expected: `floats [${shape}]` });
      continue;
    }
    const reason = invalidity(name, data);
    if (reason) invalid.push({ name, reason });
    taken.set(name, { dtype: "F32", shape, data });
  }
  if (missing.length + unused.length + wrong.length + invalid.length > 0) {
    const map = "Use a map for names that are not found by rule, null ignores a tensor. ";
    const advice = `${missing.length + unused.length > 0 ? map : ""}The network is ${inWords(description.network, loss)}.`;
    throw new WeightsError({ missing, unused, wrong, invalid }, advice, from);
  }
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

/** What no trained network has: values that are not finite as float32, and negative variances. */
function invalidity(name: string, values: Float32Array): string | undefined {
  const infinite = values.reduce((count, value) => count + (Number.isFinite(value) ? 0 : 1), 0);
  if (infinite > 0) return `${infinite} of ${values.length} values that are not finite`;
  const isNegative = name.endsWith("/moving_variance") && values.some((value) => value < 0);
  return isNegative ? "negative variances" : undefined;
}

const inWords = ({ imageSize, filters, embedding }: Required<NetworkOptions>, loss: string) =>
  `pictures of ${imageSize.join(" x ")}, filters ${filters.join(", ")}, embedding ${embedding}, loss ${loss}`;

/** The task, loss and preprocessing: those given, completed from the file's metadata. */
function modelOf(said: Partial<DescribedModel> = {}, options: ImportOptions): DescribedModel {
  const sameLoss = options.loss === undefined || options.loss === said.loss;
  const { task, loss, mining, margin, temperature } = sameLoss
    ? said
    : { ...said, mining: undefined, margin: undefined, temperature: undefined };
  return {
    task: options.task ?? task ?? "recognition",
    loss: options.loss ?? loss ?? "cross-entropy",
    mining,
    margin: options.margin ?? margin ?? 1,
    temperature,
    pictures: picturesSaid({ ...said.pictures, ...options.pictures }),
  };
}
