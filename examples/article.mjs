// Measures the article's network at its full size, 128 pairs of 224 x 224 x 3: the memory of a compiled training step
// as it is, with recomputed activations, and with float16 activations as well; then runs one step with a single pair.
// Takes some minutes on a software adapter, and 7.5 GB of memory.
//
//   node examples/article.mjs [--pairs 128]
import { parseArgs } from "node:util";
import { adam, siamese, Trainer } from "../dist/twingrad/index.js";
import { openDevice } from "../dist/twingrad/node/index.js";

const { values } = parseArgs({ options: { pairs: { type: "string", default: "128" } } });
const imageSize = [224, 224, 3];
const network = siamese({ imageSize, filters: [256, 128, 64, 32], embedding: 1024, seed: 1 });
const forms = [{ recompute: true, storage: "float16" }, { recompute: true }, {}];
const device = await openDevice();
const create = (batchSize, form) =>
  Trainer.create(device, network, { batchSize, l2: 0.1, optimizer: adam(), recovery: false, ...form });
const seconds = (began) => Number(((performance.now() - began) / 1000).toFixed(1));

for (const form of forms) {
  const began = performance.now();
  const trainer = await create(Number(values.pairs), form);
  const { total, largestBinding } = await trainer.memory();
  const dispatches = (await trainer.launches()).length;
  const compiled = { pairs: Number(values.pairs), ...form, bytes: total, largestBinding, dispatches };
  console.log(JSON.stringify({ ...compiled, seconds: seconds(began) }));
  await trainer.dispose();
}

const picture = (seed) => Uint8Array.from({ length: 224 * 224 * 3 }, (_, i) => Math.imul(i + seed, 2654435761) >>> 24);
const pair = { left: picture(1), right: picture(7), leftLabels: [0], rightLabels: [1] };
for (const form of forms) {
  const trainer = await create(1, form);
  const began = performance.now();
  const { loss } = await trainer.step(pair);
  console.log(
    JSON.stringify({ pairs: 1, ...form, loss, bytes: (await trainer.memory()).total, seconds: seconds(began) }),
  );
  await trainer.dispose();
}
device.dispose();
