// Imports weights of another framework as a model.

import { TwingradError } from "../../errors.ts";
import { decode, type Safetensors } from "../../formats/safetensors.ts";
import { decodeSealed, encodeSealed } from "../../formats/seal.ts";
import { descriptionMetadata, type LossName, type ModelDescription, readDescription } from "../../model/description.ts";
import { type PictureOptions, picturesSaid } from "../../model/pictures.ts";
import { networkOf } from "../../nn/livenessNetwork.ts";
import type { NetworkTask } from "../../nn/network.ts";
import type { NetworkOptions } from "../../nn/networkOptions.ts";
import { checkOptions, type Known } from "../../options.ts";
import { type Framework, floats, frameworks, fromPytorch, pytorchShape } from "./layouts.ts";
import { assign } from "./names.ts";
import { parametersOf } from "./parameters.ts";
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
  /** The task. @default "recognition" */
  readonly task?: NetworkTask;
  /** The loss that the weights were trained with; cross-entropy requires a head. @default "cross-entropy" */
  readonly loss?: LossName;
  /** The margin of the contrastive loss: half of it is the threshold until the model is calibrated. @default 1 */
  readonly margin?: number;
  /** The preprocessing of pictures. */
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
}

export const licenseKey = "license";
/** The key in a safetensors file's metadata for the network's options that do not follow from its tensors, as JSON. */
export const networkKey = "network";

const defaultsOf: Readonly<Record<Framework, Partial<NetworkOptions>>> = {
  pytorch: { batchNormEpsilon: 1e-5, batchNormMomentum: 0.9 },
  keras: { batchNormEpsilon: 1e-3, batchNormMomentum: 0.99 },
  twingrad: {},
};

/** Tensors of a model file that belong to it without being parameters of the network. */
const further = /^(whitening|centering)\//;

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
  const kept = saved ? [...file.tensors.keys()].filter((name) => further.test(name)) : [];
  const parameters = new Map([...file.tensors].filter(([name]) => !kept.includes(name)));
  const names = assign(parameters, from, map);
  const network = { ...defaultsOf[from], ...networkIn(file), ...options.network };
  const description = saved ?? describe(file, names.tensors, { ...options, network });
  const { loss } = description;
  const expected = parametersOf(description.network, { head: loss === "cross-entropy" });

  const missing: string[] = [];
  const wrong: WrongTensor[] = [];
  const invalid: InvalidTensor[] = [];
  const taken = new Map<string, { dtype: "F32"; shape: readonly number[]; data: Float32Array }>();
  for (const [name, layout] of expected) {
    const theirs = names.tensors.get(name);
    const tensor = theirs === undefined ? undefined : file.tensors.get(theirs);
    if (!tensor) {
      missing.push(name);
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
    throw new WeightsError({ missing, unused, wrong, invalid }, advice);
  }
  const { license = file.metadata[licenseKey] } = options;
  const metadata = { ...(saved && file.metadata), ...(license !== undefined && { [licenseKey]: license }) };
  const model = await encodeSealed(taken, { ...metadata, ...descriptionMetadata(description, saved?.step ?? 0) });
  return { model, tensors: taken.size, ignored: names.ignored };
}

/** What no trained network has: values that are not finite as float32, and negative variances. */
function invalidity(name: string, values: Float32Array): string | undefined {
  const infinite = values.reduce((count, value) => count + (Number.isFinite(value) ? 0 : 1), 0);
  if (infinite > 0) return `${infinite} of ${values.length} values that are not finite`;
  const isNegative = name.endsWith("/moving_variance") && values.some((value) => value < 0);
  return isNegative ? "negative variances" : undefined;
}

/** The network's options in a file's metadata. @throws CORRUPT_FILE unless they are a JSON object. */
function networkIn({ metadata }: Safetensors): Partial<NetworkOptions> {
  const text = metadata[networkKey];
  if (text === undefined) return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // reported below
  }
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value;
  throw new TwingradError("CORRUPT_FILE", `The file's metadata "${networkKey}" is ${text}; expected a JSON object.`);
}

const inWords = ({ imageSize, filters, embedding }: Required<NetworkOptions>, loss: string) =>
  `pictures of ${imageSize.join(" x ")}, filters ${filters.join(", ")}, embedding ${embedding}, loss ${loss}`;

