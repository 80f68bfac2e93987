// mpirun -n 2 node distributed.js: several processes train one network, each on its share of every batch.
import { balancedPairs, batches, DecodedImages, labelsOf, siamese, Trainer } from "twingrad";
import { imageFolder, mpi, openDevice, saveModel } from "twingrad/node";

const communicator = await mpi();
const { rank, size } = communicator;
const people = await imageFolder("people/");
const network = siamese({ imageSize: [56, 46, 1], filters: [8, 16], embedding: 64, seed: 1 });
const trainer = await Trainer.create(await openDevice(), network, { batchSize: 8, communicator });
const pairs = balancedPairs(labelsOf(people), { seed: 1 });
const options = { batchSize: 8, share: communicator }; // 8 pairs for this rank, of 8 * size in all
const losses = [];
for await (const batch of batches(new DecodedImages(people, network.options.imageSize), pairs, options)) {
  losses.push((await trainer.step(batch)).loss); // the mean over all ranks
  if (losses.length === 40) break;
}
const bytes = await trainer.save(); // the same on every rank
if (rank === 0) await saveModel("distributed.safetensors", bytes);
console.log(`rank ${rank} of ${size}: loss from ${losses[0].toFixed(4)} to ${losses.at(-1).toFixed(4)}`);
await communicator.close();
process.exit();
