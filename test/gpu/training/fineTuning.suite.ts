// Training that begins with a model's weights, and frozen layers.

import { decode } from "../../../src/formats/safetensors.ts";
import { adam, type Device, describeModel, liveness, Model, openDevice, siamese, Trainer } from "../../../src/index.ts";
import { map, ndarray } from "../../reference/ndarray.ts";
import { siamese as referenceSiamese } from "../../reference/network/siamese.ts";
import { network, pairs, run } from "../smallRun.ts";
import {
  assert,
  assertClose,
  assertEqual,
  assertSameBits,
  assertThrows,
  define,
  defineKernel,
  defineOnce,
  NETWORK_TOLERANCE,
  settings,
} from "../suite.ts";

const IMAGE: [number, number, number] = [8, 8, 1];
const deep = () => siamese({ imageSize: IMAGE, filters: [4, 3, 5], embedding: 5, seed: 2 });
const options = () => ({ batchSize: 3, l2: 0.01, optimizer: adam({ learningRate: 0.01 }) });

/** A bias in front of a batch-norm has no effect: its true gradient is 0. */
const isIdle = (name: string) => /block\d+\/conv\/bias/.test(name);

/** The saved training of `deep` after some steps. */
async function trained(device: Device, steps: number): Promise<Uint8Array> {
  const trainer = await Trainer.create(device, deep(), options());
  for (let n = 1; n <= steps; n++) await trainer.step(pairs(n));
  const bytes = await trainer.save();
  await trainer.dispose();
  return bytes;
}

async function valuesOf(trainer: Trainer): Promise<Map<string, Float32Array>> {
  const read = [...trainer.parameters()].map(async ([name, parameter]) => [name, await parameter.read()] as const);
  return new Map(await Promise.all(read));
}

defineKernel(
  "fine-tuning: loss and gradients beside frozen blocks agree with the float64 reference",
  async (device) => {
    const init = await trained(device, 3);
    for (const frozen of [["tower/block1"], ["tower/block2"], ["tower/block1", "tower/block2"]]) {
      const trainer = await Trainer.create(device, deep(), { ...options(), init, freeze: frozen });
      const parameters = Object.fromEntries(
        await Promise.all(
          [...trainer.parameters()].map(async ([name, p]) => [name, ndarray(p.shape, await p.read())] as const),
        ),
      );
      const batch = pairs(7);
      const image = (bytes: Uint8Array) => map(ndarray([3, ...IMAGE], bytes), (pixel) => pixel / 255);
      const given = { left: image(batch.left), right: image(batch.right), same: ndarray([3], [1, 0, 1]) };
      const expected = referenceSiamese(parameters, given, 0.01, { frozen });
      const actual = await trainer.gradients(batch);
      assertClose(`loss beside ${frozen}`, actual.get("loss")!, [expected.loss]);
      const inFrozen = (name: string) => frozen.some((layer) => name.startsWith(`${layer}/`));
      const trainable = Object.keys(expected.gradients).filter((name) => !inFrozen(name));
      assertEqual("tensors with gradients", [...actual.keys()].sort(), ["loss", ...trainable].sort());
      for (const name of trainable) {
        const kernel = expected.gradients[name.replace("bias", "kernel")];
        const idle = /block\d+\/conv\/bias/.test(name); // in front of a batch-norm: the true gradient is 0
        const scale = idle ? kernel.data.reduce((most, value) => Math.max(most, Math.abs(value)), 0) : undefined;
        const { data } = expected.gradients[name];
        assertClose(`gradient of ${name}`, actual.get(name)!, data, { tolerance: NETWORK_TOLERANCE, scale });
      }
      await trainer.dispose();
    }
  },
);

define("fine-tuning: frozen layers keep their bits, and all others change", async (device) => {
  const init = await trained(device, 3);
  for (const freeze of [1, 3, ["tower/block2", "head"]] as const) {
    const trainer = await Trainer.create(device, deep(), { ...options(), init, freeze });
    const before = await valuesOf(trainer);
    for (let n = 1; n <= 3; n++) await trainer.step(pairs(n));
    const after = await valuesOf(trainer);
    const layers =
      typeof freeze === "number" ? Array.from({ length: freeze }, (_, i) => `tower/block${i + 1}`) : freeze;
    for (const [name, values] of after) {
      const kept = layers.some((layer) => name.startsWith(`${layer}/`));
      if (kept) assertSameBits(name, values, before.get(name)!);
      else if (isIdle(name)) continue;
      else
        assert(
          values.some((value, i) => value !== before.get(name)![i]),
          `${name} did not change (${freeze})`,
        );
    }
    const moments = [...decode(await trainer.save()).tensors.keys()].filter((name) => name.startsWith("optimizer/"));
    assert(
      moments.length > 0 && !layers.some((layer) => moments.some((name) => name.includes(layer))),
      "moments of a frozen layer, or none at all",
    );
    await trainer.dispose();
  }
});

defineOnce("fine-tuning: a step computes no gradients of frozen layers and takes less memory", async (device) => {
  const found: { launches: number; optimizer: number; gradients: number; total: number }[] = [];
  for (const freeze of [0, 1, 2, 3]) {
    const trainer = await Trainer.create(device, deep(), { ...options(), freeze });
    const launches = await trainer.launches();
    for (const { writes } of launches) {
      const frozen = writes.filter((name) => /^gradient of tower\/block(\d)/.test(name) && Number(name[22]) <= freeze);
      assertEqual(`gradients with ${freeze} blocks frozen`, frozen, []);
    }
    const { optimizer, gradients, total } = await trainer.memory();
    found.push({ launches: launches.length, optimizer, gradients, total });
    await trainer.dispose();
  }
  for (const [i, more] of found.slice(0, -1).entries()) {
    const less = found[i + 1];
    for (const what of ["launches", "optimizer", "gradients", "total"] as const) {
      assert(less[what] < more[what], `${what}: ${less[what]} with ${i + 1} blocks frozen, ${more[what]} with ${i}`);
    }
  }
});

