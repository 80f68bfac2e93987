// What a saved model holds, and how it goes into a parameter store and out of it.
import { TwingradError } from "../gpu/errors.ts";
import type { SiameseOptions } from "../nn/siamese.ts";
import type { ParameterStore } from "../tape/parameters.ts";
import { describe } from "../tape/tensor.ts";
import { decode, encode, float32, type Safetensors } from "./safetensors.ts";

/** How the network was made and trained: enough to build it again. Kept in the file's metadata. */
export interface ModelDescription {
  readonly network: Required<SiameseOptions>;
  readonly loss: string;
  readonly margin: number;
}

/** Adam's two moments, saved beside each trained parameter under `optimizer/<moment>/<parameter>`. */
const moments = ["first moment", "second moment"];
const stateKey = (moment: string, name: string) => `optimizer/${moment}/${name}`;

export async function saveState(store: ParameterStore, model: ModelDescription): Promise<Uint8Array> {
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
  return encode(tensors, { twingrad: JSON.stringify({ version: 1, step, ...model }) });
}

/** Checks every tensor first, then takes all: a file that does not fit changes nothing. */
export function loadState(store: ParameterStore, bytes: Uint8Array): void {
  const file = decode(bytes);
  const { step } = describeModel(file);
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
  store.step = step;
}

/** Takes the weights and moving averages alone: what inference needs. A file that does not fit changes nothing. */
export function loadWeights(store: ParameterStore, file: Safetensors): void {
  const values = store.list().map(({ name, shape }) => ({ name, data: fitting(file, name, shape) }));
  for (const { name, data } of values) store.write(name, data);
}

/** The description in a file's metadata. Throws `CHECKPOINT_MISMATCH` where it is none of ours. */
export function describeModel(file: Safetensors): ModelDescription & { step: number } {
  const text = file.metadata.twingrad;
  let model: (ModelDescription & { version: number; step: number }) | undefined;
  try {
    model = text === undefined ? undefined : JSON.parse(text);
  } catch {
    // not JSON: reported below as what it is, no description of ours
  }
  if (model?.version !== 1 || !Number.isInteger(model.step) || !Array.isArray(model.network?.imageSize)) {
    throw new TwingradError(
      "CHECKPOINT_MISMATCH",
      "The file's metadata has no twingrad description of version 1: it was not saved by twingrad's train.",
    );
  }
  return model;
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
