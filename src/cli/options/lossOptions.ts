// The options of `train` for the loss, the batches and the optimizer.
import type { Command } from "commander";
import { defaultIdentitiesPerBatch, defaultPicturesPerIdentity } from "./lossSettings.ts";
import { defaults } from "./settings.ts";
import { list, number } from "./values.ts";

const by = (value: unknown) => `(default: ${value})`;
const margin = (text: string) => (text === "soft" ? text : number(text));

export function addLossOptions(command: Command): void {
  command
    .option(
      "--embedding-activation <name>",
      `activation of the embedding layer: sigmoid, relu or linear; use linear with losses on distances ${by("sigmoid")}`,
    )
    .option(
      "--batch-norm-epsilon <number>",
      `epsilon of batch normalization; PyTorch's default is 1e-5 ${by(1e-3)}`,
      number,
    )
    .option(
      "--batch-norm-momentum <share>",
      `share of its old value that a moving average keeps in an update; PyTorch's momentum of 0.1 is 0.9 here ${by(0.99)}`,
      number,
    )
    .option(
      "--towers <list>",
      `towers of an ensemble, e.g. pixels,pixels,histograms: pixels (convolutions), edges (oriented gradients instead of the first block), histograms (of oriented gradients, instead of all blocks); each trains on its own batches, and their embeddings are concatenated ${by("pixels")}`,
      list,
    )
    .option(
      "--whiten <share>",
      "after training: whiten the within-class covariance of embeddings, with this share of the mean variance as shrinkage, e.g. 0.1 or 1",
      number,
    )
    .option(
      "--centre <share>",
      "after training: localized centering: subtract this share of the mean of the most similar training embeddings from each embedding, e.g. 0.9",
      number,
    )
    .option(
      "--loss <name>",
      `loss: cross-entropy or contrastive on pairs, triplet, or supervised-contrastive on whole batches ${by(defaults.loss)}`,
    )
    .option(
      "--mining <name>",
      `triplet mining for --loss triplet: batch-hard or semi-hard within a batch, or none for random triplets ${by("batch-hard")}`,
    )
    .option(
      "--margin <distance>",
      "margin of the contrastive (default: 1) or triplet loss (default: 0.2); soft: soft margin, with mining",
      margin,
    )
    .option("--temperature <number>", `temperature of the supervised contrastive loss ${by(0.1)}`, number)
    .option(
      "--identities-per-batch <count>",
      `identities in a batch, for mining and supervised-contrastive ${by(`${defaultIdentitiesPerBatch}, or as many as have two pictures`)}`,
      number,
    )
    .option(
      "--pictures-per-identity <count>",
      `pictures of each identity in such a batch ${by(defaultPicturesPerIdentity)}`,
      number,
    )
    .option("--l2 <factor>", `weight of the L2 penalty on convolution kernels ${by(defaults.l2)}`, number)
    .option("--optimizer <name>", `optimizer: adam, adamw or sgd ${by("adam")}`)
    .option("--momentum <factor>", `momentum of --optimizer sgd ${by(0)}`, number)
    .option("--weight-decay <factor>", `weight decay of --optimizer adamw ${by(0.01)}`, number)
    .option("--learning-rate <rate>", `learning rate; with a schedule, its peak ${by(defaults.learningRate)}`, number)
    .option("--schedule <name>", `learning-rate schedule: constant, cosine or step ${by("constant")}`)
    .option("--warm-up <steps>", `steps of linear warmup ${by(0)}`, number)
    .option("--final-rate <rate>", `learning rate at the end of a cosine schedule ${by(0)}`, number)
    .option("--schedule-steps <count>", "step at which a cosine schedule ends (default: the run's steps)", number)
    .option("--decay-every <steps>", "for --schedule step: steps between decays", number)
    .option("--decay-rate <factor>", `for --schedule step: factor of each decay ${by(0.1)}`, number);
}
