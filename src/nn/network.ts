// The interface between a network and the trainer, for every task: towers from pictures to embeddings, and a head from
// embeddings to logits.
import { TwingradError } from "../errors.ts";
import { defaultEpsilon, defaultMomentum } from "../ops/fused/blockShape.ts";
import { checkOptions, type Known } from "../options.ts";
import type { Parameter } from "../tape/parameters.ts";
import type { Tape } from "../tape/tape.ts";
import type { Tensor } from "../tape/tensor.ts";
import { embeddingActivations, type NetworkOptions, towerSize } from "./networkOptions.ts";
import { checkTowers, leastSide, type TowerMode, towerWeights } from "./towers.ts";

/**
 * `recognition`: do two pictures show the same identity? `liveness`: is a picture bona fide or a presentation attack?
 */
export type NetworkTask = "recognition" | "liveness";

/**
 * A network as functions that record it on a tape. `siamese` and `liveness` create one; implement it for your own
 * network.
 */
export interface Network {
  /** The task of its head. */
  readonly task: NetworkTask;
  /** With all defaults filled in. */
  readonly options: Required<NetworkOptions>;
  /**
   * Embeddings [N, embedding] of pictures [N, H, W, C] in [0, 1]; each value is in (0, 1) unless the embedding is
   * linear. Training uses the batch's statistics, inference the moving averages.
   */
  tower(tape: Tape, images: Tensor, mode: TowerMode): Tensor;
  /** Logits [B, 1] from the embeddings of a batch, with those of its branches stacked. */
  head(tape: Tape, embeddings: Tensor): Tensor;
  /** The kernels with an L2 penalty: those of the convolutions. */
  penalised(tape: Tape): Parameter[];
}

/** The options with their defaults. `name` is the function's name in errors. @throws BAD_INPUT for invalid options. */
export function chosenOptions(name: string, options: NetworkOptions): Required<NetworkOptions> {
  checkOptions(name, options, networkOptions);
  const { imageSize, filters = [256, 128, 64, 32], seed = 0, patch = 0, differences = 0 } = options;
  const { embedding = patch && Array.isArray(filters) ? filters[filters.length - 1] : 1024 } = options;
  const { embeddingActivation = "sigmoid", towers = ["pixels"] } = options;
  const { batchNormEpsilon = defaultEpsilon, batchNormMomentum = defaultMomentum } = options;
  const normalization = { batchNormEpsilon, batchNormMomentum };
  const layers = { filters, embedding, embeddingActivation, ...normalization, towers, patch, differences };
  const chosen = { imageSize, ...layers, seed };
  checkSizes(name, chosen);
  return chosen;
}

/** The length of a picture's embedding: the embeddings of all towers are concatenated. */
export const embeddingLength = ({ embedding, towers }: Required<NetworkOptions>): number => embedding * towers.length;

/** The number of values in the network's parameters, moving averages included, without the head. */
export const weightsOf = (options: Required<NetworkOptions>): number =>
  options.towers.reduce((sum, kind) => sum + towerWeights(options, kind), 0);

const networkOptions: Known<NetworkOptions> = {
  imageSize: 1,
  filters: 1,
  embedding: 1,
  embeddingActivation: 1,
  batchNormEpsilon: "finite number",
  batchNormMomentum: "finite number",
  seed: "finite number",
  towers: 1,
  patch: "finite number",
  differences: "finite number",
};

function checkSizes(name: string, options: Required<NetworkOptions>): void {
  const { imageSize, filters, embedding, towers } = options;
  checkTowers(name, towers);
  const { embeddingActivation, batchNormEpsilon, batchNormMomentum } = options;
  const refuse = (option: string, value: unknown, expected: string) => {
    throw new TwingradError("BAD_INPUT", `${name}: ${option} is ${JSON.stringify(value)}; expected ${expected}.`);
  };
  if (!embeddingActivations.includes(embeddingActivation)) {
    refuse("embeddingActivation", embeddingActivation, embeddingActivations.join(", "));
  }
  if (!(batchNormEpsilon > 0 && batchNormEpsilon <= 1)) {
    refuse("batchNormEpsilon", batchNormEpsilon, "a number above 0, at most 1");
  }
  if (!(batchNormMomentum >= 0 && batchNormMomentum < 1)) {
    refuse("batchNormMomentum", batchNormMomentum, "a number of at least 0, below 1");
  }
  const positive = [imageSize, filters, embedding].flat().every((n) => Number.isInteger(n) && n > 0);
  if (imageSize?.length !== 3 || !Array.isArray(filters) || filters.length === 0 || !positive) {
    const inWords = (list: unknown, between: string) => (Array.isArray(list) ? list.join(between) : list);
    const got = `imageSize ${inWords(imageSize, " x ")}, filters ${inWords(filters, ", ")}, embedding ${embedding}`;
    throw new TwingradError(
      "BAD_INPUT",
      `${name}: ${got}; expected positive integers, and imageSize as [height, width, channels].`,
    );
  }
  checkPatch(name, options);
  const shorter = Math.min(...towerSize(options));
  if (shorter >= leastSide(options)) return;
  const size = towerSize(options).join(" x ");
  const most = Math.floor(Math.log2(shorter));
  const what =
    shorter >> filters.length === 0
      ? `${filters.length} blocks halve a picture of ${size} to nothing; use pictures of at least ${leastSide(options)}${most > 0 ? `, or at most ${most} block${most > 1 ? "s" : ""}` : ""}`
      : `a picture of ${size} has no window for edge histograms; use pictures of 8 x 8 or more`;
  throw new TwingradError("BAD_INPUT", `${name}: ${what}.`);
}

function checkPatch(
  name: string,
  { imageSize, filters, embedding, towers, patch, differences }: Required<NetworkOptions>,
) {
  const wrong = (what: string) => new TwingradError("BAD_INPUT", `${name}: ${what}.`);
  if (!(differences >= 0 && differences <= 1)) throw wrong(`differences is ${differences}; expected 0 to 1`);
  if (patch === 0) return;
  if (name === "siamese") throw wrong("patch is for liveness networks only; recognition compares whole pictures");
  const [height, width] = imageSize;
  if (!Number.isInteger(patch) || patch < 0 || patch > Math.min(height, width)) {
    throw wrong(`patch is ${patch}; expected at most the picture's side, ${height} x ${width}`);
  }
  if (towers.join() !== "pixels") throw wrong(`towers is ${towers.join(", ")}; patch requires ["pixels"]`);
  const last = filters[filters.length - 1];
  if (embedding !== last) {
    throw wrong(`embedding is ${embedding}; with patch, expected the number of the last block's filters, ${last}`);
  }
}
