// Several ranks in this process and on one device: their results agree with each other and with a single process.
import {
  adam,
  type Communicator,
  type Device,
  inProcessCommunicators,
  type Network,
  type Optimizer,
  openDevice,
  sgd,
  siamese,
  Trainer,
  type TrainerOptions,
  type TuningTable,
} from "../../../src/index.ts";
import { uniform } from "../../random.ts";
import { assert, assertClose, assertEqual, assertThrows, defineOnce, settings } from "../suite.ts";

const SIZE = 8 * 8;
const B = 3;
const STEPS = 20;
const network = (seed = 2) => siamese({ imageSize: [8, 8, 1], filters: [3], embedding: 5, seed });
/** The gradients of convolutions' biases cancel in batch-norm: what is left of them is rounding. */
const cancelsOut = (name: string) => name.endsWith("conv/bias");

/** The batch of one rank's step. */
function pairs(step: number, rank: number) {
  const random = uniform(100 * step + rank);
  const [left, right] = [0, 1].map(() => Uint8Array.from({ length: B * SIZE }, () => Math.floor(random() * 256)));
  return { left, right, leftLabels: [0, 1, 2], rightLabels: [0, random() < 0.5 ? 1 : 0, 2] };
}

/** The batches of all ranks as one. */
function joined(step: number, ranks: number) {
  const parts = Array.from({ length: ranks }, (_, rank) => pairs(step, rank));
  const bytes = (side: "left" | "right") => Uint8Array.from(parts.flatMap((part) => [...part[side]]));
  const labels = (side: "leftLabels" | "rightLabels") => parts.flatMap((part) => part[side]);
  return {
    left: bytes("left"),
    right: bytes("right"),
    leftLabels: labels("leftLabels"),
    rightLabels: labels("rightLabels"),
  };
}

/** The same network with statistics for each rank's part of a batch. */
function inParts(whole: Network, parts: number): Network {
  const tower: Network["tower"] = (tape, images, mode) =>
    whole.tower(tape, images, { ...mode, groups: (mode.groups ?? 1) * parts });
  return { ...whole, tower };
}

async function valuesOf(trainer: Trainer): Promise<Map<string, Float32Array>> {
  const entries = [...trainer.parameters()].map(async ([name, { read }]) => [name, await read()] as const);
  return new Map(await Promise.all(entries));
}

type Options = Partial<TrainerOptions> & { optimizer: Optimizer };

const create = (device: Device, options: Options) =>
  Trainer.create(device, network(), { batchSize: B, l2: 0.01, recovery: false, ...options });

/** Trains on every rank at once; `each` runs on every rank. */
async function together<T>(ranks: number, each: (communicator: Communicator) => Promise<T>): Promise<T[]> {
  return Promise.all(
    inProcessCommunicators(ranks).map((communicator) =>
      each(communicator).catch((error) => {
        communicator.abort(String(error)); // or the others would wait for it
        throw error;
      }),
    ),
  );
}

interface Run {
  readonly steps?: number;
  /** Steps that `state` has taken. */
  readonly from?: number;
  readonly state?: Uint8Array;
  readonly meet?: number;
}

/** Ends synchronized. After step `meet`, all ranks also synchronize, as at a checkpoint. */
async function trained(
  device: Device,
  ranks: number,
  options: Options,
  { steps = STEPS, from = 0, state, meet }: Run = {},
) {
  return together(ranks, async (communicator) => {
    const trainer = await create(device, { ...options, communicator });
    if (state) await trainer.load(state);
    const losses: number[] = [];
    const running: Promise<unknown>[] = [];
    for (let step = from + 1; step <= steps; step++) {
      running.push(trainer.step(pairs(step, communicator.rank)).then(({ loss }) => losses.push(loss)));
      if (step === meet) running.push(trainer.synchronize());
    }
    await Promise.all([...running, trainer.synchronize()]);
    const [values, bytes] = [await valuesOf(trainer), await trainer.save()];
    await trainer.dispose();
    return { values, losses, bytes };
  });
}

function assertSameBits(what: string, a: Map<string, Float32Array>, b: Map<string, Float32Array>): void {
  for (const [name, values] of a) assertEqual(`${what}: ${name}`, [...b.get(name)!], [...values]);
}

for (const [ranks, optimizer] of [
  [2, sgd({ learningRate: 0.05, momentum: 0.9 })],
  [3, adam({ learningRate: 0.001, clipNorm: 1 })],
] as const) {
  const name = `distributed: ${ranks} ranks with ${optimizer.name} equal one trainer with all of their pairs, and each other bit for bit`;
  defineOnce(name, async (device) => {
    const found = await trained(device, ranks, { optimizer });
    const again = await trained(device, ranks, { optimizer });
    for (const rank of found) assertSameBits("another rank", rank.values, found[0].values);
    assertSameBits("another run", again[0].values, found[0].values);
    assertEqual("losses of another rank", found[1].losses, found[0].losses);

    const whole = inParts(network(), ranks);
    const alone = await Trainer.create(device, whole, { batchSize: B * ranks, l2: 0.01, optimizer, recovery: false });
    const losses: number[] = [];
    for (let step = 1; step <= STEPS; step++) losses.push((await alone.step(joined(step, ranks))).loss);
    const expected = await valuesOf(alone);
    await alone.dispose();
    for (const [parameter, { trainable }] of alone.parameters()) {
      if (!trainable || cancelsOut(parameter)) continue;
      assertClose(parameter, found[0].values.get(parameter)!, expected.get(parameter)!);
    }
    assertClose("losses", found[0].losses, losses);
  });
}