define("fine-tuning: begins with the model's embeddings, at step 0, without moments", async (device) => {
  const init = await trained(device, 3);
  const trainer = await Trainer.create(device, deep(), { ...options(), init });
  assertEqual("step", trainer.steps, 0);
  const saved = await trainer.save();
  const [model, begun] = [await Model.open(device, init), await Model.open(device, saved)];
  const pictures = pairs(9).left;
  // Its averages are the model's, without the part of their initial values that the model still contained.
  assertClose("embeddings", await begun.embed(pictures), await model.embed(pictures), { tolerance: 1e-6 });
  assertEqual("what it began from", (await describeModel(saved)).init, model.fingerprint);
  await trainer.step(pairs(1));
  assertEqual("what it began from, after a step", (await describeModel(await trainer.save())).init, model.fingerprint);
  for (const one of [model, begun]) await one.dispose();
  await trainer.dispose();
});

define("fine-tuning: a resumed run gives the bits of an unbroken one", async (device) => {
  const init = await trained(device, 2);
  const unbroken = await Trainer.create(device, deep(), { ...options(), init, freeze: 1 });
  for (let n = 1; n <= 2; n++) await unbroken.step(pairs(n));
  const saved = await unbroken.save();
  const resumed = await Trainer.create(device, deep(), { ...options(), freeze: 1 });
  await resumed.load(saved);
  for (let n = 3; n <= 4; n++) {
    assertEqual("step and loss", await resumed.step(pairs(n)), await unbroken.step(pairs(n)));
  }
  const [a, b] = [await unbroken.save(), await resumed.save()];
  assert(a.length === b.length && a.every((byte, i) => byte === b[i]), "the saved states differ");
  const whole = await Trainer.create(device, deep(), options());
  await assertThrows("without freeze", () => whole.load(saved), ["tower/block1/conv/kernel", "frozen", "init"]);
  for (const trainer of [unbroken, resumed, whole]) await trainer.dispose();
});

defineOnce("fine-tuning: a lost device leaves no trace", async (device) => {
  const source = await Trainer.create(device, network(), options());
  await source.step(pairs(1));
  const init = await source.save();
  await source.dispose();
  const runs: number[][] = [];
  for (const lostAt of [undefined, 2, 9]) {
    const own = await openDevice(settings.opening);
    const trainer = await Trainer.create(own, network(), { ...options(), init, freeze: ["tower/dense"] });
    runs.push(await run(trainer, (step) => step === lostAt && trainer.device.gpu.destroy()));
    await trainer.dispose();
    own.dispose();
  }
  assertEqual("losses, lost at step 2", runs[1], runs[0]);
  assertEqual("losses, lost at step 9", runs[2], runs[0]);
});

defineOnce("fine-tuning: a new head where the model has none, or was trained for another task", async (device) => {
  const embedding = { ...options(), loss: "contrastive" } as const;
  const source = await Trainer.create(device, network(), embedding);
  const withoutHead = await source.save();
  await source.dispose();
  const fresh = await Trainer.create(device, network(), options());
  const initial = await valuesOf(fresh);
  const trainer = await Trainer.create(device, network(), { ...options(), init: withoutHead, freeze: ["tower"] });
  assertSameBits("head", (await valuesOf(trainer)).get("head/kernel")!, initial.get("head/kernel")!);
  await fresh.step(pairs(1));
  const recognition = await fresh.save();
  const other = await Trainer.create(device, liveness(network().options), { ...options(), init: recognition });
  const begun = await valuesOf(other);
  assertSameBits(
    "kernel",
    begun.get("tower/block1/conv/kernel")!,
    (await valuesOf(fresh)).get("tower/block1/conv/kernel")!,
  );
  assert(begun.get("head/bias")![0] === 0, "the liveness head is the recognition model's");
  for (const one of [fresh, trainer, other]) await one.dispose();
});

defineOnce("fine-tuning: unknown layers and models of another network are refused by name", async (device) => {
  const create = (more: object) => () => Trainer.create(device, deep(), { ...options(), ...more });
  await assertThrows("a near name", create({ freeze: ["tower/blok1"] }), [
    '"tower/blok1"',
    'did you mean "tower/block1"',
  ]);
  await assertThrows("another", create({ freeze: ["stem"] }), ['"stem"', "tower/block1", "tower/dense", "head"]);
  await assertThrows("too many blocks", create({ freeze: 4 }), ["freeze is 4", "0 to 3"]);
  await assertThrows("no list", create({ freeze: "head" }), ['freeze is "head"', "a list of layers"]);
  await assertThrows("all", create({ freeze: ["tower", "head"] }), ["nothing to train"]);
  const small = await Trainer.create(device, network(), options());
  const init = await small.save();
  await small.dispose();
  await assertThrows("another network", create({ init }), ["filters [3], not [4,3,5]", "the model's own options"]);
  await assertThrows("no file", create({ init: new Uint8Array(9) }), ["header"]);
  const { network: its } = await describeModel(init);
  const same = await Trainer.create(device, siamese(its), { ...options(), init });
  await same.dispose();
});
