// Measures the cost of an exchange among ranks by buffer size, and its share of a step. After `npm run build`:
//   mpirun -n 4 node bench/exchange.mjs            sums of buffers alone
//   mpirun -n 4 node bench/exchange.mjs --step     and the article's step, alone and with exact exchange
//   mpirun -n 4 node bench/exchange.mjs --local    local steps of a small network, waiting for the mean and overlapped
// Rank 0 prints a line of JSON for each.

import { sgd, siamese, Trainer } from "../dist/twingrad/index.js";
import { mpi, openDevice } from "../dist/twingrad/node/index.js";

const sizes = [4, 4096, 65536, 2 ** 18, 2 ** 20, 2 ** 22, 2 ** 24];
const rounds = 15;

const communicator = await mpi();
const duplicate = await communicator.duplicate(); // the trainer owns the communicator
const { rank, size, library } = communicator;
const print = (line) => rank === 0 && console.log(JSON.stringify(line));
const median = (values) => values.sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** The fastest and the median time of `work` on every rank, over some rounds after a warmup round. */
async function timed(work, count = rounds) {
  await work();
  const times = [];
  for (let i = 0; i < count; i++) {
    await duplicate.allGather(new Uint8Array(1)); // starts all ranks together
    const since = performance.now();
    await work();
    times.push(performance.now() - since);
  }
  const [fastest, middle] = [Math.min(...times), median(times)].map((value) => Number(value.toFixed(3)));
  return { fastest, median: middle };
}

for (const bytes of process.argv.includes("--local") ? [] : sizes) {
  const values = new Float32Array(bytes / 4).fill(rank);
  print({ library, ranks: size, bytes, milliseconds: await timed(() => communicator.allReduce(values)) });
}

if (process.argv.includes("--step")) {
  const device = await openDevice({ tell: () => undefined });
  const batchSize = 16;
  const pixels = new Uint8Array(batchSize * 56 * 56 * 3).map((_, i) => (i * 31 + rank) % 251);
  const labels = Int32Array.from({ length: batchSize }, (_, i) => i % 4);
  const batch = { left: pixels, right: pixels, leftLabels: labels, rightLabels: labels.map((n) => n % 2) };
  const network = siamese({ imageSize: [56, 56, 3], filters: [64, 64, 64, 32], embedding: 1024, seed: 1 });
  for (const options of [{}, { communicator }]) {
    const trainer = await Trainer.create(device, network, { batchSize, optimizer: sgd(), ...options });
    const before = trainer.distribution?.seconds ?? 0;
    const milliseconds = await timed(() => trainer.step(batch), 5);
    const { parameters } = await trainer.memory();
    const exchanging = ((trainer.distribution?.seconds ?? 0) - before) / 6;
    const { description, vendor } = device.adapter;
    print({
      step: "communicator" in options ? "exchanged" : "alone",
      adapter: description || vendor,
      parameterBytes: parameters,
      milliseconds,
      ...(exchanging > 0 && { exchangingMilliseconds: Number((1000 * exchanging).toFixed(3)) }),
    });
    await trainer.dispose();
  }
  device.dispose();
}

if (process.argv.includes("--local")) {
  const device = await openDevice({ tell: () => undefined });
  const [batchSize, syncEvery, steps] = [4, 4, 32];
  const pixels = new Uint8Array(batchSize * 32 * 32).map((_, i) => (i * 31 + rank) % 251);
  const labels = Int32Array.from({ length: batchSize }, (_, i) => i % 4);
  const batch = { left: pixels, right: pixels, leftLabels: labels, rightLabels: labels.map((n) => n % 2) };
  const network = siamese({ imageSize: [32, 32, 1], filters: [16, 32], embedding: 256, seed: 1 });
  const kinds = { exact: {}, waiting: { syncEvery }, overlapped: { syncEvery, overlap: true } };
  // In turn, so that whatever else the machine does hits all alike.
  for (let round = 0; round < 3; round++) {
    for (const [kind, options] of Object.entries(kinds)) {
      const trainer = await Trainer.create(device, network, { batchSize, communicator, ...options });
      for (let step = 0; step < syncEvery; step++) await trainer.step(batch);
      await duplicate.allGather(new Uint8Array(1));
      const [since, before] = [performance.now(), trainer.distribution.seconds];
      const running = [];
      for (let step = 0; step < steps; step++) {
        running.push(trainer.step(batch));
        if (step >= 4) await running[step - 4];
      }
      await Promise.all(running);
      const seconds = (performance.now() - since) / 1000;
      const waited = (trainer.distribution.seconds - before) / seconds;
      const { parameters } = await trainer.memory();
      print({ local: kind, ranks: size, parameterBytes: parameters, stepsPerSecond: steps / seconds, waited });
      await trainer.synchronize();
      await trainer.dispose();
    }
  }
  device.dispose();
}
await communicator.close();
process.exit(0);
