// Embeds with the same weights on each engine, and identifies from pixels to decision with ours.
import { exportOnnx } from "../../src/exchange/index.ts";
import { Gallery, Model } from "../../src/index.ts";
import { averagesOf, generator, parametersOf, towerNamed } from "../configurations.ts";
import { type Agreement, compare } from "./compare.ts";
import type { Embedding, Embeds } from "./engine.ts";
import { modelFile } from "./modelFile.ts";
import { open } from "./ours.ts";

export interface InferenceWorkload {
  readonly configuration: string;
  /** Pictures in a call. */
  readonly count: number;
}

/** Deterministic pixels at 8-bit levels, the same for all engines. */
function pixels(of: readonly number[], count: number): Float32Array<ArrayBuffer> {
  const random = generator(5);
  return Float32Array.from({ length: count * of.reduce((a, b) => a * b, 1) }, () => Math.floor(random() * 256) / 255);
}

const weightsOf = (name: string) => new Map([...parametersOf(towerNamed(name)), ...averagesOf(towerNamed(name))]);

let pictures: Float32Array<ArrayBuffer>;
let count: number;
const opened = new Map<string, Embeds>();

/** Milliseconds from starting an engine to its first embeddings. */
export async function openInference(
  load: () => Promise<Embedding>,
  { configuration, count: many }: InferenceWorkload,
): Promise<number> {
  const c = towerNamed(configuration);
  const weights = weightsOf(configuration);
  const model = await modelFile(c, weights);
  const { bytes: onnx } = await exportOnnx(model);
  pictures = pixels(c.image, many);
  count = many;
  const begun = performance.now();
  const engine = await load();
  const embeds = await engine.inference(c, { weights, model, onnx }, many);
  await embeds.embed(pictures, many);
  const first = performance.now() - begun;
  opened.set(engine.name, embeds);
  return first;
}

/** Compares all open engines with the first. */
export async function agreeOnEmbeddings(): Promise<Record<string, Agreement>> {
  let reference: Map<string, Float32Array> | undefined;
  const agreements: Record<string, Agreement> = {};
  for (const [name, embeds] of opened) {
    const found = new Map([["embeddings", await embeds.embed(pictures, count)]]);
    if (reference) agreements[name] = compare(found, reference);
    reference ??= found;
  }
  return agreements;
}

/** Milliseconds of this many calls, one after the other. */
export async function timeInference(name: string, times: number): Promise<number> {
  const embeds = opened.get(name)!;
  const begun = performance.now();
  for (let i = 0; i < times; i++) await embeds.embed(pictures, count);
  return performance.now() - begun;
}

export async function closeInference(): Promise<void> {
  for (const embeds of opened.values()) await embeds.dispose();
  opened.clear();
}

/** Milliseconds of each `identify` of one picture in bytes, in a gallery of this many people with one picture each. */
export async function timeIdentify(configuration: string, people: number, times: number): Promise<number[]> {
  const c = towerNamed(configuration);
  const device = await open();
  const model = await Model.open(device, await modelFile(c, weightsOf(configuration)));
  const random = generator(6);
  const embeddingOf = () => {
    const values = Float32Array.from({ length: c.embedding }, random);
    return btoa(Array.from(new Uint8Array(values.buffer), (byte) => String.fromCharCode(byte)).join(""));
  };
  const gallery = Gallery.fromJSON(model, {
    format: "twingrad-gallery",
    version: 1,
    model: model.fingerprint,
    embedding: c.embedding,
    people: Array.from({ length: people }, (_, i) => ({ name: `person ${i}`, embeddings: [embeddingOf()] })),
  });
  const picture = Uint8Array.from(pixels(c.image, 1), (v) => Math.round(v * 255));
  await gallery.identify(picture); // compiles; not part of the measurement
  const milliseconds: number[] = [];
  for (let i = 0; i < times; i++) {
    const begun = performance.now();
    await gallery.identify(picture);
    milliseconds.push(performance.now() - begun);
  }
  gallery.dispose();
  await model.dispose();
  device.dispose();
  return milliseconds;
}
