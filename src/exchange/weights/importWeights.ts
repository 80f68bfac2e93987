// Imports weights of another framework as a model.

import { TwingradError } from "../../errors.ts";
import { decode } from "../../formats/safetensors.ts";
import { decodeSealed, encodeSealed } from "../../formats/seal.ts";
import { descriptionMetadata, type LossName, type ModelDescription, readDescription } from "../../model/description.ts";
import { type PictureOptions, picturesSaid } from "../../model/pictures.ts";
import type { NetworkTask } from "../../nn/network.ts";
import type { NetworkOptions } from "../../nn/networkOptions.ts";
import { checkOptions, type Known } from "../../options.ts";
import { type Framework, floats, frameworks, fromPytorch, pytorchShape } from "./layouts.ts";
import { assign } from "./names.ts";
import { networkOfWeights } from "./networkOfWeights.ts";
import { parametersOf } from "./parameters.ts";
import { nameIn } from "./theirNames.ts";
import { checkModel, type DescribedModel, isFurther, licenseKey, modelIn, networkIn } from "./weightMetadata.ts";
import { type InvalidTensor, WeightsError, type WrongTensor } from "./weightsError.ts";

/** Options of `importWeights`. */
export interface ImportOptions {
  /** The framework whose layouts and names the file has. */
  readonly from: Framework;
  /**
   * Names that are not found by rule: from ours to theirs or from theirs to ours; from theirs to null to ignore a
   * tensor.
   */
  readonly map?: Readonly<Record<string, string | null>>;
  /**
   * Options of the network that do not follow from its tensors, which determine filters, embedding and channels.
   * Missing ones come from the JSON under "network" in the file's metadata; without it, pictures are square, and
   * batch-norm's epsilon and momentum are the framework's defaults.
   */
  readonly network?: Partial<Omit<NetworkOptions, "seed" | "imageSize">> & {
    /** Height and width; the channels are those of the first filters. */
    readonly imageSize?: readonly number[];
  };
  /** The task. @default that in the file's metadata, or "recognition" */
  readonly task?: NetworkTask;
  /**
   * The loss that the weights were trained with; cross-entropy requires a head.
   * @default that in the file's metadata, or "cross-entropy"
   */
  readonly loss?: LossName;
  /** The margin of the contrastive loss: half of it is the threshold until the model is calibrated. @default that in the file's metadata, or 1 */
  readonly margin?: number;
  /** The preprocessing of pictures, beside that in the file's metadata. */
  readonly pictures?: PictureOptions;
  /** The license of the weights, stored in the model. @default that of the file */
  readonly license?: string;
}

const importOptions: Known<ImportOptions> = {
  from: 1,
  map: 1,
  network: 1,
  task: 1,
  loss: 1,
  margin: 1,
  pictures: 1,
  license: 1,
};

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
  const said = modelIn(file);
  const kept = saved || said ? [...file.tensors.keys()].filter(isFurther) : [];
  const parameters = new Map([...file.tensors].filter(([name]) => !kept.includes(name)));
  const names = assign(parameters, from, map);
  const network = { ...defaultsOf[from], ...networkIn(file), ...options.network };
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
  const unused = [...names.unused, ...unexpected.map(([, theirs]) => theirs)].sort();
  for (const name of kept) {
    const { shape } = file.tensors.get(name)!;
    const data = floats(file.tensors.get(name)!)!;
    const reason = invalidity(name, data);
    if (reason) invalid.push({ name, reason });
    taken.set(name, { dtype: "F32", shape, data });
  }
  if (missing.length + unused.length + wrong.length + invalid.length > 0) {
    const advice = `Use a map for names that are not found by rule; the network is ${inWords(description.network, loss)}.`;
    throw new WeightsError({ missing, unused, wrong, invalid }, advice, from);
  }
  const { license = file.metadata[licenseKey] } = options;
  const metadata = { ...(saved && file.metadata), ...(license !== undefined && { [licenseKey]: license }) };
  const bytesOfModel = await encodeSealed(taken, {
    ...metadata,
    ...descriptionMetadata(description, saved?.step ?? 0),
  });
  checkModel(decode(bytesOfModel));
  return { model: bytesOfModel, tensors: taken.size - zeros.length, ignored: names.ignored, zeros };
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
