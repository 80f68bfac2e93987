// Which settings go with which loss, and how large a batch is whose pictures are all compared.
import { comparesAll } from "../../internal.ts";
import { SettingsError } from "./settingsError.ts";
import type { PartialSettings } from "./settingsSchema.ts";

/** Of each person in a batch, where nothing was said. */
export const defaultPicturesPerPerson = 4;
/** In a batch where nothing was said, or as many as have two pictures. */
export const defaultPeoplePerBatch = 8;

/** What `given` comes to: mining, and the people and pictures of a batch that is compared as a whole. */
export function resolveBatch(given: PartialSettings): PartialSettings {
  const { loss = "cross-entropy", margin, temperature, batchSize, peoplePerBatch } = given;
  const mining = given.mining ?? (loss === "triplet" ? "batch-hard" : undefined);
  const refuse = (what: string): never => {
    throw new SettingsError(what);
  };
  if (mining !== undefined && mining !== "none" && loss !== "triplet")
    refuse(`--mining goes with --loss triplet, not ${loss}`);
  if (margin !== undefined && loss !== "triplet" && loss !== "contrastive") {
    refuse(`--margin goes with --loss triplet or contrastive, not ${loss}`);
  }
  if (margin === "soft" && !comparesAll({ loss, mining }))
    refuse("--margin soft goes with --mining batch-hard or semi-hard");
  if (temperature !== undefined && loss !== "supervised-contrastive") {
    refuse(`--temperature goes with --loss supervised-contrastive, not ${loss}`);
  }
  if ((given.towers?.length ?? 1) > 1 && !comparesAll({ loss, mining })) {
    refuse("--towers goes with losses that compare all pictures of a batch: supervised-contrastive, or mined triplets");
  }
  for (const name of ["whiten", "centre"] as const) {
    if (given[name] !== undefined && loss === "cross-entropy") {
      refuse(`--${name} goes with losses on distances: cross-entropy's head weighs embeddings as they are`);
    }
  }
  if (!comparesAll({ loss, mining })) {
    if (peoplePerBatch !== undefined || given.picturesPerPerson !== undefined) {
      refuse("--people-per-batch and --pictures-per-person go with losses that compare all pictures of a batch");
    }
    return given.mining === undefined ? { mining } : {};
  }
  if (batchSize !== undefined && peoplePerBatch !== undefined) {
    refuse("--batch-size and --people-per-batch both say how large a batch is: give one of them");
  }
  const { picturesPerPerson = Math.min(defaultPicturesPerPerson, Math.max(2, Math.floor((batchSize ?? 8) / 2))) } =
    given;
  if (batchSize === undefined) return { mining, picturesPerPerson };
  const people = Math.floor(batchSize / picturesPerPerson);
  if (!(people >= 2)) {
    refuse(
      `--batch-size ${batchSize}: a batch that is compared has at least 2 people with 2 pictures each, or with --pictures-per-person`,
    );
  }
  return { mining, picturesPerPerson, peoplePerBatch: people };
}
