// The state in a model file, and how it is written from a parameter store and loaded into one.
import { allFinite } from "../data/checkPictures.ts";
import { TwingradError } from "../errors.ts";
import { float32, type Safetensors } from "../formats/safetensors.ts";
import { decodeSealed, encodeSealed } from "../formats/seal.ts";
import type { NetworkTask } from "../nn/network.ts";
import { expectBytes } from "../options.ts";
import type { Optimizer } from "../tape/optimizer.ts";
import type { ParameterStore } from "../tape/parameters.ts";
import { describe } from "../tape/tensor.ts";
import {
  descriptionMetadata,
  expectOptimizer,
  expectTask,
  type ModelDescription,
  readDescription,
} from "./description.ts";

/** The tensor name of an optimizer state, such as Adam's first moment, of a trained parameter. */
const stateKey = (state: string, name: string) => `optimizer/${state}/${name}`;

/**
 * @param metadata further entries for the file, such as the state of the data stream.
 * @throws NOT_FINITE where a value is not finite, since training could not continue from it.
 */
export async function saveState(
  store: ParameterStore,
  model: ModelDescription,
  optimizer: Optimizer,
  metadata: Record<string, string> = {},
): Promise<Uint8Array> {
  const tensors = new Map<string, { dtype: "F32"; shape: readonly number[]; data: Float32Array }>();
  const reads: Promise<void>[] = [];
  const keep = (key: string, shape: readonly number[], values: Promise<Float32Array>) => {
    tensors.set(key, { dtype: "F32", shape, data: new Float32Array(0) });
    reads.push(values.then((data) => void tensors.set(key, { dtype: "F32", shape, data })));
  };
  const step = store.step; // the copies queued below are taken after exactly these steps
  for (const { name, shape, trainable } of store.list()) {
    keep(name, shape, store.read(name));
    if (!trainable) continue;
    for (const state of optimizer.states) keep(stateKey(state, name), shape, store.readState(name, state));
  }
  await Promise.all(reads);
  for (const [name, { data }] of tensors) {
    if (!allFinite(data)) {
      throw new TwingradError("NOT_FINITE", `save: "${name}" has values that are not finite after step ${step}.`);
    }
  }
  return encodeSealed(tensors, { ...metadata, ...descriptionMetadata({ ...model, optimizer: optimizer.name }, step) });
}

/** A file that `saveState` wrote, verified. */
export interface SavedModel {
  /** Tensors and metadata. */
  readonly file: Safetensors;
  /** How the network was built and trained. */
  readonly description: ModelDescription & {
    /** Steps taken. */
    step: number;
  };
}

/**
 * @throws BAD_INPUT for anything but bytes, such as a path, CORRUPT_FILE for a damaged file, CHECKPOINT_MISMATCH for a
 * file that twingrad did not save.
 */
export async function openSaved(bytes: Uint8Array): Promise<SavedModel> {
  expectBytes("The model", bytes, "loadModel");
  const file = await decodeSealed(bytes);
  return { file, description: readDescription(file) };
}

/** What a model computes on its embeddings, beside its network. */
export function addedIn({ tensors }: Safetensors): { readonly whitening: boolean; readonly centering: boolean } {
  const has = (start: string) => [...tensors.keys()].some((name) => name.startsWith(start));
  return { whitening: has("whitening/"), centering: has("centring/") };
}

/** Whether a tensor belongs to a model without being a parameter of its network. */
export const isFurther = (name: string): boolean => name.startsWith("whitening/") || name.startsWith("centring/");

/** Checks every tensor first, then loads all: a file that does not match changes nothing. */
export async function loadState(
  store: ParameterStore,
  bytes: Uint8Array,
  { task, optimizer }: { readonly task: NetworkTask; readonly optimizer: Optimizer },
): Promise<ModelDescription> {
  const { file, description } = await openSaved(bytes);
  expectTask(description, task);
  expectOptimizer(description, optimizer.name);
  const values: (() => void)[] = [];
  for (const { name, shape, trainable } of store.list()) {
    const data = fitting(file, name, shape);
    values.push(() => store.write(name, data));
    if (!trainable) continue;
    for (const state of optimizer.states) {
      const key = stateKey(state, name);
      if (!file.tensors.has(key)) {
        const what = `"${key}" is missing: "${name}" may have been frozen`;
        const advice = "Freeze the same layers as in the checkpoint's training, or start from its weights with `init`";
        throw new TwingradError("CHECKPOINT_MISMATCH", `${what}. ${advice}.`);
      }
      const data = fitting(file, key, shape);
      values.push(() => store.writeState(name, state, data));
    }
  }
  for (const write of values) write();
  store.step = description.step;
  return description;
}

/** Loads only the weights and moving averages, for inference. A file that does not match changes nothing. */
export function loadWeights(store: ParameterStore, file: Safetensors): void {
  const values = store.list().map(({ name, shape }) => ({ name, data: fitting(file, name, shape) }));
  for (const { name, data } of values) store.write(name, data);
}

/** A tensor's values. @throws CHECKPOINT_MISMATCH unless it is there, with this shape. */
export function fitting(file: Safetensors, name: string, shape: readonly number[]): Float32Array {
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
