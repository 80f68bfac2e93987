// The training task of recognition.
import {
  type Dataset,
  type Device,
  embedAll,
  evaluateModel,
  fitWhitening,
  labelsOf,
  Model,
  pairsPerIdentity,
  rotatedIdentities,
  siamese,
  splitIdentities,
  TwingradError,
  withCentering,
  withOperatingPoint,
  withWhitening,
} from "../../../index.ts";
import { embeddingLength, indicesByIdentity, operatingPointKey, subset, whiten } from "../../../internal.ts";
import { openData } from "../../options/dataOptions.ts";
import { trainingStream } from "../trainingStream.ts";
import type { TrainingTask } from "./task.ts";

/** Pairs of each kind for each person that set the threshold. */
const evaluatedPairs = 50;
/** Approximate number of pictures that evaluate a checkpoint. */
const evaluatedPictures = 500;
/** Approximate number of training pictures that whitening is fitted to. */
const whitenedPictures = 4000;
/** Approximate size of the cohort of localized centering: each embedding is compared with all of it. */
const cohortPictures = 1000;

export const recognition: TrainingTask = {
  examples: "pairs, triplets or pictures",
  open: openData,
  describe: ({ items, identities }) => `${items.length} pictures of ${identities.length} people`,
  divide: splitIdentities,
  some: (people) => someOf(people, evaluatedPictures),
  batches: (training, decoded, settings, warn, alignment, share) => {
    if (settings.whiten !== undefined) requireSeveralPictures(training);
    const people = settings.rotatedIdentities ? rotatedIdentities(training) : training;
    return trainingStream(people, decoded, settings, warn, alignment, share);
  },
  network: siamese,
  operatingPointKey,

  async finish(device, bytes, training, { whiten: shrinkage, centre: share }) {
    if (shrinkage === undefined && share === undefined) return bytes;
    const sample = someOf(training, shrinkage === undefined ? cohortPictures : whitenedPictures);
    let { embeddings, network } = await embedded(device, bytes, sample);
    let finished = bytes;
    if (shrinkage !== undefined) {
      const {
        towers: { length: towers },
        embedding: length,
      } = network;
      const whitening = fitWhitening(embeddings, labelsOf(sample), { towers, length, shrinkage });
      finished = await withWhitening(finished, whitening);
      embeddings = whiten(whitening, embeddings);
    }
    if (share !== undefined) {
      const length = embeddingLength(network);
      finished = await withCentering(finished, { share, cohort: evenly(embeddings, length, cohortPictures), length });
    }
    return finished;
  },

  async evaluate(device, bytes, people, { seed }) {
    const model = await Model.open(device, bytes);
    try {
      const pairs = pairsPerIdentity(labelsOf(people), { perIdentity: evaluatedPairs, seed });
      const { report, loss, calibration } = await evaluateModel(model, people, pairs);
      const { accuracy, auc, eer, threshold } = report;
      return {
        loss,
        auc,
        eer,
        figures: { loss, accuracy, auc, eer, threshold },
        sealed: (bytes) => withOperatingPoint(bytes, { threshold, calibration }),
      };
    } finally {
      await model.dispose();
    }
  },
};

/** Fails early: at the end of training, `fitWhitening` needs a person with two pictures. */
function requireSeveralPictures(training: Dataset): void {
  const sample = someOf(training, whitenedPictures);
  if (indicesByIdentity(labelsOf(sample)).some(({ length }) => length > 1)) return;
  throw new TwingradError(
    "BAD_INPUT",
    `--whiten: none of ${sample.identities.length} people has two pictures; expected at least one, to measure the within-class covariance`,
  );
}

/** The embeddings of the pictures of these people. */
async function embedded(device: Device, bytes: Uint8Array, people: Dataset) {
  const model = await Model.open(device, bytes);
  try {
    const embeddings = await embedAll(model, people);
    return { embeddings, network: model.description.network };
  } finally {
    await model.dispose();
  }
}

/** At most `most` of the rows [N, length], evenly spaced. */
function evenly(rows: Float32Array, length: number, most: number): Float32Array {
  const stride = Math.ceil(rows.length / length / most);
  return rows.filter((_, i) => Math.floor(i / length) % stride === 0);
}

/** The first people with about `enough` pictures together. */
function someOf(people: Dataset, enough: number): Dataset {
  const chosen: number[] = [];
  const counts = indicesByIdentity(labelsOf(people)).map((pictures) => pictures.length);
  for (
    let identity = 0, pictures = 0;
    identity < counts.length && (pictures < enough || chosen.length < 2);
    identity++
  ) {
    chosen.push(identity);
    pictures += counts[identity];
  }
  return subset(people, chosen);
}
