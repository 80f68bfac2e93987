// A trained network in use: pictures to embeddings, embeddings to a distance and the chance of being one person.
import type { Device } from "../gpu/device.ts";
import { TwingradError } from "../gpu/errors.ts";
import { siamese } from "../nn/siamese.ts";
import { ParameterStore } from "../tape/parameters.ts";
import { loadWeights, type ModelDescription, openSaved } from "../train/checkpoint.ts";
import { givenSize, towerEmbedder } from "../train/embedder.ts";
import { float32, type Safetensors } from "../train/safetensors.ts";
import { sha256, withMetadata } from "../train/seal.ts";
import { type Calibration, probabilityOf } from "./calibration.ts";
import type { Recogniser } from "./gallery.ts";

/** What evaluation adds to a trained network; kept in the model file's metadata. */
export interface Judgement {
  /** The largest distance that is taken for one person. */
  threshold: number;
  /** From distance to probability, for networks whose loss gives no probability itself. */
  calibration?: Calibration;
}

/** Of the network's batch-norms, which keep one average for all branches, moved once for each. */
const movingMomentum = 0.99;

export const judgementKey = "recognition";

/** The model file with this judgement in it. */
export function withJudgement(bytes: Uint8Array, judgement: Judgement): Promise<Uint8Array> {
  return withMetadata(bytes, { [judgementKey]: JSON.stringify(judgement) });
}

/** Logit = kernel . |a - b| + bias. */
interface Head {
  kernel: Float32Array;
  bias: number;
}

/**
 * A network trained with cross-entropy gives the logit z of "one person"; its distance is -ln p with p = sigmoid(z):
 * 0 for certainly the same, ln 2 at even odds, without an upper end, and never rounded to a tie as 1 - p would be.
 * One trained with contrastive or triplet loss gives the Euclidean distance of unit embeddings, from 0 to 2.
 */
export class Model implements Recogniser {
  /** Height, width, channels of the pictures that it takes. */
  readonly imageSize: readonly [number, number, number];
  readonly embedding: number;
  readonly threshold: number;
  readonly unitLength: boolean;

  private constructor(
    readonly description: ModelDescription,
    readonly fingerprint: string,
    readonly judgement: Judgement,
    readonly embed: (images: Uint8Array | Float32Array) => Promise<Float32Array>,
    private readonly head: Head | undefined,
    readonly dispose: () => Promise<void>,
  ) {
    this.imageSize = givenSize(description.network, description.pictures);
    this.embedding = description.network.embedding;
    this.threshold = judgement.threshold;
    this.unitLength = description.loss !== "cross-entropy";
  }

  /**
   * Builds the network that a file describes, for inference alone, and loads its weights.
   * @throws CORRUPT_FILE or CHECKPOINT_MISMATCH for a file that holds no such network.
   */
  static async open(device: Device, bytes: Uint8Array, { batchSize = 16 } = {}): Promise<Model> {
    const { file, description } = await openSaved(bytes);
    const judgement = readJudgement(file, description);
    const head = description.loss === "cross-entropy" ? readHead(file, description) : undefined;
    const network = siamese(description.network);
    const store = new ParameterStore(device);
    const { loss, pictures } = description;
    const { embed, dispose } = await towerEmbedder({ device, store, network, loss, batchSize, pictures });
    const release = async () => {
      await dispose();
      store.dispose();
    };
    try {
      loadWeights(store, file);
      await removeInitialAverages(store, description);
      return new Model(description, await fingerprintOf(file, description), judgement, embed, head, release);
    } catch (error) {
      await release();
      throw error;
    }
  }