defineOnce("distributed: moving averages are the mean of the ranks' own averages", async (device) => {
  const optimizer = sgd({ learningRate: 0.05 });
  const [{ values }] = await trained(device, 2, { optimizer }, { steps: 1 });
  const alone = await Promise.all(
    [0, 1].map(async (rank) => {
      const trainer = await create(device, { optimizer });
      await trainer.step(pairs(1, rank));
      const found = await valuesOf(trainer);
      await trainer.dispose();
      return found;
    }),
  );
  for (const name of [...values.keys()].filter((one) => one.includes("moving"))) {
    const [a, b] = alone.map((one) => one.get(name)!);
    assertClose(
      name,
      values.get(name)!,
      a.map((value, i) => (value + b[i]) / 2),
      { tolerance: 1e-6 },
    );
  }
});

defineOnce("distributed: local steps end in the mean of parameters and moments", async (device) => {
  const optimizer = adam({ learningRate: 0.01 });
  const found = await trained(device, 2, { optimizer, syncEvery: 4 }, { steps: 4 });
  assertSameBits("another rank", found[1].values, found[0].values);
  assertEqual("the other rank's checkpoint", [...found[1].bytes], [...found[0].bytes]);
  const alone = await Promise.all(
    [0, 1].map(async (rank) => {
      const trainer = await create(device, { optimizer });
      for (let step = 1; step <= 4; step++) await trainer.step(pairs(step, rank));
      const values = await valuesOf(trainer);
      await trainer.dispose();
      return values;
    }),
  );
  for (const [name, values] of found[0].values) {
    const [a, b] = alone.map((one) => one.get(name)!);
    assertClose(
      name,
      values,
      a.map((value, i) => (value + b[i]) / 2),
      { tolerance: 1e-6 },
    );
  }
});

for (const overlap of [false, true]) {
  const name = `distributed: outer momentum${overlap ? " with overlap" : ""} resumes from a checkpoint with the bits of an unbroken run`;
  defineOnce(name, async (device) => {
    const outerMomentum = { momentum: 0.5 };
    const options = { optimizer: adam({ learningRate: 0.01 }), syncEvery: 2, overlap, outerMomentum };
    // After 5 steps an exchange is in progress with overlap; without it, the next is due after step 6.
    const whole = await trained(device, 2, options, { steps: 8, meet: 5 });
    const [{ bytes: state }] = await trained(device, 2, options, { steps: 5 });
    const resumed = await trained(device, 2, options, { state, from: 5, steps: 8 });
    for (const rank of [...whole, ...resumed]) assertSameBits("every rank", rank.values, whole[0].values);
    const plain = await trained(device, 2, { ...options, outerMomentum: undefined }, { steps: 8, meet: 5 });
    const same = [...plain[0].values].every(([name, values]) =>
      values.every((value, i) => value === whole[0].values.get(name)![i]),
    );
    assert(!same, "momentum changed nothing");
  });
}

defineOnce("distributed: overlap adds the progress of N more steps to the mean of N steps ago", async (device) => {
  const optimizer = sgd({ learningRate: 0.05 });
  const options = { optimizer, syncEvery: 2, overlap: true };
  const found = await trained(device, 2, options, { steps: 6 });
  const again = await trained(device, 2, options, { steps: 6 });
  for (const rank of [...found, ...again]) assertSameBits("every rank and run", rank.values, found[0].values);
  assertEqual("the other rank's checkpoint", [...found[1].bytes], [...found[0].bytes]);

  const alone = await Promise.all([0, 1].map(() => create(device, { optimizer })));
  const steps = async (first: number, last: number) => {
    for (let step = first; step <= last; step++)
      await Promise.all(alone.map((trainer, rank) => trainer.step(pairs(step, rank))));
    return Promise.all(alone.map(valuesOf));
  };
  const earlier = await steps(1, 2);
  const later = await steps(3, 4);
  for (const [rank, trainer] of alone.entries()) {
    for (const [name, { trainable, write }] of trainer.parameters()) {
      if (!trainable) continue;
      const [own, other] = [earlier[rank], earlier[1 - rank]].map((values) => values.get(name)!);
      await write(later[rank].get(name)!.map((value, i) => value + (own[i] + other[i]) / 2 - own[i]));
    }
  }
  const [a, b] = await steps(5, 6);
  for (const [name, values] of found[0].values) {
    if (cancelsOut(name)) continue;
    const mean = a.get(name)!.map((value, i) => (value + b.get(name)![i]) / 2);
    assertClose(name, values, mean, { tolerance: 1e-6 });
  }
  for (const trainer of alone) await trainer.dispose();
});