/** The network's options: those given, completed from the tensors' shapes. */
function describe(
  file: Safetensors,
  names: ReadonlyMap<string, string>,
  { from, task = "recognition", loss = "cross-entropy", margin = 1, pictures, network = {} }: ImportOptions,
): ModelDescription {
  const shapeOf = (name: string) => file.tensors.get(names.get(name) ?? "")?.shape;
  const isPytorch = from === "pytorch";
  /** [inputs, outputs] of a layer's kernel, in either layout. */
  const ends = (name: string) => {
    const shape = shapeOf(name);
    if (!shape || shape.length < 2) return undefined;
    return isPytorch ? [shape[1], shape[0]] : [shape[shape.length - 2], shape[shape.length - 1]];
  };
  const towers = network.towers ?? towersOf(names);
  const numbers = [...names.keys()].map((name) => Number(/^tower\d*\/block(\d+)\//.exec(name)?.[1] ?? 0));
  const blocks = Math.max(0, ...numbers);
  const filtersAt = (n: number) => {
    const block = (leaf: string) => towers.map((_, i) => `tower${i === 0 ? "" : i + 1}/block${n}/${leaf}`);
    const found = [
      ...block("conv/kernel").map((name) => ends(name)?.[1]),
      ...["norm/gamma", "conv/bias"].flatMap((leaf) => block(leaf).map((name) => shapeOf(name)?.[0])),
      ends(`tower/block${n + 1}/conv/kernel`)?.[0],
    ];
    return found.find((count) => count !== undefined);
  };
  const filters = network.filters ?? Array.from({ length: blocks }, (_, i) => filtersAt(i + 1) ?? 1);
  const embedding =
    network.embedding ??
    ends("tower/dense/kernel")?.[1] ??
    shapeOf("tower/dense/bias")?.[0] ??
    ends("head/kernel")?.[0];
  if (filters.length === 0 || embedding === undefined) {
    const missing = [...(filters.length === 0 ? ["tower/block1/conv/kernel"] : []), ...(embedding ? [] : ["tower/dense/kernel"])]; // biome-ignore format: one list
    throw new WeightsError(
      { missing, unused: [...file.tensors.keys()].sort(), wrong: [], invalid: [] },
      "They were not found by rule; use a map.",
    );
  }
  const channels = ends("tower/block1/conv/kernel")?.[0] ?? 3;
  const [height, width] = network.imageSize ?? squareOf(ends("tower/dense/kernel")?.[0], filters);
  const imageSize = [height, width, network.imageSize?.[2] ?? channels] as const;
  const options = { ...network, towers, imageSize, filters, embedding };
  return {
    task,
    network: networkOf(task, options).options,
    loss,
    margin,
    pictures: pictures && picturesSaid(pictures),
  };
}

/** The kinds of towers by parameter names: one tower of pixels, unless twingrad's own names say otherwise. */
function towersOf(names: ReadonlyMap<string, string>): NonNullable<NetworkOptions["towers"]> {
  const has = (start: string) => [...names.keys()].some((name) => name.startsWith(start));
  const kinds: ("pixels" | "edges" | "histograms")[] = [];
  for (let i = 0; i === 0 || has(`tower${i + 1}/`); i++) {
    const tower = i === 0 ? "tower" : `tower${i + 1}`;
    if (has(`${tower}/norm/`)) kinds.push("histograms");
    else kinds.push(has(`${tower}/block1/`) || !has(`${tower}/block2/`) ? "pixels" : "edges");
  }
  return kinds;
}

/** The side of a square picture that gives as many values after the last block as the dense layer has inputs. */
function squareOf(inputs: number | undefined, filters: readonly number[]): readonly number[] {
  const side = Math.sqrt((inputs ?? 0) / filters[filters.length - 1]);
  if (Number.isInteger(side) && side > 0) {
    const pixels = side << filters.length;
    return [pixels, pixels];
  }
  throw new TwingradError(
    "BAD_INPUT",
    `import: the dense layer takes ${inputs ?? "an unknown number of"} values, which is not a square of ${filters[filters.length - 1]} filters; set the imageSize.`,
  );
}
