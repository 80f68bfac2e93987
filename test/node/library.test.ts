// The library as a program in Node uses it: a dataset in, a saved model and a gallery out.
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { Random, streams } from "../../src/data/random.ts";
import { adam, Gallery, siamese, Trainer } from "../../src/index.ts";
import * as node from "../../src/node/index.ts";

const folder = await mkdtemp(join(tmpdir(), "twingrad-library-"));
afterAll(() => rm(folder, { recursive: true }));

/** Ten people with five pictures each: a brightness pattern of their own under noise. */
const people: node.Dataset = {
  identities: Array.from({ length: 10 }, (_, person) => `person ${person}`),
  items: Array.from({ length: 50 }, (_, index) => {
    const identity = Math.floor(index / 5);
    return {
      identity,
      name: `picture ${index}`,
      decode: async ([height, width, channels]) => {
        const own = new Random(1, streams.trials, identity);
        const pattern = Array.from({ length: 16 }, () => 40 + own.integer(170));
        const noise = new Random(2, streams.trials, index);
        return Uint8Array.from({ length: height * width * channels }, (_, i) => {
          const row = Math.floor(i / (width * channels));
          const column = Math.floor((i % (width * channels)) / channels);
          return pattern[Math.floor((4 * row) / height) * 4 + Math.floor((4 * column) / width)] + noise.integer(30);
        });
      },
    };
  }),
};

it("learns from a dataset and knows people it never saw", async () => {
  const device = await node.openDevice();
  const { training, heldOut } = node.splitIdentities(people, { fraction: 0.4, seed: 1 });
  const network = siamese({ imageSize: [16, 16, 1], filters: [8, 8], embedding: 32, seed: 1 });
  const trainer = await Trainer.create(device, network, { batchSize: 8, optimizer: adam({ learningRate: 0.01 }) });
  const images = new node.DecodedImages(training, network.options.imageSize);
  const pairs = node.balancedPairs(node.labelsOf(training), { seed: 1 });
  const stream = node.batches(images, pairs, { batchSize: 8 });
  for (let step = 0; step < 40; step++) await trainer.step((await stream.next()).value);

  const path = join(folder, "model.safetensors");
  await node.saveModel(path, await trainer.save());
  await trainer.dispose();
  const model = await node.loadModel(device, path);
  const inFormerOrder = await node.loadModel(path, device);
  expect(inFormerOrder.fingerprint).toBe(model.fingerprint);
  const questions = node.pairsPerIdentity(node.labelsOf(heldOut), { perIdentity: 10, seed: 1 });
  const { report } = await node.evaluateModel(model, heldOut, questions);
  expect(report.pairs).toBe(80);
  expect(report.auc).toBeGreaterThan(0.85);

  const gallery = new Gallery(model);
  for (const person of [0, 1]) await gallery.enroll(heldOut.identities[person], await picture(heldOut, person * 5));
  const known = Gallery.fromJSON(model, JSON.parse(JSON.stringify(gallery)));
  expect(await known.identify(await picture(heldOut, 6), { threshold: 100 })).toMatchObject({
    name: heldOut.identities[1],
  });
  device.dispose();
});

const picture = (dataset: node.Dataset, index: number) => dataset.items[index].decode([16, 16, 1]);

it("embeds pictures in memory that threads share", async () => {
  const device = await node.openDevice();
  const network = siamese({ imageSize: [8, 8, 3], filters: [4], embedding: 8, seed: 1 });
  const trainer = await Trainer.create(device, network, { batchSize: 2 });
  const embed = await trainer.embedder();
  const plain = Uint8Array.from({ length: 192 }, (_, i) => i);
  const shared = new Uint8Array(new SharedArrayBuffer(192));
  shared.set(plain);
  expect(await embed(shared)).toEqual(await embed(plain));
  device.dispose();
});
