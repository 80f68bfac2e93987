// Trained networks of both tasks in use: the tower of a model file, ready for pictures, and its head.

import { TwingradError } from "../errors.ts";
import { float32, jsonMetadata, type Safetensors } from "../formats/safetensors.ts";
import type { Device } from "../gpu/device.ts";
import { inferenceNetwork } from "../nn/inferenceNetwork.ts";
import type { NetworkTask } from "../nn/network.ts";
import { checkOptions } from "../options.ts";
import { ParameterStore } from "../tape/parameters.ts";
import { center, centeringOf } from "./centering.ts";
import { expectTask, type ModelDescription } from "./description.ts";
import { batchSizes, towerEmbedder } from "./embedder.ts";
import { initialShare, withoutInitial } from "./initialAverages.ts";
import { loadWeights, openSaved } from "./modelFile.ts";
import { whiten, whiteningOf } from "./whitening.ts";

/** Logit = kernel . features + bias. */
export interface Head {
  readonly kernel: Float32Array;
  readonly bias: number;
}

export interface Trained {
  readonly file: Safetensors;
  readonly description: ModelDescription;
  /** [N, H, W, C] pictures to [N, embedding]. */
  embed(images: Uint8Array | Float32Array): Promise<Float32Array>;
  /** Only for networks trained with cross-entropy. */
  readonly head: Head | undefined;
  dispose(): Promise<void>;
}

/** Options of `Model.open` and `LivenessModel.open`. */
export interface OpenOptions {
  /** The most pictures per program. @default 16 */
  readonly batchSize?: number;
}

/**
 * Builds the network that a file describes, for inference only, and loads its weights.
 * @throws CORRUPT_FILE or CHECKPOINT_MISMATCH for an invalid file, or one of another task.
 */
export async function openTrained(
  device: Device,
  bytes: Uint8Array,
  task: NetworkTask,
  options: OpenOptions,
): Promise<Trained> {
  checkOptions("open", options, { batchSize: 1 });
  const { batchSize = 16 } = options;
  const { file, description } = await openSaved(bytes);
  expectTask(description, task);
  const { loss, pictures } = description;
  const head = loss === "cross-entropy" ? readHead(file, description) : undefined;
  const network = await inferenceNetwork(description.network);
  const store = new ParameterStore(device);
  const sizes = batchSizes(batchSize);
  const embedder = towerEmbedder({ device, store, network, loss, sizes, pictures, tune: true });
  const { embed, dispose } = embedder;
  const release = async () => {
    await dispose();
    store.dispose();
  };
  try {
    loadWeights(store, file);
    await removeInitialAverages(store, description);
    await embedder.compile(1);
    const {
      towers: { length: towers },
      embedding: length,
    } = description.network;
    const whitening = whiteningOf(file, { towers, length });
    const centering = centeringOf(file, towers * length);
    const finished = async (images: Uint8Array | Float32Array) => {
      const given = await embed(images);
      const whitened = whitening ? whiten(whitening, given) : given;
      return centering ? center(centering, whitened) : whitened;
    };
    return { file, description, embed: finished, head, dispose: release };
  } catch (error) {
    await release();
    throw error;
  }
}

async function removeInitialAverages(store: ParameterStore, description: ModelDescription & { step: number }) {
  const share = initialShare(description);
  if (share === 0) return;
  const averages = store.list().filter(({ trainable }) => !trainable);
  for (const { name } of averages) store.write(name, withoutInitial(name, await store.read(name), share));
}

function readHead(file: Safetensors, { network: { embedding } }: ModelDescription): Head {
  const kernel = float32(file, "head/kernel");
  const bias = float32(file, "head/bias");
  if (kernel.length !== embedding || bias.length !== 1) {
    const found = `${kernel.length} and ${bias.length}`;
    throw new TwingradError("CHECKPOINT_MISMATCH", `the head has ${found} weights; expected ${embedding} and 1`);
  }
  return { kernel, bias: bias[0] };
}

/** ln(1 + exp(x)) without overflow. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

/**
 * The object in a file's metadata under `key`; undefined where it is missing.
 * @throws CORRUPT_FILE unless `check` accepts it.
 */
export function readMetadata<T>(file: Safetensors, key: string, check: (value: T) => boolean): T | undefined {
  const isValid = (value: unknown) => typeof value === "object" && value !== null && check(value as T);
  return jsonMetadata<T>(file, key, isValid, (text) => `Invalid metadata "${key}" in the model file: ${text}`);
}
