// Model files with random weights, of every kind that can be trained, without training them.
import { parametersOf } from "../../src/exchange/weights/parameters.ts";
import { encodeSealed } from "../../src/formats/seal.ts";
import { type Centering, type NetworkOptions, withCentering } from "../../src/index.ts";
import { descriptionMetadata, type LossName } from "../../src/model/description.ts";
import { type PictureOptions, picturesSaid } from "../../src/model/pictures.ts";
import { type Whitening, withWhitening } from "../../src/model/whitening.ts";
import { networkOf } from "../../src/nn/livenessNetwork.ts";
import { embeddingLength, type NetworkTask } from "../../src/nn/network.ts";
import { normal, uniform } from "../random.ts";

export interface RandomModel {
  readonly network?: Partial<NetworkOptions>;
  readonly task?: NetworkTask;
  readonly loss?: LossName;
  readonly pictures?: PictureOptions;
  readonly whiten?: boolean;
  readonly centre?: boolean;
  /** After so few the moving averages hold some of their initial values. */
  readonly step?: number;
  readonly metadata?: Record<string, string>;
}

export async function randomModel(options: RandomModel): Promise<Uint8Array> {
  const {
    task = "recognition",
    loss = "cross-entropy",
    pictures,
    whiten,
    centre: centering,
    step = 40,
    metadata,
  } = options;
  const { options: network } = networkOf(task, {
    imageSize: [12, 15, 3],
    filters: [5, 8],
    embedding: 7,
    ...options.network,
  });
  const tensors = new Map<string, { dtype: "F32"; shape: readonly number[]; data: Float32Array }>();
  let seed = 1;
  for (const [name, { shape }] of parametersOf(network, { head: loss === "cross-entropy" })) {
    const size = shape.reduce((product, extent) => product * extent, 1);
    const inputs = shape.slice(0, -1).reduce((product, extent) => product * extent, 1);
    const data = Float32Array.from(normal([size], seed++).data, (value) => {
      if (name.endsWith("moving_variance")) return 1 + 0.3 * Math.abs(value); // at least what is still in it of the initial 1
      if (name.endsWith("gamma")) return 1 + 0.4 * value;
      return shape.length === 1 ? 0.3 * value : (1.5 * value) / Math.sqrt(inputs);
    });
    tensors.set(name, { dtype: "F32", shape, data });
  }
  const said = pictures && picturesSaid(pictures);
  const description = { task, network, loss, margin: 1, pictures: said };
  let bytes = await encodeSealed(tensors, { ...metadata, ...descriptionMetadata(description, step) });
  if (whiten) bytes = await withWhitening(bytes, randomWhitening(network.towers.length, network.embedding));
  if (centering) bytes = await withCentering(bytes, randomCentering(embeddingLength(network)));
  return bytes;
}

function randomWhitening(towers: number, length: number): Whitening {
  const mean = normal([towers * length], 71).data.map((value) => 0.1 * value);
  const kernel = normal([towers * length * length], 72).data.map((value, i) => {
    const [row, column] = [Math.floor(i / length) % length, i % length];
    return column > row ? 0 : column === row ? 3 + value : value;
  });
  return { towers, length, mean, kernel };
}

function randomCentering(length: number): Centering {
  const cohort = new Float32Array(11 * length);
  for (let member = 0; member < 11; member++) {
    const row = normal([length], 80 + member).data;
    cohort.set(
      row.map((value) => value / Math.hypot(...row)),
      member * length,
    );
  }
  return { share: 0.9, cohort, length };
}

/** Pictures in [0, 1], smooth enough to look like some. */
export function randomPictures(count: number, [height, width, channels]: readonly number[], seed = 1): Float32Array {
  const random = uniform(seed);
  const pictures = new Float32Array(count * height * width * channels);
  for (let n = 0, at = 0; n < count; n++) {
    const [a, b, phase] = [random(), random(), 6 * random()];
    for (let y = 0; y < height; y++)
      for (let x = 0; x < width; x++)
        for (let c = 0; c < channels; c++, at++) {
          pictures[at] = 0.5 + 0.3 * Math.sin(a * y + b * x + phase + c) + 0.2 * (random() - 0.5);
        }
  }
  return pictures;
}

/** Smooth pictures with mean 0.5 and standard deviation 0.02. */
export function lowContrastPictures(count: number, [height, width, channels]: readonly number[]): Float32Array {
  return Float32Array.from({ length: count * height * width * channels }, (_, at) => {
    const [n, channel] = [Math.floor(at / (height * width * channels)), at % channels];
    const [y, x] = [Math.floor(at / (width * channels)) % height, Math.floor(at / channels) % width];
    return 0.5 + 0.02 * Math.SQRT2 * Math.sin((0.11 + 0.02 * n) * y + (0.13 - 0.015 * n) * x + n + channel);
  });
}

/** Every kind of model: each option that changes what becomes of a picture, alone or with what it is used with. */
export const kinds: Readonly<Record<string, RandomModel>> = {
  "the article's": {},
  "of PyTorch's options": { network: { batchNormEpsilon: 1e-5, batchNormMomentum: 0.9, embeddingActivation: "relu" } },
  "of one filter's block and gray": { network: { imageSize: [9, 8, 1], filters: [3] } },
  liveness: { task: "liveness", pictures: { standardize: true } },
  "liveness of patches": { task: "liveness", network: { imageSize: [21, 18, 3], patch: 8, embedding: 8 }, pictures: { standardize: true } },
  "central differences": { network: { differences: 0.7 } },
  "patches with differences, resized and mirrored": { task: "liveness", network: { imageSize: [21, 18, 3], patch: 9, differences: 1, embedding: 8 }, pictures: { sourceSize: [30, 25], views: ["mirror"] } },
  contrastive: { loss: "contrastive", network: { embeddingActivation: "linear" } },
  "area means": { pictures: { sourceSize: [31, 24] }, loss: "triplet" },
  "enlarged": { pictures: { sourceSize: [9, 11] } },
  "TensorFlow 1's resizing": { pictures: { sourceSize: [31, 24], resize: "tf1" } },
  standardized: { pictures: { standardize: true } },
  "standardized, of many pixels": { network: { imageSize: [112, 92, 3] }, pictures: { standardize: true } },
  "mirrored views of the article's": { pictures: { views: ["mirror"] } },
  "all views, resized": { loss: "contrastive", pictures: { views: ["mirror", "move", "zoom"], sourceSize: [31, 24], standardize: true } },
  "several towers": { loss: "supervised-contrastive", network: { towers: ["pixels", "edges", "histograms"], embeddingActivation: "linear" }, pictures: { standardize: true } },
  "edges of one block": { loss: "contrastive", network: { towers: ["edges"], filters: [4] }, pictures: { standardize: true } },
  whitened: { loss: "contrastive", network: { embeddingActivation: "linear" }, whiten: true },
  centered: { loss: "contrastive", network: { embeddingActivation: "linear" }, centre: true },
  everything: { loss: "supervised-contrastive", network: { towers: ["pixels", "histograms"], embeddingActivation: "linear" }, pictures: { standardize: true, views: ["mirror"], sourceSize: [20, 26] }, whiten: true, centre: true },
}; // biome-ignore format: a line each
