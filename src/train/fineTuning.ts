// Training that starts from the weights of a model, and frozen layers.
import { TwingradError } from "../errors.ts";
import type { ModelDescription } from "../model/description.ts";
import { fingerprintOf } from "../model/fingerprint.ts";
import { initialShare, withoutInitial } from "../model/initialAverages.ts";
import { fitting, openSaved } from "../model/modelFile.ts";
import type { Network } from "../nn/network.ts";
import type { NetworkOptions } from "../nn/networkOptions.ts";
import { nearest } from "../options.ts";
import type { ParameterStore } from "../tape/parameters.ts";

export interface FineTuningOptions {
  /**
   * The bytes of a model file, trained or imported: training starts from its weights and moving averages, at step 0 and
   * with a new optimizer state. The network must have the model's options (`describeModel`). The head is initialized at
   * random if the model has none, or is of another task.
   */
  readonly init?: Uint8Array;
  /**
   * The frozen layers: the number of first blocks of each tower, or layers by name: `tower/block1`, `tower/dense`,
   * `tower`, `head`. A frozen batch-norm uses its moving averages, which are frozen too. No layer by default.
   */
  readonly freeze?: number | readonly string[];
}

/** The initial values of a training. */
export interface InitialWeights {
  /** Fingerprint of the model that they are from. */
  readonly model: string;
  readonly values: ReadonlyMap<string, Float32Array>;
}

type Parameters = ReturnType<ParameterStore["list"]>;

/**
 * The description in a model file: network, loss, picture options and the step it was saved at.
 * @throws CORRUPT_FILE if the bytes are not a model file.
 * @example
 * ```ts
 * const { network } = await describeModel(bytes);
 * const same = siamese(network); // the same architecture, with new parameters
 * ```
 */
export async function describeModel(bytes: Uint8Array): Promise<ModelDescription & { step: number }> {
  return (await openSaved(bytes)).description;
}

/** The options that a network and a model must share, for the network to take the model's weights. */
export const architecture = [
  "imageSize",
  "filters",
  "embedding",
  "embeddingActivation",
  "batchNormEpsilon",
  "towers",
  "patch",
  "differences",
] as const satisfies readonly (keyof NetworkOptions)[];

/** @throws CHECKPOINT_MISMATCH, with all differences, for a model of another architecture. */
export async function initialWeights(
  bytes: Uint8Array,
  network: Network,
  parameters: Parameters,
): Promise<InitialWeights> {
  const { file, description } = await openSaved(bytes);
  const differing = architecture
    .map((name) => ({
      name,
      model: JSON.stringify(description.network[name]),
      own: JSON.stringify(network.options[name]),
    }))
    .filter(({ model, own }) => model !== own)
    .map(({ name, model, own }) => `${name} ${model}, not ${own}`);
  if (differing.length > 0) {
    const what = `init is a model with ${differing.join("; ")}. Build the network with the model's own options`;
    throw new TwingradError("CHECKPOINT_MISMATCH", `Trainer: ${what}.`);
  }
  const share = initialShare(description);
  const newHead = description.task !== network.task || !file.tensors.has("head/kernel");
  const taken = parameters.filter(({ name }) => !(newHead && name.startsWith("head/")));
  const values = taken.map(
    ({ name, shape }) => [name, withoutInitial(name, fitting(file, name, shape), share)] as const,
  );
  return { model: await fingerprintOf(file, description), values: new Map(values) };
}

/** The names of all frozen parameters. @throws BAD_INPUT for an unknown layer, or if nothing is left to train. */
export function frozenParameters(
  freeze: Required<FineTuningOptions>["freeze"],
  parameters: Parameters,
): ReadonlySet<string> {
  const bad = (what: string) => new TwingradError("BAD_INPUT", `Trainer: freeze ${what}.`);
  const names = parameters.map(({ name }) => name);
  const inLayer = (layer: string) => names.filter((name) => `${name}/`.startsWith(`${layer}/`));
  let layers = freeze;
  if (typeof layers === "number") {
    // A tower of histograms has none, whatever the network's options say.
    const blockOf = (layer: string) => Number(/^tower\d*\/block(\d+)$/.exec(layer)?.[1] ?? 0);
    const blocks = Math.max(0, ...layersOf(names).map(blockOf));
    if (!Number.isInteger(layers) || layers < 0 || layers > blocks) {
      throw bad(`is ${layers}; expected a number of blocks from 0 to ${blocks}, or a list of layers`);
    }
    const last = layers;
    layers = layersOf(names).filter((name) => blockOf(name) > 0 && blockOf(name) <= last);
  }
  if (!Array.isArray(layers))
    throw bad(`is ${JSON.stringify(layers)}; expected a number of blocks, or a list of layers`);
  const frozen = new Set<string>();
  for (const layer of layers as readonly string[]) {
    const found = inLayer(layer);
    if (found.length === 0) {
      const near = nearest(`${layer}`, layersOf(names));
      const few = layersOf(names).filter((name) => name.split("/").length <= 2);
      throw bad(`has no layer "${layer}"; ${near ? `did you mean "${near}"?` : `expected some of ${few.join(", ")}`}`);
    }
    for (const name of found) frozen.add(name);
  }
  if (!parameters.some(({ name, trainable }) => trainable && !frozen.has(name))) {
    throw bad(`${JSON.stringify(freeze)} leaves nothing to train`);
  }
  return frozen;
}

/** Every prefix of a parameter's name: tower, tower/block1, tower/block1/conv, tower/block1/conv/kernel. */
function layersOf(names: readonly string[]): string[] {
  const layers = names.flatMap((name) => {
    const parts = name.split("/");
    return parts.map((_, i) => parts.slice(0, i + 1).join("/"));
  });
  return [...new Set(layers)];
}
