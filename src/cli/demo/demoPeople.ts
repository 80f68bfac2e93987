// The people of the demo: training people, validation people for the thresholds, and unseen people for the evaluation.
import type { Dataset } from "../../index.ts";
import { subset } from "../../internal.ts";
import { drawFaces, facesDataset } from "./faces/index.ts";

export interface PeopleCounts {
  training: number;
  validation: number;
  unseen: number;
}

export const faceSize = 32;
export const picturesEach = 12;
export const peopleCounts: PeopleCounts = { training: 250, validation: 30, unseen: 80 };

export interface DemoPeople {
  training: Dataset;
  validation: Dataset;
  unseen: Dataset;
}

export async function demoPeople(
  { training, validation, unseen }: PeopleCounts,
  seed: number,
  cache: string,
  { onProgress, warn }: { onProgress: (share: number) => void; warn: (text: string) => void },
): Promise<DemoPeople> {
  const people = training + validation + unseen;
  const options = { people, pictures: picturesEach, size: faceSize, seed };
  const drawn = (count: number) => onProgress(count / (people * picturesEach));
  const images = await drawFaces({ ...options, cache, warn, onProgress: drawn });
  const everyone = facesDataset(images, options);
  const range = (first: number, count: number) => Array.from({ length: count }, (_, index) => first + index);
  return {
    training: subset(everyone, range(0, training)),
    validation: subset(everyone, range(training, validation)),
    unseen: subset(everyone, range(training + validation, unseen)),
  };
}
