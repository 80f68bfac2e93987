// The TensorFlow article's training at a small size: records, two shuffled streams, the filter, the network, the loss.
import { adam, batches, DecodedImages, expectedPairs, filteredPairs, labelsOf, siamese, Trainer } from "twingrad";
import { openDevice, tfrecords } from "twingrad/node";

const device = await openDevice();
const dataset = await tfrecords("people.tfrecord");
const labels = labelsOf(dataset);

const keep = { sameProbability: 0.95, differentProbability: 0.1 };
const pairs = filteredPairs(labels, { ...keep, shuffleBuffer: 2000, seed: 1 });
const { same, different } = expectedPairs(labels, keep, 2000);
console.log(`an epoch: ${same.toFixed(1)} genuine and ${different.toFixed(1)} impostor pairs on average`);

const network = siamese({ imageSize: [56, 56, 3], filters: [16, 16, 16, 8], embedding: 64, seed: 1 });
const trainer = await Trainer.create(device, network, {
  batchSize: 8,
  loss: "cross-entropy",
  l2: 0.1,
  optimizer: adam({ learningRate: 1e-3 }),
});
const images = new DecodedImages(dataset, network.options.imageSize);
for await (const batch of batches(images, pairs, { batchSize: 8, prefetch: 8 })) {
  const { loss, step } = await trainer.step(batch);
  if (step % 10 === 0) console.log(`step ${step}, epoch ${batch.epoch}: loss ${loss.toFixed(3)}`);
  if (step === 30) break;
}
await trainer.dispose();
device.dispose();
