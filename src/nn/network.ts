// What a network is to the trainer, whatever it learns: a tower from pictures to embeddings, and a head from embeddings to
// logits. The tower is the TensorFlow article's, the same for every task.
import { TwingradError } from "../gpu/errors.ts";
import { batchNorm } from "../ops/batchNorm.ts";
import { conv2d } from "../ops/conv2d.ts";
import { dense } from "../ops/dense.ts";
import { flatten } from "../ops/flatten.ts";
import { maxPool2d } from "../ops/maxPool2d.ts";
import { edgeDirections, orientedGradients } from "../ops/orientedGradients.ts";
import type { Parameter } from "../tape/parameters.ts";
import type { Tape } from "../tape/tape.ts";
import { sizeOf, type Tensor } from "../tape/tensor.ts";

/** `recognition`: do two pictures show one person? `liveness`: does a picture show a person, or a picture of one? */
export type NetworkTask = "recognition" | "liveness";

/** Which towers begin with `orientedGradients` in place of their first block: none, every second one, or all. */
export const edgeTowers = ["none", "half", "all"] as const;
export type EdgeTowers = (typeof edgeTowers)[number];

export interface NetworkOptions {
  /** Height, width, channels. */
  readonly imageSize: readonly [number, number, number];
  /** Output channels of each block: conv 3x3 SAME -> max-pool 2x2 -> batch-norm -> ReLU. */
  readonly filters?: readonly number[];
  /** Length of the embedding. */
  readonly embedding?: number;
  /**
   * Of the last layer: `sigmoid`, as in the article, by default. `linear` leaves the directions of embeddings free, which
   * losses on distances want: between 0 and 1 no two are further apart than a right angle.
   */
  readonly embeddingActivation?: "sigmoid" | "linear";
  /** Of the initial weights. */
  readonly seed?: number;
  /**
   * How many towers there are, 1 by default; several learn side by side, each from its own part of a batch, and an
   * embedding is all of theirs behind one another: what one of them happens to take for a person's mark, the others do not.
   */
  readonly towers?: number;
  /**
   * Towers whose first block is not learnt: edges by direction take its place, which few people are too few to learn from.
   * `none` by default; `half`: the second, fourth, ... of several. The constants of `orientedGradients` suit standardised pictures.
   */
  readonly edges?: EdgeTowers;
}

export interface Network {
  readonly task: NetworkTask;
  readonly options: Required<NetworkOptions>;
  /**
   * Embeddings [N, embedding], each value in (0, 1) unless linear, of pictures [N, H, W, C] in [0, 1]. In training the batch is cut into
   * `groups` branches with statistics of their own; in inference the moving averages serve. `index`: which tower, from 0.
   */
  tower(
    tape: Tape,
    images: Tensor,
    mode: { readonly training: boolean; readonly groups?: number; readonly index?: number },
  ): Tensor;
  /** Logits [B, 1], from the embeddings of a batch: those of its branches stacked. */
  head(tape: Tape, embeddings: Tensor): Tensor;
  /** The kernels under the L2 penalty: those of the convolutions. */
  penalised(tape: Tape): Parameter[];
}

/**
 * A network with the article's tower; filters 256, 128, 64, 32 and embedding 1024 by default.
 * @param features of a batch's embeddings [N, embedding] what the head weighs, [B, embedding].
 */
