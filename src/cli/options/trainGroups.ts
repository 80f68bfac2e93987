// The headings of the options in `train --help`, and the former names of options. The first group has the options for a
// first training.
import { type Command, Option } from "commander";
import { renamedOptions } from "../../internal.ts";
import { flagOf } from "./settings.ts";

const groups: Readonly<Record<string, readonly string[]>> = {
  "Everyday:": [
    "out",
    "preset",
    "imageSize",
    "channels",
    "loss",
    "learningRate",
    "batchSize",
    "steps",
    "augment",
    "resume",
    "config",
  ],
  "Data:": [
    "task",
    "sourceSize",
    "resize",
    "crop",
    "cropMargin",
    "onNoFace",
    "facePolicy",
    "standardize",
    "align",
    "prefetch",
    "imageCache",
  ],
  "Batches:": [
    "balanced",
    "sameProbability",
    "differentProbability",
    "shuffleBuffer",
    "identitiesPerBatch",
    "picturesPerIdentity",
    "rotatedIdentities",
    "seed",
  ],
  "Network:": [
    "filters",
    "patch",
    "differences",
    "embedding",
    "embeddingActivation",
    "batchNormEpsilon",
    "batchNormMomentum",
    "towers",
    "views",
    "whiten",
    "centre",
  ],
  "Fine-tuning:": ["init", "freeze"],
  "Loss:": ["mining", "margin", "temperature", "l2", "clipNorm"],
  "Optimizer and schedule:": [
    "optimizer",
    "momentum",
    "weightDecay",
    "epochs",
    "schedule",
    "warmUp",
    "finalRate",
    "scheduleSteps",
    "decayEvery",
    "decayRate",
    "patience",
  ],
  "Augmentation:": ["augmentPreset"],
  "Evaluation:": ["validation", "fold", "groupBy", "holdOutGroups"],
  "Checkpoints:": ["checkpointEvery", "keep", "keepCheckpoints", "checkData"],
  "Several processes:": ["distributed", "syncEvery", "outerMomentum", "overlap"],
  "Device:": ["device", "storage", "recompute", "tune", "recoveryEvery", "recoveryLosses", "debugNumerics"],
};

/** Puts each option that the table names under its heading; the others keep the heading they were declared with. */
export function groupOptions(command: Command): Command {
  for (const option of command.options) {
    const heading = Object.keys(groups).find((name) => groups[name].includes(option.attributeName()));
    if (heading) option.helpGroup(heading);
  }
  return command;
}

/** Accepts the former names of renamed options, which help and completion leave out. */
export function acceptFormerNames(command: Command): Command {
  for (const [former, present] of renamedOptions) {
    const option = command.options.find((option) => option.attributeName() === present);
    if (!option?.long) throw new Error(`no option ${present}`);
    const accepted = new Option(option.flags.replace(option.long, flagOf(former))).hideHelp();
    if (option.parseArg) accepted.argParser(option.parseArg);
    command.addOption(accepted);
  }
  return command;
}
