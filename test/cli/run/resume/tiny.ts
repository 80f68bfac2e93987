// The smallest run that has everything in it: people drawn from noise, a network of one block.

import type { PartialSettings } from "../../../../src/cli/options/settingsSchema.ts";
import { Random, streams } from "../../../../src/data/random.ts";

export const tinyPeople = {
  identities: Array.from({ length: 6 }, (_, person) => `person ${person}`),
  items: Array.from({ length: 24 }, (_, picture) => ({
    identity: picture % 6,
    name: `picture ${picture}`,
    decode: async () => {
      const random = new Random(3, streams.noise, picture);
      return Uint8Array.from({ length: 64 }, () => random.integer(256));
    },
  })),
};

export const tinySettings: PartialSettings = {
  imageSize: 8,
  channels: 1,
  filters: [2],
  embedding: 4,
  l2: 0,
  batchSize: 2,
  validation: 0,
  checkpointEvery: 3,
  keepCheckpoints: 2,
};
