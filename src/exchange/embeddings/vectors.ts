// Uses vectors of any model in galleries and protocols.

import { TwingradError } from "../../errors.ts";
import { type Calibration, probabilityOf } from "../../evaluation/calibration.ts";
import { checkOptions, type Known, typeName } from "../../options.ts";
import type { Recognizer } from "../../recognition/recognizer.ts";

/** The distances of `vectorRecognizer`. */
export const metrics = ["euclidean", "cosine"] as const;
/** A distance between two vectors. */
export type VectorMetric = (typeof metrics)[number];

/** The JSON that `twingrad calibrate --embeddings` writes. */
export interface VectorOperatingPoint {
  /** The distance that it was fitted to. */
  readonly metric: VectorMetric;
  /** The length of a vector. */
  readonly length: number;
  /** The largest distance accepted as the same identity. */
  readonly threshold: number;
  /** Maps a distance to a probability. */
  readonly calibration: Calibration;
}

/** Options of `vectorRecognizer`. */
export interface VectorOptions {
  /** The length of a vector. */
  readonly length: number;
  /** `cosine` is 1 - cos of the angle between two vectors. @default "euclidean" */
  readonly metric?: VectorMetric;
  /** Pairs with at most this distance are accepted as the same identity; `calibrate --embeddings` finds a threshold. */
  readonly threshold: number;
  /** Maps a distance to a probability: the whole result of `calibrate --embeddings`, or its `calibration`. */
  readonly calibration?: Calibration | VectorOperatingPoint;
  /** The name of the model that computed the vectors: galleries of other models are rejected. */
  readonly model: string;
  /** Computes vectors [N, length] from the gallery's input. By default the input is the vectors. */
  readonly embed?: (given: Uint8Array | Float32Array) => Promise<Float32Array>;
}

/**
 * A recognizer for galleries on vectors of another model.
 * @example
 * const recognizer = vectorRecognizer({ model: "facenet", length: 128, metric: "cosine", threshold: 0.4 });
 * const gallery = new Gallery(recognizer);
 * await gallery.enroll("Ada", vectors); // Float32Array of one or more vectors
 */
export function vectorRecognizer(options: VectorOptions): Recognizer {
  checkOptions("vectorRecognizer", options, {
    length: 1,
    metric: 1,
    threshold: 1,
    calibration: 1,
    model: 1,
    embed: 1,
  } satisfies Known<VectorOptions>);
  const { length, metric = "euclidean", threshold, model } = options;
  if (!Number.isInteger(length) || length < 1) refuse(`length is ${length}; expected 1 or more`);
  if (!metrics.includes(metric)) refuse(`metric is "${metric}"; expected ${metrics.join(" or ")}`);
  if (!(Number.isFinite(threshold) && threshold >= 0)) refuse(`threshold is ${threshold}; expected a distance`);
  if (typeof model !== "string" || model === "") refuse(`model is ${JSON.stringify(model)}; expected the model's name`);
  const calibration = options.calibration && calibrationOf(options.calibration, metric, length);
  const checked = (values: unknown): Float32Array => {
    if (!(values instanceof Float32Array))
      return refuse(`the vectors are a ${typeName(values)}; expected a Float32Array`);
    if (values.length % length !== 0) refuse(`${values.length} values are not a whole number of vectors of length ${length}`); // biome-ignore format: one line
    for (let at = 0; metric === "cosine" && at < values.length; at += length) {
      if (values.subarray(at, at + length).every((value) => value === 0)) refuse(`vector ${at / length} is zero; ${noDirection}`); // biome-ignore format: one line
    }
    return values;
  };
  return {
    fingerprint: `${model} ${metric} ${length}`,
    embedding: length,
    threshold,
    unitLength: metric === "cosine",
    embed: async (given) => checked(options.embed ? await options.embed(given) : given),
    distances(a, b) {
      if (a.length !== b.length || a.length % length !== 0) refuse(`${a.length} and ${b.length} values; expected equally many vectors of length ${length}`); // biome-ignore format: one line
      return Float64Array.from({ length: a.length / length }, (_, row) => {
        let [product, ofA, ofB, squares] = [0, 0, 0, 0];
        for (let i = row * length; i < (row + 1) * length; i++) {
          product += a[i] * b[i];
          ofA += a[i] * a[i];
          ofB += b[i] * b[i];
          squares += (a[i] - b[i]) ** 2;
        }
        if (metric === "euclidean") return Math.sqrt(squares);
        if (ofA * ofB === 0) refuse(`a vector of pair ${row} is zero; ${noDirection}`);
        return 1 - product / Math.sqrt(ofA * ofB);
      });
    },
    probability(distance) {
      if (calibration) return probabilityOf(calibration, distance);
      return refuse("there is no calibration from distance to probability; pass calibration");
    },
  };
}

const noDirection = "the cosine distance needs vectors other than zero";

function calibrationOf(given: Calibration | VectorOperatingPoint, metric: VectorMetric, length: number): Calibration {
  if ("calibration" in given) {
    if (given.metric !== metric) refuse(`the calibration is for the ${given.metric} distance; expected ${metric}`);
    if (given.length !== length) refuse(`the calibration is for vectors of length ${given.length}; expected ${length}`);
  }
  const found = "calibration" in given ? given.calibration : given;
  if (![found?.slope, found?.intercept].every(Number.isFinite)) {
    refuse("calibration has no numbers slope and intercept; expected the result of calibrate --embeddings");
  }
  return found;
}

function refuse(what: string): never {
  throw new TwingradError("BAD_INPUT", `vectorRecognizer: ${what}.`);
}
