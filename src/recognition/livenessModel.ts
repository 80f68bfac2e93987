// A trained liveness network in use: does a picture show a live person, or a presentation attack?
import type { CropOptions } from "../data/pictures/crop.ts";
import { NotLiveError, TwingradError } from "../errors.ts";
import type { Safetensors } from "../formats/safetensors.ts";
import { withMetadata } from "../formats/seal.ts";
import type { Device } from "../gpu/device.ts";
import type { ModelDescription } from "../model/description.ts";
import { givenSize } from "../model/pictures.ts";
import { type OpenOptions, openTrained, readMetadata, type Trained } from "../model/trained.ts";
import { checkOptions } from "../options.ts";

export const livenessKey = "liveness";

/** The operating point set by evaluation; stored in the model file's metadata. */
export interface LivenessOperatingPoint {
  /** Pictures with at least this score are accepted as bona fide. */
  readonly threshold: number;
}

/** Stores this operating point in a model file; returns the new file. */
export function withLivenessOperatingPoint(
  bytes: Uint8Array,
  operatingPoint: LivenessOperatingPoint,
): Promise<Uint8Array> {
  return withMetadata(bytes, { [livenessKey]: JSON.stringify(operatingPoint) });
}

/** 0.5, even odds, before evaluation. @throws CORRUPT_FILE */
export function livenessThresholdOf(file: Safetensors): number {
  return readMetadata<LivenessOperatingPoint>(file, livenessKey, (value) => isShare(value.threshold))?.threshold ?? 0.5;
}

/**
 * A trained liveness network for inference: the probability that a picture is bona fide, not a presentation attack.
 * @example
 * ```ts
 * const livenessModel = await LivenessModel.open(device, bytes);
 * const [score] = await livenessModel.scores(images); // [N, H, W, C] of livenessModel.imageSize
 * console.log(score! >= livenessModel.threshold ? "live" : "spoof");
 * await livenessModel.dispose();
 * ```
 */
export class LivenessModel implements LivenessScorer {
  /** Height, width, channels of its input pictures. */
  readonly imageSize: readonly [number, number, number];
  /** How pictures must be cropped before they are passed in; undefined for a center crop. */
  readonly crop: CropOptions | undefined;
  /** How the network was built and trained. */
  readonly description: ModelDescription;
  /** Pictures with at least this score are accepted as bona fide; 0.5, even odds, before evaluation. */
  readonly threshold: number;

  private constructor(
    private readonly trained: Trained,
    threshold: number,
  ) {
    this.description = trained.description;
    this.imageSize = givenSize(trained.description.network, trained.description.pictures);
    this.crop = trained.description.pictures?.crop;
    this.threshold = threshold;
  }

  /**
   * Builds the network that a file describes, for inference only, and loads its weights.
   * @throws CORRUPT_FILE or CHECKPOINT_MISMATCH for an invalid file, or one of another task.
   */
  static async open(device: Device, bytes: Uint8Array, options: OpenOptions = {}): Promise<LivenessModel> {
    const trained = await openTrained(device, bytes, "liveness", options);
    try {
      return new LivenessModel(trained, livenessThresholdOf(trained.file));
    } catch (error) {
      await trained.dispose();
      throw error;
    }
  }

  /** The logit of bona fide for each picture of [N, H, W, C]. */
  async logits(images: Uint8Array | Float32Array): Promise<Float64Array> {
    const { embed, head } = this.trained;
    const embeddings = await embed(images);
    const length = this.description.network.embedding;
    const { kernel, bias } = head!; // every liveness network is trained with cross-entropy
    return Float64Array.from({ length: embeddings.length / length }, (_, row) => {
      let sum = bias;
      for (let i = 0; i < length; i++) sum += kernel[i] * embeddings[row * length + i];
      return sum;
    });
  }

  /** The probability of bona fide for each picture of [N, H, W, C]. */
  async scores(images: Uint8Array | Float32Array): Promise<Float64Array> {
    return (await this.logits(images)).map(scoreOf);
  }

  /** Frees its resources on the device. */
  dispose(): Promise<void> {
    return this.trained.dispose();
  }
}

/** Scores pictures for presentation attacks; `LivenessModel` implements it. */
export interface LivenessScorer {
  /** Height, width, channels of the pictures that it takes. */
  readonly imageSize: readonly [number, number, number];
  /** Pictures with a lower score are rejected. */
  readonly threshold: number;
  /** The probability of bona fide for each picture of [N, H, W, C]. */
  scores(images: Uint8Array | Float32Array): Promise<Float64Array>;
}

/**
 * Scores pictures [N, H, W, C] of the model's size, and returns the scores if all are bona fide.
 * @param options.threshold pictures with a lower score are rejected. @default that of the model
 * @param options.names the names of the pictures in errors.
 * @throws NOT_LIVE for the first picture that is rejected.
 * @example
 * ```ts
 * const model = await LivenessModel.open(device, bytes);
 * await requireLive(model, images); // throws NotLiveError
 * ```
 */
export async function requireLive(
  scorer: LivenessScorer,
  images: Uint8Array | Float32Array,
  options: { readonly threshold?: number; readonly names?: readonly string[] } = {},
): Promise<Float64Array> {
  checkOptions("requireLive", options, { threshold: 1, names: 1 });
  const { threshold = scorer.threshold, names } = options;
  checkLivenessThreshold(threshold);
  const scores = await scorer.scores(images);
  for (const [n, score] of scores.entries()) {
    if (!(score >= threshold)) throw new NotLiveError(names?.[n] ?? n, score, threshold);
  }
  return scores;
}

/** @throws BAD_INPUT for an invalid threshold. */
export function checkLivenessThreshold(threshold: number): void {
  if (isShare(threshold)) return;
  throw new TwingradError("BAD_INPUT", `Invalid liveness threshold ${threshold}: expected a score from 0 to 1.`);
}

const isShare = (value: unknown) => typeof value === "number" && value >= 0 && value <= 1;

/** From a logit to a probability. */
export const scoreOf = (logit: number) => 1 / (1 + Math.exp(-logit));