  /** What training's loss is computed from, for each row: the logit, or minus the Euclidean distance. */
  scores(a: Float32Array, b: Float32Array): Float64Array {
    const length = this.embedding;
    if (a.length !== b.length || a.length % length !== 0) {
      throw new TwingradError(
        "BAD_INPUT",
        `embeddings come in rows of ${length} values, not ${a.length} and ${b.length}`,
      );
    }
    const { head } = this;
    return Float64Array.from({ length: a.length / length }, (_, row) => {
      let sum = 0;
      for (let i = 0, at = row * length; i < length; i++, at++) {
        const difference = a[at] - b[at];
        sum += head ? head.kernel[i] * Math.abs(difference) : difference * difference;
      }
      return head ? sum + head.bias : -Math.sqrt(sum);
    });
  }

  distances(a: Float32Array, b: Float32Array): Float64Array {
    const { head } = this;
    return this.scores(a, b).map((score) => (head ? softplus(-score) : -score));
  }

  probability(distance: number): number {
    if (this.head) return Math.exp(-distance);
    if (this.judgement.calibration) return probabilityOf(this.judgement.calibration, distance);
    throw new TwingradError(
      "BAD_INPUT",
      `a model trained with ${this.description.loss} loss tells no probability before it is calibrated; let training finish`,
    );
  }
}

/**
 * Moving averages begin at mean 0 and variance 1; after n updates momentum^n of that is still in them, which after few
 * steps is most of a small variance. Here it is taken out, as Adam takes the zeros out of its moments.
 */
async function removeInitialAverages(store: ParameterStore, { step, loss }: ModelDescription & { step: number }) {
  const branches = loss === "triplet" ? 3 : 2;
  const rest = movingMomentum ** (branches * step);
  if (step === 0 || rest < 1e-7) return;
  for (const { name } of store.list()) {
    const initial = name.endsWith("/moving_mean") ? 0 : name.endsWith("/moving_variance") ? 1 : undefined;
    if (initial === undefined) continue;
    const values = await store.read(name);
    store.write(
      name,
      values.map((value) => (value - rest * initial) / (1 - rest)),
    );
  }
}

/** ln(1 + exp(x)) without overflow. */
export function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}

function readHead(file: Safetensors, { network: { embedding } }: ModelDescription): Head {
  const kernel = float32(file, "head/kernel");
  const bias = float32(file, "head/bias");
  if (kernel.length !== embedding || bias.length !== 1) {
    const found = `${kernel.length} and ${bias.length}`;
    throw new TwingradError(
      "CHECKPOINT_MISMATCH",
      `the head has ${found} weights where ${embedding} and 1 are expected`,
    );
  }
  return { kernel, bias: bias[0] };
}

/** A model that was not judged yet, as of an unfinished training, takes even odds or half the margin. */
function readJudgement(file: Safetensors, { loss, margin }: ModelDescription): Judgement {
  const text = file.metadata[judgementKey];
  if (text === undefined) return { threshold: loss === "cross-entropy" ? Math.LN2 : margin / 2 };
  const corrupt = new TwingradError("CORRUPT_FILE", `the model's metadata "${judgementKey}" is broken: ${text}`);
  let judgement: Judgement;
  try {
    judgement = JSON.parse(text) as Judgement;
  } catch {
    throw corrupt;
  }
  const { threshold, calibration } = judgement ?? {};
  const numbers = [threshold, ...(calibration ? [calibration.slope, calibration.intercept] : [])];
  if (!numbers.every(Number.isFinite)) throw corrupt;
  return { threshold, calibration };
}

/** SHA-256 over what embeddings and distances depend on: the network's options, its pictures, its loss, its weights. */
async function fingerprintOf(file: Safetensors, { network, loss, pictures }: ModelDescription): Promise<string> {
  const { imageSize, filters, embedding } = network;
  const names = [...file.tensors.keys()].filter((name) => /^(tower|head)\//.test(name)).sort();
  const options = new TextEncoder().encode(JSON.stringify({ imageSize, filters, embedding, loss, names, pictures }));
  const parts = [options, ...names.map((name) => file.tensors.get(name)!.bytes)];
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let position = 0;
  for (const part of parts) {
    whole.set(part, position);
    position += part.length;
  }
  return sha256(whole);
}
