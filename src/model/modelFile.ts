// What a saved model holds, and how it goes into a parameter store and out of it.
import { TwingradError } from "../errors.ts";
import { float32, type Safetensors } from "../formats/safetensors.ts";
import { decodeSealed, encodeSealed, sealKey } from "../formats/seal.ts";
import { networkOf } from "../nn/livenessNetwork.ts";
import { type NetworkTask, weightsOf } from "../nn/network.ts";
import type { NetworkOptions } from "../nn/networkOptions.ts";
import type { Margin } from "../ops/losses/batchLoss.ts";
import type { ParameterStore } from "../tape/parameters.ts";
import { describe } from "../tape/tensor.ts";
import { lossNames, type Mining, minings } from "../train/loss.ts";
import { arePictures, givenSize, type PictureOptions } from "./pictures.ts";

/** How the network was made and trained: enough to build it again. Kept in the file's metadata. */
export interface ModelDescription {
  /** Files that do not say are of recognition: they are older than the other task. */
  readonly task: NetworkTask;
  readonly network: Required<NetworkOptions>;
  readonly loss: string;
  /** Absent where triplets were drawn, and for other losses. */
  readonly mining?: Mining;
  readonly margin: Margin;
  /** Of the supervised contrastive loss. */
  readonly temperature?: number;
  /** What pictures it was trained on come as, where that is not the network's own size. */
  readonly pictures?: PictureOptions;
}

/** Adam's two moments, saved beside each trained parameter under `optimizer/<moment>/<parameter>`. */
const moments = ["first moment", "second moment"];
const stateKey = (moment: string, name: string) => `optimizer/${moment}/${name}`;

const descriptionKey = "twingrad";

/**
 * @param metadata what else the file should say, such as where the data stream stands.
 * @throws NOT_FINITE where a value is not: nothing could be trained on from there.
 */
export async function saveState(
  store: ParameterStore,
  model: ModelDescription,
  metadata: Record<string, string> = {},
): Promise<Uint8Array> {
  const tensors = new Map<string, { dtype: "F32"; shape: readonly number[]; data: Float32Array }>();
  const reads: Promise<void>[] = [];
  const keep = (key: string, shape: readonly number[], values: Promise<Float32Array>) => {
    tensors.set(key, { dtype: "F32", shape, data: new Float32Array(0) });
    reads.push(values.then((data) => void tensors.set(key, { dtype: "F32", shape, data })));
  };
  const step = store.step; // the copies below are queued now, after exactly these steps
  for (const { name, shape, trainable } of store.list()) {
    keep(name, shape, store.read(name));
    if (trainable) for (const m of moments) keep(stateKey(m, name), shape, store.readState(name, m));
  }
  await Promise.all(reads);
  for (const [name, { data }] of tensors) {
    if (!allFinite(data)) {
      throw new TwingradError("NOT_FINITE", `save: "${name}" holds values that are not finite after step ${step}.`);
    }
  }
  return encodeSealed(tensors, { ...metadata, [descriptionKey]: JSON.stringify({ version: 2, step, ...model }) });
}

/** A file that `saveState` wrote, whole and as it was written. */
export interface SavedModel {
  readonly file: Safetensors;
  readonly description: ModelDescription & { step: number };
}

/** @throws CORRUPT_FILE or CHECKPOINT_MISMATCH for a damaged file, and for one that is none of ours. */
export async function openSaved(bytes: Uint8Array): Promise<SavedModel> {
  const file = await decodeSealed(bytes);
  return { file, description: describeModel(file) };
}

const inWords: Record<NetworkTask, string> = {
  recognition: "a recognition model, which tells people apart",
  liveness: "a liveness model, which tells a live person from a picture of one",
};

/** @throws CHECKPOINT_MISMATCH for a model that learnt something else: the two kinds have tensors of the same names. */
export function expectTask({ task }: ModelDescription, expected: NetworkTask): void {
  if (task === expected) return;
  throw new TwingradError("CHECKPOINT_MISMATCH", `This is ${inWords[task]}; ${inWords[expected]}, was expected here.`);
}

/** Checks every tensor first, then takes all: a file that does not fit changes nothing. */
export async function loadState(store: ParameterStore, bytes: Uint8Array, task: NetworkTask): Promise<void> {
  const { file, description } = await openSaved(bytes);
  expectTask(description, task);
  const values: (() => void)[] = [];
  for (const { name, shape, trainable } of store.list()) {
    const data = fitting(file, name, shape);
    values.push(() => store.write(name, data));
    if (!trainable) continue;
    for (const m of moments) {
      const state = fitting(file, stateKey(m, name), shape);
      values.push(() => store.writeState(name, m, state));
    }
  }
  for (const write of values) write();
  store.step = description.step;
}

