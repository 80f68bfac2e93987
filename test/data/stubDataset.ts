// Datasets in memory for the tests of the data stream; the pixels encode the picture's index.
import type { Dataset } from "../../src/data/dataset.ts";

/** Identities with constant pictures, whose value is the picture's index. `decoded` lists the decoded pictures. */
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

/** The labels of `count` identities with as many pictures each, identity by identity. */
export const people = (count: number, pictures: number) =>
  Array.from({ length: count * pictures }, (_, i) => Math.floor(i / pictures));

/** The first examples of a sampler. */
export const take = <T>(examples: Iterator<T, never>, count: number): T[] =>
  Array.from({ length: count }, () => examples.next().value);