defineOnce("distributed: with overlap a rank computes N steps before it waits for the exchange", async (device) => {
  const seconds = await together(2, async (communicator) => {
    let release = () => {};
    const released = new Promise<void>((resolve) => {
      release = resolve;
    });
    const late: Communicator = {
      ...{ rank: communicator.rank, size: communicator.size, host: communicator.host },
      allReduce: (values) => released.then(() => communicator.allReduce(values)),
      allGather: (bytes) => communicator.allGather(bytes),
      duplicate: () => communicator.duplicate(),
      abort: (reason) => communicator.abort(reason),
      close: () => communicator.close(),
    };
    const options = { optimizer: sgd(), communicator: late, syncEvery: 2, overlap: true };
    const trainer = await create(device, options);
    for (let step = 1; step <= 4; step++) await trainer.step(pairs(step, communicator.rank));
    release();
    await communicator.allGather(new Uint8Array(0)); // until the other rank has come this far
    const waited = trainer.distribution!.seconds;
    await trainer.step(pairs(5, communicator.rank));
    await trainer.dispose();
    return waited;
  });
  assertEqual("seconds waited", seconds, [0, 0]);
});

defineOnce("distributed: ranks begin with rank 0's parameters", async (device) => {
  const values = await together(2, async (communicator) => {
    const trainer = await create(device, { optimizer: sgd(), communicator });
    const found = await valuesOf(trainer);
    await trainer.dispose();
    return found;
  });
  assertSameBits("rank 1", values[1], values[0]);
});

defineOnce("distributed: ranks that differ, and options that do not go together, are refused", async (device) => {
  const differing = (communicator: Communicator) =>
    create(device, { optimizer: communicator.rank === 1 ? adam() : sgd(), communicator });
  await assertThrows("two optimizers", () => together(2, differing), ["optimizer", "sgd", "adam", "rank 1"]);
  const [alone] = inProcessCommunicators(1);
  const attempt = (options: Partial<TrainerOptions>) => () =>
    create(device, { optimizer: sgd(), communicator: alone, ...options });
  await assertThrows("syncEvery 0", attempt({ syncEvery: 0 }), ["syncEvery", "at least 1"]);
  await assertThrows("outer momentum", attempt({ outerMomentum: {} }), ["outerMomentum", "syncEvery"]);
  await assertThrows("overlap", attempt({ overlap: true }), ["overlap", "syncEvery"]);
  await assertThrows("debugging", attempt({ debugNumerics: true }), ["debugNumerics"]);
});

defineOnce("distributed: a step that is not finite on one rank fails on all", async (device) => {
  const optimizer = sgd({ learningRate: 0.05 });
  const codes = await together(2, async (communicator) => {
    const trainer = await create(device, { optimizer, communicator });
    if (communicator.rank === 1) await trainer.parameters().get("head/bias")!.write([Number.NaN]);
    const result = await trainer.step(pairs(1, communicator.rank)).catch((error) => error);
    await trainer.dispose();
    return (result as { code?: string }).code;
  });
  assertEqual("codes", codes, ["NOT_FINITE", "NOT_FINITE"]);
});

defineOnce("distributed: the kernels of rank 0 are those of all, whatever their own tables say", async () => {
  const opened = (table?: TuningTable) => {
    const store = { load: async () => table && structuredClone(table), save: async () => undefined };
    return openDevice({ ...settings.opening, tuning: { store, warn: (text) => assert(false, text) } });
  };
  const devices = [await opened()];
  try {
    const alone = await create(devices[0], { optimizer: adam() });
    await alone.dispose();
    const own = devices[0].tuner.table();
    // The other rank would take another of the proven candidates.
    const other = structuredClone(own);
    const [choice] = Object.values(other.choices).filter(({ microseconds }) => Object.keys(microseconds).length > 1);
    if (!choice) return; // of portable kernels there is nothing to choose
    const { candidate, microseconds, refused = {} } = choice;
    const left = Object.keys(microseconds).filter((name) => name !== candidate && !refused[name]);
    if (left.length > 0) Object.assign(choice, { candidate: left[0] });
    devices.push(await opened(other));
    await together(2, async (communicator) => {
      const trainer = await create(devices[communicator.rank], { optimizer: adam(), communicator });
      await trainer.dispose();
    });
    assertEqual("kernels", JSON.stringify(devices[1].tuner.used()), JSON.stringify(devices[0].tuner.used()));
    assertEqual("timed by rank 1", devices[1].tuner.timed, 0);
  } finally {
    for (const device of devices) device.dispose();
  }
});
