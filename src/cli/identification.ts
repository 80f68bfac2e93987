// Open-set identification on a dataset: some identities are enrolled, the others are strangers.
import {
  type Dataset,
  labelsOf,
  type Match,
  type OpenSetReport,
  openSet,
  openSetReport,
  type Recognizer,
} from "../index.ts";
import { indicesByIdentity, personSearch, representatives } from "../internal.ts";

export interface IdentificationOptions {
  shots: number;
  match: Match;
  seed: number;
  resamples: number;
}

/** Undefined if the dataset has too few identities with several pictures to enroll two and have a stranger. */
export function identification(
  model: Recognizer,
  dataset: Dataset,
  embeddings: Float32Array,
  { shots, match, seed, resamples }: IdentificationOptions,
): OpenSetReport | undefined {
  const labels = labelsOf(dataset);
  const pictures = indicesByIdentity(labels).map((own) => own.length);
  if (pictures.filter((count) => count > shots).length < 2 || pictures.filter(Boolean).length < 3) return undefined;
  const divided = openSet(labels, { shots, seed });
  const { enrolled, probes, strangers } = divided;
  const row = (index: number) => embeddings.subarray(index * model.embedding, (index + 1) * model.embedding);
  const stack = (indices: readonly number[]) => {
    const rows = new Float32Array(indices.length * model.embedding);
    for (const [position, index] of indices.entries()) rows.set(row(index), position * model.embedding);
    return rows;
  };
  const gallery = enrolled.map((person) => representatives(model, stack(person.pictures), match));
  const search = personSearch(model, gallery);
  const nearest = [...probes, ...strangers].map(({ picture }) => search(row(picture)));
  return openSetReport(divided, nearest, model.threshold, { resamples, seed });
}
