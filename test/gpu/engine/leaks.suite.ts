// Disposed objects and failed creations leave nothing on the device, which counts its buffers and their bytes.

import {
  adam,
  type Device,
  dense,
  Model,
  mean,
  openDevice,
  relu,
  siamese,
  sigmoid,
  sum,
  Tape,
  Trainer,
  tensor,
  valueAndGradients,
} from "../../../src/index.ts";
import { uniform } from "../../random.ts";
import { assert, assertEqual, assertThrows, define, settings } from "../suite.ts";

/** Runs `work` three times: each must leave the device as it was. */
async function leavesNothing(device: Device, what: string, work: () => Promise<unknown>): Promise<void> {
  const before = device.live();
  for (let time = 1; time <= 3; time++) {
    await work();
    assertEqual(`live after ${what}, time ${time}`, device.live(), before);
  }
}

const network = () => siamese({ imageSize: [8, 8, 1], filters: [3, 5], embedding: 7, seed: 1 });

function pairs(seed: number) {
  const random = uniform(seed);
  const pictures = () => Uint8Array.from({ length: 2 * 64 }, () => Math.floor(random() * 256));
  return { left: pictures(), right: pictures(), leftLabels: [0, 1], rightLabels: [0, 0] };
}

define("leaks: the device counts its live buffers and bytes", async (device) => {
  const before = device.live();
  const buffers = [device.createBuffer("a", 64), device.createBuffer("b", 32, "readback")];
  assertEqual("made", device.live(), { buffers: before.buffers + 2, bytes: before.bytes + 96 });
  device.release(buffers[0]);
  device.release(buffers[0]);
  assertEqual("one released twice", device.live(), { buffers: before.buffers + 1, bytes: before.bytes + 32 });
  device.release(buffers[1]);
  assertEqual("all released", device.live(), before);
});

define("leaks: a program's planned buffers and bytes equal the live ones", async (device) => {
  const before = device.live();
  const trainer = await Trainer.create(device, network(), { batchSize: 2, l2: 0.1, optimizer: adam({ clipNorm: 1 }) });
  const { total, buffers } = await trainer.memory();
  const kept = trainer.store.list().filter(({ trainable }) => !trainable).length;
  const after = device.live();
  assertEqual("buffers", after.buffers - before.buffers, buffers + kept);
  assertEqual("bytes", after.bytes - before.bytes, total);
  await trainer.dispose();
});

define("leaks: a trainer that used every method leaves nothing when disposed", (device) =>
  leavesNothing(device, "a trainer", async () => {
    const trainer = await Trainer.create(device, network(), { batchSize: 2 });
    for (let n = 0; n < 3; n++) await trainer.step(pairs(n));
    await trainer.gradients(pairs(3));
    const saved = await trainer.save();
    await trainer.load(saved);
    const embed = await trainer.embedder();
    await embed(pairs(4).left);
    const model = await Model.open(device, saved);
    await model.embed(pairs(5).left);
    await model.dispose();
    await trainer.dispose();
  }),
);

define("leaks: an evaluation leaves nothing, and neither does a failed compilation", async (device) => {
  const x = tensor([2, 3], [1, 2, 3, 4, 5, 6]);
  await leavesNothing(device, "evaluate", () =>
    valueAndGradients(device, ({ x }) => sum(sigmoid(x)), { x }, { gradientsOf: ["x"] }),
  );
  const most = 128 * 2 ** 20;
  const small = await openDevice({ ...settings.opening, limits: { maxStorageBufferBindingSize: most } });
  await leavesNothing(small, "a tensor over the limit", async () => {
    const tape = new Tape(small);
    const w = tape.parameter("w", [3, 3], { initial: 1 });
    const loss = mean(relu(dense(tape.input("x", [most / 4, 3]), w)));
    await assertThrows("compile", () => tape.compile({ loss, optimizer: adam() }), ["most"]);
    tape.store.dispose();
  });
  await leavesNothing(small, "a network over the limit", async () => {
    const wide = siamese({ imageSize: [64, 64, 3], filters: [1024], embedding: 4, seed: 1 });
    await assertThrows("Trainer.create", () => Trainer.create(small, wide, { batchSize: 64 }), ["most"]);
  });
  small.dispose();
  assertEqual("live on a disposed device", small.live(), { buffers: 0, bytes: 0 });
});

define("program: steps in flight reject with the reason when it is disposed", async (device) => {
  const trainer = await Trainer.create(device, network(), { batchSize: 2 });
  const inFlight = Promise.allSettled([0, 1, 2, 3, 4, 5, 6].map((n) => trainer.step(pairs(n))));
  await Promise.resolve();
  await trainer.dispose();
  const results = await inFlight;
  const reasons = results.flatMap((result) => (result.status === "rejected" ? [String(result.reason)] : []));
  assert(reasons.length > 0, "every step resolved: none was in flight");
  for (const reason of reasons) assert(reason.includes("disposed"), `rejected with ${reason}`);
});
