// A page that trains a tiny network and saves it to the origin-private file system, to be reloaded at any moment.

import { batches } from "../../src/data/batches.ts";
import { type Dataset, labelsOf } from "../../src/data/dataset.ts";
import { DecodedImages } from "../../src/data/decodedImages.ts";
import { Random, streams } from "../../src/data/random.ts";
import { balancedPairs } from "../../src/data/sampling/balanced.ts";
import type { SamplerState } from "../../src/data/sampling/sampler.ts";
import { Checkpoints, openDevice, Saver, siamese, Trainer } from "../../src/index.ts";
import { originPrivateFolder } from "../../src/web/originPrivateFolder.ts";

declare global {
  /** Reported to the test: each loss, and the start of each save. */
  var heard: (run: string, step: number, loss: number) => Promise<void>;
  var saving: (run: string) => Promise<void>;
  var trains: (run: string, steps: number) => Promise<Began>;
}

export interface Began {
  /** The step that the page resumed from. */
  from: number;
  refused: string[];
}

const dataset: Dataset = {
  identities: ["a", "b", "c", "d"],
  items: Array.from({ length: 16 }, (_, picture) => ({
    identity: picture % 4,
    name: `picture ${picture}`,
    decode: async () => {
      const random = new Random(5, streams.noise, picture);
      return Uint8Array.from({ length: 64 }, () => random.integer(256));
    },
  })),
};

globalThis.trains = async (run, steps) => {
  const device = await openDevice();
  const network = siamese({ imageSize: [8, 8, 1], filters: [2], embedding: 4, seed: 2 });
  const trainer = await Trainer.create(device, network, { batchSize: 2, augmentation: {} });
  const images = new DecodedImages(dataset, network.options.imageSize);
  const stream = batches(images, balancedPairs(labelsOf(dataset), { seed: 4 }), { batchSize: 2 });

  const folder = originPrivateFolder(`runs/${run}`);
  const write = async (name: string, bytes: Uint8Array) => {
    void saving(run);
    await folder.write(name, bytes);
  };
  const checkpoints = new Checkpoints({ ...folder, write }, { keep: 2 });
  const { found, refused } = await checkpoints.newest();
  if (found) {
    await trainer.load(found.bytes);
    stream.restore(JSON.parse(found.file.metadata.stream) as SamplerState);
  }
  const saver = new Saver(checkpoints, {
    every: 2,
    warn: (text) => {
      throw new Error(text);
    },
  });
  const from = trainer.steps;
  void (async () => {
    while (trainer.steps < steps) {
      const { value: batch } = await stream.next();
      const { loss, step } = await trainer.step(batch);
      await heard(run, step, loss);
      if (saver.due(step)) await saver.save(await trainer.save({ stream: JSON.stringify(stream.state()) }), step);
    }
    device.dispose();
    await heard(run, -1, 0);
  })();
  return { from, refused: refused.map(({ name, reason }) => `${name}: ${reason}`) };
};
