// Datasets for the tests of the data stream: no files, and pixels that tell which picture they are of.
import type { Dataset } from "../../src/data/dataset.ts";

/** People whose pictures are constant: the value tells which picture it is. `decoded` lists what was asked for. */
export function constantPictures(identities: number, pictures: number): Dataset & { decoded: number[] } {
  const decoded: number[] = [];
  return {
    decoded,
    identities: Array.from({ length: identities }, (_, identity) => `person ${identity}`),
    items: Array.from({ length: identities * pictures }, (_, index) => ({
      identity: Math.floor(index / pictures),
      name: `picture ${index}`,
      decode: async ([height, width, channels]) => {
        decoded.push(index);
        return new Uint8Array(height * width * channels).fill(index);
      },
    })),
  };
}

/** The labels of `count` people with as many pictures each, person by person. */
export const people = (count: number, pictures: number) =>
  Array.from({ length: count * pictures }, (_, i) => Math.floor(i / pictures));

/** The first examples of a sampler. */
export const take = <T>(examples: Iterator<T, never>, count: number): T[] =>
  Array.from({ length: count }, () => examples.next().value);
