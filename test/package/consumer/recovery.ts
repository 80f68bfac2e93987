// A trainer of the core on Node's device: what it loses, and what it cannot have.
import { type Device, type Recovered, ResourceError, siamese, Trainer } from "twingrad";
import { openDevice } from "twingrad/node";
import { pairs, small } from "./training.js";

/** Eight steps, several in flight; the device goes in the middle of one. */
async function losses(lostAt?: number) {
  const recovered: Omit<Recovered, "device">[] = [];
  const onRecovery = ({ device: _, ...event }: Recovered) => recovered.push(event);
  const trainer = await small(await openDevice(), { every: 3, onRecovery });
  const steps: Promise<number>[] = [];
  for (let n = 1; n <= 8; n++) {
    steps.push(trainer.step(pairs(n)).then(({ loss }) => loss));
    if (n !== lostAt) continue;
    await steps[n - 3]; // the last two are under way
    trainer.device.gpu.destroy();
  }
  const values = await Promise.all(steps);
  const { device } = trainer;
  await trainer.dispose();
  device.dispose();
  return { values, recovered };
}

/** From now on the device refuses buffers that would bring it above `most` bytes, as a GPU does whose memory is full. */
function limitMemory({ gpu }: Device, most: number): void {
  const prototype = Object.getPrototypeOf(gpu);
  let granted = 0;
  let refused = false;
  gpu.createBuffer = (descriptor: { size: number }) => {
    refused = granted + descriptor.size > most;
    if (!refused) granted += descriptor.size;
    return prototype.createBuffer.call(gpu, descriptor);
  };
  gpu.popErrorScope = async () => {
    const message = refused && { message: "Failed to allocate memory for buffer mapping." };
    refused = false;
    return (await prototype.popErrorScope.call(gpu)) ?? (message || null);
  };
}

async function refusal(device: Device, imageSize: number, embedding: number) {
  const network = siamese({ imageSize: [imageSize, imageSize, 3], filters: [64], embedding, seed: 1 });
  const error: unknown = await Trainer.create(device, network, { batchSize: 16 }).catch((thrown) => thrown);
  if (!(error instanceof ResourceError)) throw error;
  return { code: error.code, message: error.message, over: error.needed > error.available };
}

const calm = await losses();
const stormy = await losses(5);
const device = await openDevice();
const limit = await refusal(device, 2048, 1024);
limitMemory(device, 20 * 2 ** 20);
const memory = await refusal(device, 64, 4);
device.dispose();
console.log(JSON.stringify({ calm, stormy, limit, memory }));
