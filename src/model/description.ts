// The description of a network in its file: its task, architecture, batches and loss.
import type { BatchKind } from "../data/batch.ts";
import { TwingradError } from "../errors.ts";
import type { Safetensors } from "../formats/safetensors.ts";
import { sealKey } from "../formats/seal.ts";
import { chosenOptions, type NetworkTask, weightsOf } from "../nn/network.ts";
import type { NetworkOptions } from "../nn/networkOptions.ts";
import type { Margin } from "../ops/losses/batchLoss.ts";
import { arePictures, givenSize, type PictureOptions } from "./pictures.ts";

export const lossNames = ["cross-entropy", "contrastive", "triplet", "supervised-contrastive"] as const;
export type LossName = (typeof lossNames)[number];
/** The default of the contrastive and the triplet loss, a distance between embeddings. */
export const defaultMargin = (loss: string): number => (loss === "triplet" ? 0.2 : 1);

/** How triplets are formed: sampled one by one, or mined among all pictures of a batch. */
export const minings = ["none", "batch-hard", "semi-hard"] as const;
export type Mining = (typeof minings)[number];

/** Whether a loss compares all pictures of a batch with each other. */
export function comparesAll({ loss, mining }: { readonly loss: string; readonly mining?: string }): boolean {
  return loss === "supervised-contrastive" || (loss === "triplet" && mining !== undefined && mining !== "none");
}

/** Determines the kind of training batch. */
export interface Objective {
  readonly task: NetworkTask;
  readonly loss: string;
  readonly mining?: string;
}

export function batchKind({ task, loss, mining }: Objective): BatchKind {
  if (task === "liveness") return "liveness";
  if (comparesAll({ loss, mining })) return "classes";
  return loss === "triplet" ? "triplets" : "pairs";
}

/** The network's options and training objective: enough to rebuild it. Stored in the file's metadata. */
export interface ModelDescription {
  /** Older files have none: they are for recognition. */
  readonly task: NetworkTask;
  /** The architecture. */
  readonly network: Required<NetworkOptions>;
  /** The loss of its training. */
  readonly loss: string;
  /** Absent for sampled triplets and for other losses. */
  readonly mining?: Mining;
  /** The margin of the contrastive or triplet loss. */
  readonly margin: Margin;
  /** The temperature of the supervised contrastive loss. */
  readonly temperature?: number;
  /** The optimizer's name. Older files have none: they were trained with Adam. */
  readonly optimizer?: string;
  /** The fingerprint of the model that the weights were initialized from; absent for random weights. */
  readonly init?: string;
  /** The preprocessing of its pictures; absent for the default. */
  readonly pictures?: PictureOptions;
}

const descriptionKey = "twingrad";

/** The metadata that `readDescription` reads. */
export function descriptionMetadata(model: ModelDescription, step: number): Record<string, string> {
  return { [descriptionKey]: JSON.stringify({ version: 2, step, ...model }) };
}

/**
 * The description in a file's metadata. Every field is checked, and the network is no larger than the file's tensors,
 * so that building it is safe. @throws CHECKPOINT_MISMATCH where the file has no description, CORRUPT_FILE where it is
 * invalid.
 */
export function readDescription(file: Safetensors): ModelDescription & { step: number } {
  const text = file.metadata[descriptionKey];
  let model: Partial<ModelDescription> & { version?: unknown; step?: unknown } = {};
  try {
    model = JSON.parse(text ?? "{}") ?? {};
  } catch {
    // not JSON: reported below as a file without a description
  }
  const {
    version,
    step,
    task = "recognition",
    network,
    loss,
    mining,
    margin,
    temperature,
    pictures,
    optimizer = "adam",
    init,
  } = model;
  // Files of version 1 have no digest.
  if (version !== 1 && version !== 2) {
    throw new TwingradError(
      "CHECKPOINT_MISMATCH",
      "The file's metadata has no twingrad description of version 1 or 2: it was not saved by twingrad's train.",
    );
  }
  const corrupt = (what: string) =>
    new TwingradError("CORRUPT_FILE", `Invalid twingrad description in the file: ${what}.`);
  if (version === 2 && file.metadata[sealKey] === undefined) throw corrupt("the digest of the file is missing");
  if (!Number.isSafeInteger(step) || (step as number) < 0) throw corrupt(`step is ${JSON.stringify(step)}`);
  if (task !== "recognition" && task !== "liveness") throw corrupt(`task is ${JSON.stringify(task)}`);
  const losses: readonly string[] = task === "liveness" ? ["cross-entropy"] : lossNames;
  if (typeof loss !== "string" || !losses.includes(loss)) {
    throw corrupt(`loss is ${JSON.stringify(loss)}`);
  }
  if (mining !== undefined && !minings.includes(mining)) throw corrupt(`mining is ${JSON.stringify(mining)}`);
  if (temperature !== undefined && !Number.isFinite(temperature)) {
    throw corrupt(`temperature is ${JSON.stringify(temperature)}`);
  }
  if (typeof optimizer !== "string") throw corrupt(`optimizer is ${JSON.stringify(optimizer)}`);
  if (init !== undefined && typeof init !== "string") throw corrupt(`init is ${JSON.stringify(init)}`);
  if (margin !== "soft" && !Number.isFinite(margin)) throw corrupt(`margin is ${JSON.stringify(margin)}`);
  const { imageSize, filters, seed } = network ?? {};
  if (!Array.isArray(imageSize) || !Array.isArray(filters) || !Number.isSafeInteger(seed) || seed! < 0) {
    throw corrupt(`network is ${JSON.stringify(network)}`);
  }
  let options: Required<NetworkOptions>;
  try {
    options = chosenOptions(task === "liveness" ? "liveness" : "siamese", network!); // adds defaults of options that older files lack
    givenSize(options, pictures ?? {});
  } catch (error) {
    throw corrupt((error as Error).message);
  }
  if (!arePictures(pictures)) throw corrupt(`pictures is ${JSON.stringify(pictures)}`);
  const held = [...file.tensors.values()].reduce((sum, { bytes }) => sum + bytes.length / 4, 0);
  if (weightsOf(options) > held) {
    throw corrupt(`its network has ${weightsOf(options)} weights, more than the file's tensors hold`);
  }
  return {
    task,
    network: options,
    loss,
    mining,
    margin: margin as Margin,
    temperature,
    optimizer,
    step: step as number,
    pictures,
    init,
  };
}

const inWords: Record<NetworkTask, string> = {
  recognition: "a recognition model, which compares identities",
  liveness: "a liveness model, which detects presentation attacks",
};

/** @throws CHECKPOINT_MISMATCH for a model of another task, since tensors of both tasks have the same names. */
export function expectTask({ task }: ModelDescription, expected: NetworkTask): void {
  if (task === expected) return;
  throw new TwingradError("CHECKPOINT_MISMATCH", `This is ${inWords[task]}; expected ${inWords[expected]}.`);
}

/** @throws CHECKPOINT_MISMATCH for a checkpoint of another optimizer, whose state this one cannot use. */
export function expectOptimizer({ optimizer }: ModelDescription, expected: string): void {
  if (optimizer === expected) return;
  throw new TwingradError(
    "CHECKPOINT_MISMATCH",
    `This checkpoint was written with the optimizer "${optimizer}", not "${expected}". Create the trainer with the checkpoint's optimizer.`,
  );
}