export function towerNetwork<T extends NetworkTask>(
  task: T,
  name: string,
  options: NetworkOptions,
  features: (embeddings: Tensor) => Tensor,
): Network & { readonly task: T } {
  const { imageSize, filters = [256, 128, 64, 32], embedding = 1024, seed = 0 } = options;
  const { embeddingActivation = "sigmoid", towers = 1, edges = "none" } = options;
  checkOptions(name, imageSize, filters, embedding, towers);
  if (!edgeTowers.includes(edges)) {
    throw new TwingradError("BAD_INPUT", `${name}: edges is "${edges}"; expected ${edgeTowers.join(", ")}.`);
  }
  if (!["sigmoid", "linear"].includes(embeddingActivation)) {
    const expected = "expected sigmoid or linear";
    throw new TwingradError("BAD_INPUT", `${name}: embeddingActivation is "${embeddingActivation}"; ${expected}.`);
  }

  return {
    task,
    options: { imageSize, filters, embedding, embeddingActivation, seed, towers, edges },

    tower(tape, images, { training, groups = 1, index = 0 }) {
      const tower = towerName(index);
      const seesEdges = beginsWithEdges(edges, index);
      let x = seesEdges ? orientedGradients(images) : images;
      filters.forEach((count, i) => {
        if (i === 0 && seesEdges) return;
        const name = `${tower}/block${i + 1}`;
        const kernel = tape.parameter(`${name}/conv/kernel`, [3, 3, x.shape[3], count], {
          initial: "glorot-uniform",
          seed,
        });
        const bias = tape.parameter(`${name}/conv/bias`, [count], { initial: 0 });
        const gamma = tape.parameter(`${name}/norm/gamma`, [count], { initial: 1 });
        const beta = tape.parameter(`${name}/norm/beta`, [count], { initial: 0 });
        const mean = tape.parameter(`${name}/norm/moving_mean`, [count], { initial: 0, trainable: false });
        const variance = tape.parameter(`${name}/norm/moving_variance`, [count], { initial: 1, trainable: false });
        x = maxPool2d(conv2d(x, kernel, { bias, padding: "same" }), { size: 2 });
        x = batchNorm(x, { gamma, beta, groups, training, moving: { mean, variance }, activation: "relu" });
      });
      x = flatten(x);
      const kernel = tape.parameter(`${tower}/dense/kernel`, [x.shape[1], embedding], {
        initial: "glorot-uniform",
        seed,
      });
      const bias = tape.parameter(`${tower}/dense/bias`, [embedding], { initial: 0 });
      return dense(x, kernel, { bias, activation: embeddingActivation === "sigmoid" ? "sigmoid" : undefined });
    },

    head(tape, embeddings) {
      const kernel = tape.parameter("head/kernel", [embedding, 1], { initial: "glorot-uniform", seed });
      const bias = tape.parameter("head/bias", [1], { initial: 0 });
      return dense(features(embeddings), kernel, { bias });
    },

    penalised: (tape) =>
      [...tape.parameters].filter(([name]) => /^tower\d*\/block\d+\/conv\/kernel$/.test(name)).map(([, one]) => one),
  };
}

const beginsWithEdges = (edges: EdgeTowers, index: number): boolean =>
  edges === "all" || (edges === "half" && index % 2 === 1);

/** What its parameters are called by: the first as where there is one alone. */
const towerName = (index: number) => (index === 0 ? "tower" : `tower${index + 1}`);

/** How long the embedding of a picture is: those of all towers behind one another. */
export const embeddingLength = ({ embedding, towers }: Required<NetworkOptions>): number => embedding * towers;

/** How many values the network's parameters hold, moving averages included, the head left out. */
export function weightsOf({ imageSize, filters, embedding, towers, edges }: Required<NetworkOptions>): number {
  const [height, width, channels] = imageSize;
  const blocks = Array.from({ length: towers }, (_, index) => beginsWithEdges(edges, index)).map((seesEdges) => {
    const inputs = [channels, ...filters];
    if (seesEdges) inputs[1] = edgeDirections + channels;
    const sizes = filters.map((count, i) => (9 * inputs[i] + 5) * count);
    return sizes.slice(seesEdges ? 1 : 0).reduce((sum, size) => sum + size, 0);
  });
  const flattened = (height >> filters.length) * (width >> filters.length) * filters[filters.length - 1];
  return blocks.reduce((sum, size) => sum + size, 0) + towers * (flattened + 1) * embedding;
}

function checkOptions(
  name: string,
  imageSize: readonly number[],
  filters: readonly number[],
  embedding: number,
  towers: number,
): void {
  const positive = [...imageSize, ...filters, embedding, towers].every((n) => Number.isInteger(n) && n > 0);
  if (imageSize.length !== 3 || filters.length === 0 || !positive) {
    const got = `imageSize ${imageSize.join(" x ")}, filters ${filters.join(", ")}, embedding ${embedding}, towers ${towers}`;
    throw new TwingradError("BAD_INPUT", `${name}: ${got}; expected [height, width, channels] and positive numbers.`);
  }
  const halved = imageSize.slice(0, 2).map((n) => n >> filters.length);
  if (sizeOf(halved) === 0) {
    const size = imageSize.slice(0, 2).join(" x ");
    const most = Math.floor(Math.log2(Math.min(imageSize[0], imageSize[1])));
    throw new TwingradError(
      "BAD_INPUT",
      `${name}: ${filters.length} blocks halve a picture of ${size} to nothing; give larger pictures, or ${most} blocks at most.`,
    );
  }
}
