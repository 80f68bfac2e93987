// Validates the settings of the loss, and resolves the size of batches whose pictures are all compared.
import { comparesAll } from "../../internal.ts";
import { SettingsError } from "./settingsError.ts";
import type { PartialSettings } from "./settingsSchema.ts";

/** Default pictures of each identity in a batch. */
export const defaultPicturesPerIdentity = 4;
/** Default identities in a batch, or as many as have two pictures. */
export const defaultIdentitiesPerBatch = 8;

/** Resolves mining, and the identities and pictures of a batch whose pictures are all compared. */
export function resolveBatch(given: PartialSettings): PartialSettings {
  const { loss = "cross-entropy", margin, temperature, batchSize, identitiesPerBatch } = given;
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
    if (identitiesPerBatch !== undefined || given.picturesPerIdentity !== undefined) {
      refuse("--identities-per-batch and --pictures-per-identity require a loss that compares all pictures of a batch");
    }
    return given.mining === undefined ? { mining } : {};
  }
  if (batchSize !== undefined && identitiesPerBatch !== undefined) {
    refuse("--batch-size and --identities-per-batch both set the batch size: use one of them");
  }
  const { picturesPerIdentity = Math.min(defaultPicturesPerIdentity, Math.max(2, Math.floor((batchSize ?? 8) / 2))) } =
    given;
  if (batchSize === undefined) return { mining, picturesPerIdentity };
  const identities = Math.floor(batchSize / picturesPerIdentity);
  if (!(identities >= 2)) {
    refuse(
      `--batch-size ${batchSize} is too small: expected at least 2 identities times --pictures-per-identity (at least 2)`,
    );
  }
  return { mining, picturesPerIdentity, identitiesPerBatch: identities };
}
