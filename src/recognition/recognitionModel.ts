// A trained recognition network in use: pictures to embeddings, pairs of embeddings to a distance and a probability.
import type { CropOptions } from "../data/pictures/crop.ts";
import { TwingradError } from "../errors.ts";
import { type Calibration, probabilityOf } from "../evaluation/calibration.ts";
import { type CalibratedRate, isCalibratedRate } from "../evaluation/falseAccepts.ts";
import type { Safetensors } from "../formats/safetensors.ts";
import { withMetadata } from "../formats/seal.ts";
import type { Device } from "../gpu/device.ts";
import type { ModelDescription } from "../model/description.ts";
import { fingerprintOf } from "../model/fingerprint.ts";
import { givenSize } from "../model/pictures.ts";
import { type Head, type OpenOptions, openTrained, readMetadata, softplus } from "../model/trained.ts";
import { embeddingLength } from "../nn/network.ts";
import { GalleryIndex } from "./galleryIndex.ts";
import type { Recognizer } from "./recognizer.ts";

/** The operating point and calibration set by evaluation; stored in the model file's metadata. */
export interface OperatingPoint {
  /** The largest distance that is accepted as the same person. */
  threshold: number;
  /** From a distance to a probability, at even prior odds; absent: the probability of cross-entropy. */
  calibration?: Calibration;
  /** The rates at the threshold, if it was set for a target false-accept rate. */
  rate?: CalibratedRate;
}

export const operatingPointKey = "recognition";

/**
 * Stores this operating point in a model file.
 * @param bytes - of a model file.
 * @returns The bytes of the new model file.
 * @example
 * ```ts
 * const { report } = await evaluateModel(model, dataset, pairsPerIdentity(labels, { perIdentity: 10, seed: 1 }));
 * const calibrated = await withOperatingPoint(bytes, { threshold: report.threshold });
 * ```
 */
export function withOperatingPoint(bytes: Uint8Array, operatingPoint: OperatingPoint): Promise<Uint8Array> {
  return withMetadata(bytes, { [operatingPointKey]: JSON.stringify(operatingPoint) });
}

/**
 * A trained recognition network for inference.
 *
 * A network trained with cross-entropy gives the logit z of a genuine pair; its distance is -ln p with p = sigmoid(z):
 * 0 for certainly the same person, ln 2 at even odds, without an upper bound, and unlike 1 - p never rounded to a tie.
 * A network trained with another loss gives the Euclidean distance of unit embeddings, from 0 to 2.
 * @example
 * ```ts
 * const model = await Model.open(device, bytes);
 * const two = await model.embed(images); // two pictures [2, H, W, C]: Float32Array [2, model.embedding]
 * const [distance] = model.distances(two.subarray(0, model.embedding), two.subarray(model.embedding));
 * console.log(distance! <= model.threshold ? "same" : "different", model.probability(distance!));
 * await model.dispose();
 * ```
 */
export class Model implements Recognizer {
  /** Height, width, channels of its input pictures. */
  readonly imageSize: readonly [number, number, number];
  /** How pictures must be cropped before they are passed in; undefined for a center crop. */
  readonly crop: CropOptions | undefined;
  readonly embedding: number;
  readonly threshold: number;
  readonly unitLength: boolean;

  private constructor(
    /** How the network was built and trained. */
    readonly description: ModelDescription,
    readonly fingerprint: string,
    private readonly device: Device,
    /** Threshold and calibration. */
    readonly operatingPoint: OperatingPoint,
    /** Pictures [N, H, W, C], bytes or float32 in [0, 1], to embeddings [N, embedding]. */
    readonly embed: (images: Uint8Array | Float32Array) => Promise<Float32Array>,
    /** Logit = kernel . |a - b| + bias. */
    private readonly head: Head | undefined,
    /** Frees its resources on the device. */
    readonly dispose: () => Promise<void>,
  ) {
    this.imageSize = givenSize(description.network, description.pictures);
    this.crop = description.pictures?.crop;
    this.embedding = embeddingLength(description.network);
    this.threshold = operatingPoint.threshold;
    this.unitLength = description.loss !== "cross-entropy";
  }

  /**
   * Builds the network that a file describes, for inference only, and loads its weights.
   * @throws CORRUPT_FILE or CHECKPOINT_MISMATCH for an invalid file, or one of another task.
   */
  static async open(device: Device, bytes: Uint8Array, options: OpenOptions = {}): Promise<Model> {
    const { file, description, embed, head, dispose } = await openTrained(device, bytes, "recognition", options);
    try {
      const operatingPoint = readOperatingPoint(file, description);
      return new Model(
        description,
        await fingerprintOf(file, description),
        device,
        operatingPoint,
        embed,
        head,
        dispose,
      );
    } catch (error) {
      await dispose();
      throw error;
    }
  }

  /** The input of the training loss, for each row: the logit, or minus the Euclidean distance. */
  scores(a: Float32Array, b: Float32Array): Float64Array {
    const length = this.embedding;
    if (a.length !== b.length || a.length % length !== 0) {
      throw new TwingradError(
        "BAD_INPUT",
        `Invalid embeddings: expected rows of ${length} values, got ${a.length} and ${b.length} values`,
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

  /** The calibration's input: the distance, or with cross-entropy minus the logit. */
  calibrationScore(distance: number): number {
    return this.head ? distance + Math.log(-Math.expm1(-Math.max(distance, Number.MIN_VALUE))) : distance;
  }

  /** An empty index of embeddings on the model's device, searched by this distance. */
  index(): GalleryIndex {
    const { head } = this;
    if (!head) return new GalleryIndex(this.device, this.embedding, { distanceOf: Math.sqrt });
    const weights = head.kernel.map((weight) => -weight);
    return new GalleryIndex(this.device, this.embedding, { weights, distanceOf: (s) => softplus(s - head.bias) });
  }

  /** Whether `probability` is available. */
  get calibrated(): boolean {
    return this.head !== undefined || this.operatingPoint.calibration !== undefined;
  }

  probability(distance: number): number {
    const { calibration } = this.operatingPoint;
    if (calibration) return probabilityOf(calibration, this.calibrationScore(distance));
    if (this.head) return Math.exp(-distance);
    throw new TwingradError(
      "BAD_INPUT",
      `A model trained with the ${this.description.loss} loss has no probabilities before calibration: calibrate it with \`twingrad calibrate\`, or let its training finish.`,
    );
  }
}

/**
 * Before evaluation, as in an unfinished training, the threshold is even odds or half the margin (a soft margin counts
 * as 1).
 */
export function readOperatingPoint(file: Safetensors, { loss, margin }: ModelDescription): OperatingPoint {
  const operatingPoint = readMetadata<OperatingPoint>(
    file,
    operatingPointKey,
    ({ threshold, calibration, rate }) =>
      [threshold, ...(calibration ? [calibration.slope, calibration.intercept] : [])].every(Number.isFinite) &&
      (rate === undefined || isCalibratedRate(rate)),
  );
  if (!operatingPoint) return { threshold: loss === "cross-entropy" ? Math.LN2 : margin === "soft" ? 0.5 : margin / 2 };
  const { threshold, calibration, rate } = operatingPoint;
  return { threshold, calibration, rate };
}
