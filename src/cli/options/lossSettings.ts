// Validates the settings of the loss, and resolves the size of batches whose pictures are all compared.
import { comparesAll } from "../../internal.ts";
import { SettingsError } from "./settingsError.ts";
import type { PartialSettings } from "./settingsSchema.ts";

/** Default pictures of each person in a batch. */
export const defaultPicturesPerPerson = 4;
/** Default people in a batch, or as many as have two pictures. */
export const defaultPeoplePerBatch = 8;

/** Resolves mining, and the people and pictures of a batch whose pictures are all compared. */
export function resolveBatch(given: PartialSettings): PartialSettings {
  const { loss = "cross-entropy", margin, temperature, batchSize, peoplePerBatch } = given;
  const mining = given.mining ?? (loss === "triplet" ? "batch-hard" : undefined);
  const refuse = (what: string): never => {
    throw new SettingsError(what);
  };
  if (mining !== undefined && mining !== "none" && loss !== "triplet")
    refuse(`--mining requires --loss triplet, not ${loss}`);
  if (margin !== undefined && loss !== "triplet" && loss !== "contrastive") {
    refuse(`--margin requires --loss triplet or contrastive, not ${loss}`);
  }
  if (margin === "soft" && !comparesAll({ loss, mining }))
    refuse("--margin soft requires --mining batch-hard or semi-hard");
  if (temperature !== undefined && loss !== "supervised-contrastive") {
    refuse(`--temperature requires --loss supervised-contrastive, not ${loss}`);
  }
  if ((given.towers?.length ?? 1) > 1 && !comparesAll({ loss, mining })) {
    refuse(
      "several --towers require a loss that compares all pictures of a batch: supervised-contrastive, or triplet with mining",
    );
  }
  for (const name of ["whiten", "centre"] as const) {
    if (given[name] !== undefined && loss === "cross-entropy") {
      refuse(`--${name} requires a loss on distances: the head of cross-entropy is trained on the original embeddings`);
    }
  }
  if (!comparesAll({ loss, mining })) {
    if (peoplePerBatch !== undefined || given.picturesPerPerson !== undefined) {
      refuse("--people-per-batch and --pictures-per-person require a loss that compares all pictures of a batch");
    }
    return given.mining === undefined ? { mining } : {};
  }
  if (batchSize !== undefined && peoplePerBatch !== undefined) {
    refuse("--batch-size and --people-per-batch both set the batch size: use one of them");
  }
  const { picturesPerPerson = Math.min(defaultPicturesPerPerson, Math.max(2, Math.floor((batchSize ?? 8) / 2))) } =
    given;
  if (batchSize === undefined) return { mining, picturesPerPerson };
  const people = Math.floor(batchSize / picturesPerPerson);
  if (!(people >= 2)) {
    refuse(
      `--batch-size ${batchSize} is too small: expected at least 2 people times --pictures-per-person (at least 2)`,
    );
  }
  return { mining, picturesPerPerson, peoplePerBatch: people };
}
