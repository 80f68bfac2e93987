// The model of --init, and the defaults that it gives for settings.
import { type ModelDescription, TwingradError } from "../../index.ts";
import {
  addedIn,
  fingerprintOfModel,
  modelFileOf,
  olderThanItsFolder,
  openSaved,
  readModelFile,
} from "../../internal.ts";
import { warn } from "../outcome.ts";
import { SettingsError } from "./settingsError.ts";
import type { PartialSettings } from "./settingsSchema.ts";

export interface InitialModel {
  readonly bytes: Uint8Array;
  readonly description: ModelDescription;
  readonly fingerprint: string;
  /** What is computed on its embeddings. */
  readonly added: { readonly whitening: boolean; readonly centering: boolean };
}

export async function readInitialModel(path: string): Promise<InitialModel> {
  const bytes = await readModelFile(path);
  const older = await olderThanItsFolder(await modelFileOf(path));
  if (older) warn(older);
  try {
    const { file, description } = await openSaved(bytes);
    return { bytes, description, fingerprint: await fingerprintOfModel(bytes), added: addedIn(file) };
  } catch (error) {
    const { code, message } = error as TwingradError;
    if (!(error instanceof TwingradError)) throw error;
    const advice =
      code === "CHECKPOINT_MISMATCH" ? " Convert weights of another framework with `twingrad import`." : "";
    throw new TwingradError(code, `--init ${path}: ${message}${advice}`, { cause: error });
  }
}

/**
 * The settings that training from this model takes over: its network, and, unless `given` differs, its task, loss and
 * preprocessing. @throws SettingsError if `given` describes another network.
 */
export function settingsOfModel({ description }: InitialModel, given: PartialSettings): PartialSettings {
  const { network, task } = description;
  const { imageSize, filters, embedding, embeddingActivation, batchNormEpsilon, towers, patch, differences } = network;
  const [height, width, channels] = imageSize;
  const own = {
    imageSize: [height, width] as [number, number],
    channels: channels as 1 | 3,
    filters: [...filters],
    ...(patch === 0 && { embedding }), // with patches, the last of the filters
    embeddingActivation,
    batchNormEpsilon,
    towers: [...towers],
    ...(patch > 0 && { patch }),
    differences,
  };
  const comparable = {
    ...given,
    imageSize: typeof given.imageSize === "number" ? [given.imageSize, given.imageSize] : given.imageSize,
  };
  const differing = Object.entries({ ...own, patch, embedding })
    .map(([name, value]) => ({ name, model: `${value}`, given: comparable[name as keyof typeof comparable] }))
    .filter(({ model, given }) => given !== undefined && `${given}` !== model)
    .map(({ name, model, given }) => `${name} ${inWords(name, model)}, not ${inWords(name, `${given}`)}`);
  if (differing.length > 0) {
    const what = `--init: the model's network has ${differing.join("; ")}`;
    throw new SettingsError(`${what}. Omit these settings: the network of the model is used`);
  }
  if (patch > 0 && given.task === "recognition") {
    throw new SettingsError("--init: a model with --patch needs --task liveness");
  }
  const sameTask = given.task === undefined || given.task === task;
  return {
    task,
    ...own,
    batchNormMomentum: network.batchNormMomentum,
    ...(sameTask && (given.loss === undefined || given.loss === description.loss) && lossOf(description)),
    ...picturesOfModel(description, sameTask),
  };
}

/** What the model adds to its embeddings and the new one will not, with the option for it. */
export function notKept(
  { added }: InitialModel,
  { whiten: shrinkage, centre: share }: PartialSettings,
): [option: string, what: string][] {
  const missing: [string, string][] = [];
  if (added.whitening && shrinkage === undefined) missing.push(["--whiten", "whitening"]);
  if (added.centering && share === undefined) missing.push(["--centre", "centering"]);
  return missing;
}

const inWords = (name: string, value: string) => (name === "imageSize" ? value.replace(",", "x") : value);

function lossOf({ loss, mining, margin, temperature }: ModelDescription): PartialSettings {
  return {
    loss: loss as PartialSettings["loss"],
    ...(loss === "triplet" && { mining: mining ?? "none" }),
    ...((loss === "triplet" || loss === "contrastive") && { margin }),
    ...(loss === "supervised-contrastive" && { temperature }),
  };
}

function picturesOfModel({ pictures }: ModelDescription, sameTask: boolean): PartialSettings {
  if (!pictures) return {};
  const { sourceSize, resize, standardize, crop, alignment, views } = pictures;
  return {
    ...(sourceSize && { sourceSize: [sourceSize[0], sourceSize[1]] }),
    resize,
    ...(standardize && { standardize }),
    ...(crop && { crop: crop.mode }),
    ...(crop && crop.mode !== "centre" && crop.margin && { cropMargin: crop.margin }),
    ...(alignment && sameTask && { align: [...alignment.towers] }),
    ...(views && { views: [...views] }),
  };
}