/** Takes the weights and moving averages alone: what inference needs. A file that does not fit changes nothing. */
export function loadWeights(store: ParameterStore, file: Safetensors): void {
  const values = store.list().map(({ name, shape }) => ({ name, data: fitting(file, name, shape) }));
  for (const { name, data } of values) store.write(name, data);
}

/**
 * The description in a file's metadata. Every field is checked, and the network is no larger than the file: building it
 * is safe. @throws CHECKPOINT_MISMATCH where it is none of ours, CORRUPT_FILE where it is broken.
 */
function describeModel(file: Safetensors): ModelDescription & { step: number } {
  const text = file.metadata[descriptionKey];
  let model: Partial<ModelDescription> & { version?: unknown; step?: unknown } = {};
  try {
    model = JSON.parse(text ?? "{}") ?? {};
  } catch {
    // not JSON: reported below as what it is, no description of ours
  }
  const { version, step, task = "recognition", network, loss, mining, margin, temperature, pictures } = model;
  // Files of version 1 carry no digest.
  if (version !== 1 && version !== 2) {
    throw new TwingradError(
      "CHECKPOINT_MISMATCH",
      "The file's metadata has no twingrad description of version 1 or 2: it was not saved by twingrad's train.",
    );
  }
  const corrupt = (what: string) => new TwingradError("CORRUPT_FILE", `The file's twingrad description: ${what}.`);
  if (version === 2 && file.metadata[sealKey] === undefined) throw corrupt("the digest of the file is missing");
  if (!Number.isSafeInteger(step) || (step as number) < 0) throw corrupt(`step is ${JSON.stringify(step)}`);
  if (task !== "recognition" && task !== "liveness") throw corrupt(`task is ${JSON.stringify(task)}`);
  const losses: readonly string[] = task === "liveness" ? ["cross-entropy"] : lossNames;
  if (typeof loss !== "string" || !losses.includes(loss)) {
    throw corrupt(`loss is ${JSON.stringify(loss)}`);
  }
  if (mining !== undefined && !minings.includes(mining)) throw corrupt(`mining is ${JSON.stringify(mining)}`);
  if (temperature !== undefined && !Number.isFinite(temperature)) {
    throw corrupt(`temperature is ${JSON.stringify(temperature)}`);
  }
  if (margin !== "soft" && !Number.isFinite(margin)) throw corrupt(`margin is ${JSON.stringify(margin)}`);
  const { imageSize, filters, embedding, embeddingActivation = "sigmoid", seed, towers = ["pixels"] } = network ?? {};
  if (!Array.isArray(imageSize) || !Array.isArray(filters) || !Number.isSafeInteger(seed) || seed! < 0) {
    throw corrupt(`network is ${JSON.stringify(network)}`);
  }
  const options = {
    imageSize,
    filters,
    embedding,
    embeddingActivation,
    seed,
    towers,
  } as Required<NetworkOptions>;
  try {
    networkOf(task, options);
    givenSize(options, pictures ?? {});
  } catch (error) {
    throw corrupt((error as Error).message);
  }
  if (!arePictures(pictures)) throw corrupt(`pictures is ${JSON.stringify(pictures)}`);
  const held = [...file.tensors.values()].reduce((sum, { bytes }) => sum + bytes.length / 4, 0);
  if (weightsOf(options) > held) {
    throw corrupt(`its network has ${weightsOf(options)} weights, more than the file's tensors hold`);
  }
  const trained = { loss, mining, margin: margin as Margin, temperature };
  return { task, network: options, ...trained, step: step as number, pictures };
}

function fitting(file: Safetensors, name: string, shape: readonly number[]): Float32Array {
  const stored = file.tensors.get(name);
  if (!stored || describe(stored.shape) !== describe(shape)) {
    const found = stored ? `has shape ${describe(stored.shape)}` : "is missing";
    throw new TwingradError(
      "CHECKPOINT_MISMATCH",
      `"${name}" ${found}; this network expects ${describe(shape)}. Build the network with the file's own options.`,
    );
  }
  return float32(file, name);
}

/** x - x is 0 for finite x alone. */
function allFinite(values: Float32Array): boolean {
  let rest = 0;
  for (let i = 0; i < values.length; i++) rest += values[i] - values[i];
  return rest === 0;
}
