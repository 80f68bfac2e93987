// A training that does not fit its adapter is refused before it starts, with the needed and the available bytes, and
// the largest batch and pictures that would fit: one more does not.

import { type Device, openDevice, siamese, Trainer, type TrainerOptions } from "../../../src/index.ts";
import { assert, assertEqual, defineOnce, settings } from "../suite.ts";

interface Refused {
  code: string;
  message: string;
  needed: number;
  available: number;
}

async function refused(
  device: Device,
  imageSize: number,
  batchSize: number,
  { filters = [64], ...options }: Partial<TrainerOptions> & { filters?: number[] } = {},
): Promise<Refused | undefined> {
  const network = siamese({ imageSize: [imageSize, imageSize, 3], filters, embedding: 4, seed: 1 });
  try {
    await (await Trainer.create(device, network, { batchSize, recovery: false, ...options })).dispose();
    return undefined;
  } catch (error) {
    return error as Refused;
  }
}

/** The advised batch and picture size of a message. */
function advised(message: string): { batch: number; size: number } {
  const [, batch] = /a batch of at most (\d+) in place of/.exec(message) ?? [];
  const [, size] = /pictures of at most (\d+) x \d+ in place of/.exec(message) ?? [];
  assert(batch && size, `no advice in: ${message}`);
  return { batch: Number(batch), size: Number(size) };
}

async function checkAdvice(device: Device, imageSize: number, batchSize: number, code: string) {
  const before = device.live();
  const error = await refused(device, imageSize, batchSize);
  assert(error, "it was not refused");
  assertEqual("code", error.code, code);
  assert(error.needed > error.available, `needed ${error.needed}, available ${error.available}`);
  const { batch, size } = advised(error.message);
  assertEqual("a batch as advised", await refused(device, imageSize, batch), undefined);
  assertEqual("pictures as advised", await refused(device, size, batchSize), undefined);
  assertEqual("left on the device", device.live(), before);
  return { batch, size };
}

defineOnce(
  "errors: a network with a binding over the limit is refused with the batch and the pictures that fit",
  async () => {
    const device = await openDevice({ ...settings.opening, limits: { maxStorageBufferBindingSize: 128 * 2 ** 20 } });
    const { batch, size } = await checkAdvice(device, 128, 96, "LIMIT");
    assertEqual("one more", (await refused(device, 128, batch + 1))?.code, "LIMIT");
    assertEqual("one row more", (await refused(device, size + 1, 96))?.code, "LIMIT");
    device.dispose();
  },
);

defineOnce("errors: parameters over the limit are reported before their values are computed", async () => {
  const device = await openDevice(settings.opening);
  const before = device.live();
  // 49 GB of weights after the last block: more than an array can hold.
  const network = siamese({ imageSize: [224, 224, 3], filters: [1024], embedding: 1024, seed: 1 });
  const error = await Trainer.create(device, network, { batchSize: 1 }).catch((thrown) => thrown);
  assertEqual("code", error.code, "LIMIT");
  const parts = [
    'parameters: those of "tower/dense/kernel" take 49 GiB; this adapter supports at most ',
    "What would fit: ",
  ];
  for (const part of parts) assert(error.message.includes(part), `the message lacks "${part}": ${error.message}`);
  assertEqual("left on the device", device.live(), before);
  device.dispose();
});

/**
 * Makes the device refuse buffers beyond `bytes` in all, as a GPU with full memory does. Returns a function that
 * changes the limit.
 */
function limitMemory(device: Device, bytes: number): (bytes: number) => void {
  const { gpu } = device;
  const prototype = Object.getPrototypeOf(gpu);
  const scopes: { filter: string; error?: GPUError }[] = [];
  let granted = device.live().bytes;
  let most = bytes;
  gpu.createBuffer = (descriptor) => {
    const buffer: GPUBuffer = prototype.createBuffer.call(gpu, descriptor);
    const { size } = descriptor;
    if (granted + size > most) {
      const scope = scopes.findLast(({ filter }) => filter === "out-of-memory");
      if (scope) scope.error ??= { message: "Failed to allocate memory for buffer mapping." } as GPUError;
      return buffer;
    }
    granted += size;
    const { destroy } = Object.getPrototypeOf(buffer);
    buffer.destroy = () => {
      granted -= size;
      buffer.destroy = destroy;
      return destroy.call(buffer);
    };
    return buffer;
  };
  gpu.pushErrorScope = (filter) => {
    scopes.push({ filter });
    return prototype.pushErrorScope.call(gpu, filter);
  };
  gpu.popErrorScope = async () => {
    const { error } = scopes.pop()!;
    return (await prototype.popErrorScope.call(gpu)) ?? error ?? null;
  };
  return (bytes) => {
    most = bytes;
  };
}

defineOnce(
  "errors: a failed allocation is reported with the needed and available bytes, and what would fit",
  async () => {
    const device = await openDevice(settings.opening);
    limitMemory(device, 20 * 2 ** 20);
    const error = await refused(device, 64, 12);
    assert(error, "it was not refused");
    for (const part of [
      "out of memory: ",
      " are needed on the device, ",
      " could be allocated",
      "Failed to allocate",
    ]) {
      assert(error.message.includes(part), `the message lacks "${part}": ${error.message}`);
    }
    assert(error.available <= 20 * 2 ** 20, `available: ${error.available}`);
    await checkAdvice(device, 64, 12, "OUT_OF_MEMORY");
    device.dispose();
  },
);

const half = { storage: "float16" } as const;
const again = { recompute: true } as const;

defineOnce(
  "errors: half storage and recomputation are advised if they fit, the cheapest first, and do fit",
  async () => {
    const device = await openDevice(settings.opening);
    const limit = limitMemory(device, 0);
    const before = device.live();
    for (const [mebibytes, filters, advice, options] of [
      [12, [64, 8], 'half storage (storage "float16")', half],
      [7.5, [64, 8], 'half storage with recomputation (storage "float16", recompute true)', { ...half, ...again }],
      [22, [64], 'half storage (storage "float16")', half],
      [20, [64], "recomputation (recompute true)", again],
    ] as const) {
      const what = `${mebibytes} MiB, filters ${filters}`;
      limit(mebibytes * 2 ** 20);
      const error = await refused(device, 64, 12, { filters: [...filters] });
      assert(error, `${what}: it was not refused`);
      const said = /What would fit: (.*?), or a batch/.exec(error.message)?.[1];
      assertEqual(`${what}: advice`, said, advice);
      assertEqual(
        `${what}: as advised`,
        await refused(device, 64, 12, { filters: [...filters], ...options }),
        undefined,
      );
    }
    assertEqual("left on the device", device.live(), before);
    device.dispose();
  },
);
