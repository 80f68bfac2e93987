// A model for tests of what a gallery's files hold: a picture's two values are its embedding, and nobody is told apart.
import type { Recogniser } from "../../src/recognition/recogniser.ts";

export const model: Recogniser = {
  fingerprint: "f",
  embedding: 2,
  threshold: 1,
  embed: async (images) => Float32Array.from(images),
  distances: () => Float64Array.of(0),
  probability: () => 1,
};
