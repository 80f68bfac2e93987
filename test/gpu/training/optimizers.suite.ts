// Every optimizer against float64, with clipping, L2 penalties and a scheduled rate; reports of non-finite gradients;
// and resuming from checkpoints and recovery to the last bit.

import { decode } from "../../../src/formats/safetensors.ts";
import { withMetadata } from "../../../src/formats/seal.ts";
import {
  adam,
  adamW,
  add,
  type Device,
  dense,
  l2Penalty,
  type Optimizer,
  openDevice,
  type Recovered,
  sgd,
  sum,
  Tape,
  Trainer,
} from "../../../src/index.ts";
import { normal } from "../../random.ts";
import { type NdArrays, ndarray } from "../../reference/ndarray.ts";
import { adam as referenceAdam } from "../../reference/network/adam.ts";
import { clip } from "../../reference/network/clip.ts";
import { sgd as referenceSgd } from "../../reference/network/sgd.ts";
import { network, pairs, run } from "../smallRun.ts";
import {
  assert,
  assertClose,
  assertEqual,
  assertThrows,
  defineKernel,
  defineOnce,
  NETWORK_TOLERANCE,
  settings,
} from "../suite.ts";

const learningRate = (step: number) => 0.1 / step;
const clipNorm = 3;

const cases: Record<string, { optimizer: Optimizer; update: ReturnType<typeof referenceAdam>; states: string[] }> = {
  adam: {
    optimizer: adam({ learningRate, clipNorm }),
    update: referenceAdam({ learningRate }),
    states: ["first moment", "second moment"],
  },
  adamW: {
    optimizer: adamW({ learningRate, clipNorm, weightDecay: 0.3, beta1: 0.8 }),
    update: referenceAdam({ learningRate, weightDecay: 0.3, beta1: 0.8 }),
    states: ["first moment", "second moment"],
  },
  sgd: { optimizer: sgd({ learningRate, clipNorm }), update: referenceSgd({ learningRate }), states: [] },
  momentum: {
    optimizer: sgd({ learningRate, clipNorm, momentum: 0.9 }),
    update: referenceSgd({ learningRate, momentum: 0.9 }),
    states: ["velocity"],
  },
  "Nesterov's momentum": {
    optimizer: sgd({ learningRate, clipNorm, momentum: 0.9, nesterov: true }),
    update: referenceSgd({ learningRate, momentum: 0.9, nesterov: true }),
    states: ["velocity"],
  },
};

/** loss = x . p + 0.1 |p|^2 / 2 + y . q: the gradients are x + 0.1 p and y. */
async function linear(device: Device, optimizer: Optimizer) {
  const tape = new Tape(device);
  const initial = (n: number) => Float32Array.from(normal([n, 1], n).data);
  const [p, q] = [67, 130].map((n) => tape.parameter(`p${n}`, [n, 1], { initial: initial(n) }));
  const [x, y] = [tape.input("x", [1, 67]), tape.input("y", [1, 130])];
  const loss = add(add(sum(dense(x, p)), l2Penalty(p, 0.1)), sum(dense(y, q)));
  return { tape, p, q, step: await tape.compile({ loss, optimizer }) };
}

for (const [name, { optimizer, update, states }] of Object.entries(cases)) {
  defineKernel(`optimizers: ten steps of ${name} follow the float64 reference`, async (device) => {
    const { tape, p, q, step } = await linear(device, optimizer);
    const values: NdArrays = { p: ndarray(p.shape, await p.read()), q: ndarray(q.shape, await q.read()) };
    const again = structuredClone(values);
    for (let n = 0; n < 10; n++) {
      const size = n % 2 ? 0.01 : 3; // some norms below clipNorm, some above
      const [x, y] = [67, 130].map((count) => Float32Array.from(normal([count], n).data, (v) => v * size));
      await step.run({ x, y });
      const gradients = {
        p: ndarray(
          p.shape,
          Float64Array.from(values.p.data, (w, i) => x[i] + 0.1 * w),
        ),
        q: ndarray(q.shape, y),
      };
      update(values, clip(gradients, clipNorm));
    }
    for (const [key, parameter] of Object.entries({ p, q })) {
      const found = await parameter.read();
      assertClose(`${name}: ${key}`, found, values[key].data, { tolerance: NETWORK_TOLERANCE });
      assert(
        found.every((w, i) => Math.abs(w - again[key].data[i]) > 1e-6),
        `${name}: ${key} has not moved`,
      );
    }
    assertEqual(`${name}: what it keeps`, [...tape.store.arenas[0].state.keys()], states);
    assertEqual(`${name}: launches of its own`, step.launches.filter((l) => l.kernel.endsWith(".step")).length, 1);
    step.dispose();
    tape.store.dispose();
  });

  defineKernel(`optimizers: ${name} reports a non-finite gradient`, async (device) => {
    const { tape, step } = await linear(device, optimizer);
    const inputs = () => ({ x: new Float32Array(67), y: new Float32Array(130) });
    const bad = inputs();
    bad.y[129] = Number.POSITIVE_INFINITY;
    assertEqual("finite", (await step.run(inputs())).finite, true);
    assertEqual("not finite", (await step.run(bad)).finite, false);
    step.dispose();
    tape.store.dispose();
  });
}

