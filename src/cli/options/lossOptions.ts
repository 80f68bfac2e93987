// The options of `train` that say what is minimized, on which batches, and in what strides.
import type { Command } from "commander";
import { defaultPeoplePerBatch, defaultPicturesPerPerson } from "./lossSettings.ts";
import { defaults } from "./settings.ts";
import { list, number } from "./values.ts";

const by = (value: unknown) => `(default: ${value})`;
const margin = (text: string) => (text === "soft" ? text : number(text));

export function addLossOptions(command: Command): void {
  command
    .option(
      "--embedding-activation <name>",
      `of an embedding's values: sigmoid, relu, or linear, which losses on distances want ${by("sigmoid")}`,
    )
    .option(
      "--batch-norm-epsilon <number>",
      `added to the variance of each batch-norm; PyTorch's default is 1e-5 ${by(1e-3)}`,
      number,
    )
    .option(
      "--batch-norm-momentum <share>",
      `of its old value that a moving average keeps at an update; PyTorch's default of 0.1 is 0.9 here ${by(0.99)}`,
      number,
    )
    .option(
      "--towers <list>",
      `of pixels (convolutions), edges (by direction, in place of the first block) and histograms (of edges, in place of all blocks), as pixels,pixels,histograms: each learns from batches of its own; an embedding is all of theirs behind one another ${by("pixels")}`,
      list,
    )
    .option(
      "--whiten <share>",
      "after training: bring down directions in which pictures of one person differ, with this share of the mean variance added to each, as 0.1 or 1",
      number,
    )
    .option(
      "--centre <share>",
      "after training: take this share of the mean of the most similar people trained on away from each embedding, as 0.9",
      number,
    )
    .option(
      "--loss <name>",
      `cross-entropy on pairs, contrastive on pairs, triplet, or supervised-contrastive on whole batches ${by(defaults.loss)}`,
    )
    .option(
      "--mining <name>",
      `of --loss triplet: batch-hard or semi-hard among all pictures of a batch, or none for drawn triplets ${by("batch-hard")}`,
    )
    .option(
      "--margin <distance>",
      "of contrastive (default: 1) or triplet loss (default: 0.2); or soft, with mining",
      margin,
    )
    .option("--temperature <number>", `of the supervised contrastive loss ${by(0.1)}`, number)
    .option(
      "--people-per-batch <count>",
      `of batches compared as a whole: mining, supervised-contrastive ${by(`${defaultPeoplePerBatch}, or as many as have two pictures`)}`,
      number,
    )
    .option("--pictures-per-person <count>", `in such a batch ${by(defaultPicturesPerPerson)}`, number)
    .option("--l2 <factor>", `weight of the penalty on convolution kernels ${by(defaults.l2)}`, number)
    .option("--optimizer <name>", `adam, adamw or sgd ${by("adam")}`)
    .option("--momentum <factor>", `of --optimizer sgd ${by(0)}`, number)
    .option("--weight-decay <factor>", `of --optimizer adamw ${by(0.01)}`, number)
    .option("--learning-rate <rate>", `the optimizer's, the highest of a schedule ${by(defaults.learningRate)}`, number)
    .option("--schedule <name>", `of the learning rate: constant, cosine or step ${by("constant")}`)
    .option("--warm-up <steps>", `in which the rate climbs to its height ${by(0)}`, number)
    .option("--final-rate <rate>", `that a cosine falls to ${by(0)}`, number)
    .option("--schedule-steps <count>", "at which a cosine ends (default: the run's steps)", number)
    .option("--decay-every <steps>", "of --schedule step: shrink the rate each time", number)
    .option("--decay-rate <factor>", `of --schedule step ${by(0.1)}`, number);
}