defineOnce("errors: invalid optimizer options", async () => {
  const make = (work: () => Optimizer, ...parts: string[]) => assertThrows(parts.join(), work, parts);
  await make(() => sgd({ momentum: 1 }), "sgd: momentum is 1", "[0, 1)");
  await make(() => sgd({ nesterov: true }), "sgd: nesterov", "momentum above 0");
  await make(() => sgd({ clipNorm: 0 }), "sgd: clipNorm is 0");
  await make(() => adamW({ weightDecay: -1 }), "adamW: weightDecay is -1", "at least 0");
  await make(() => adamW({ beta1: 1 }), "adamW: beta1 is 1");
});

const trainerWith = (device: Device, optimizer: Optimizer, more = {}) =>
  Trainer.create(device, network(), { batchSize: 3, l2: 0.01, optimizer, ...more });

defineOnce(
  "optimizers: a training resumes from its checkpoint bit for bit, and refuses another optimizer's",
  async (device) => {
    const saved = new Map<string, Uint8Array>();
    for (const [name, { optimizer }] of Object.entries(cases)) {
      const unbroken = await trainerWith(device, optimizer);
      for (const step of [1, 2]) await unbroken.step(pairs(step));
      const bytes = await unbroken.save();
      saved.set(optimizer.name, bytes);
      const resumed = await trainerWith(device, optimizer);
      await resumed.load(bytes);
      for (const step of [3, 4]) {
        const [{ loss }, { loss: expected }] = [await resumed.step(pairs(step)), await unbroken.step(pairs(step))];
        assertEqual(`${name}: loss of step ${step}`, loss, expected);
      }
      assertEqual(`${name}: state`, await resumed.save(), await unbroken.save());
      const before = await resumed.save();
      for (const [other, strange] of saved) {
        if (other === optimizer.name) continue;
        await assertThrows(`${other} into ${name}`, () => resumed.load(strange), [
          `"${other}", not "${optimizer.name}"`,
        ]);
      }
      assertEqual(`${name}: state after what was refused`, await resumed.save(), before);
      for (const trainer of [unbroken, resumed]) await trainer.dispose();
    }
    assertEqual("optimizers with states of their own", saved.size, 4);
  },
);

defineOnce("optimizers: a checkpoint without an optimizer's name is Adam's", async (device) => {
  const trainer = await trainerWith(device, adam());
  await trainer.step(pairs(1));
  const bytes = await trainer.save();
  const { optimizer, ...description } = JSON.parse(decode(bytes).metadata.twingrad);
  assertEqual("the name in the file", optimizer, "adam");
  const older = await withMetadata(bytes, { twingrad: JSON.stringify(description) });
  await trainer.load(older);
  assertEqual("step", trainer.steps, 1);
  await trainer.dispose();
  const other = await trainerWith(device, sgd());
  await assertThrows("into SGD", () => other.load(older), ['"adam", not "sgd"']);
  await other.dispose();
});

defineOnce("optimizers: losing the device does not change the losses", async () => {
  const { optimizer } = cases["Nesterov's momentum"];
  const states: Uint8Array[] = [];
  const losses: number[][] = [];
  for (const stormy of [false, true]) {
    const device = await openDevice(settings.opening);
    const recovered: Recovered[] = [];
    const recovery = { every: 4, onRecovery: (event: Recovered) => recovered.push(event) };
    const trainer = await trainerWith(device, optimizer, { recovery });
    losses.push(await run(trainer, (step) => stormy && step === 11 && trainer.device.gpu.destroy()));
    states.push(await trainer.save());
    assertEqual("recoveries", recovered.length, stormy ? 1 : 0);
    await trainer.dispose();
    device.dispose();
  }
  assertEqual("losses", losses[1], losses[0]);
  assertEqual("state", states[1], states[0]);
});
