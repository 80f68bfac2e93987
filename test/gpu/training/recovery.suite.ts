// A training whose device is lost has the losses of an undisturbed one, bit for bit.

import { adam, type Device, openDevice, type Recovered, type RecoveryOptions, Trainer } from "../../../src/index.ts";
import { network, pairs, run } from "../smallRun.ts";
import { assert, assertEqual, assertThrows, define, defineOnce, settings } from "../suite.ts";

/** A trainer on its own device, which may be lost. */
async function create(recovery: RecoveryOptions | false) {
  const device = await openDevice(settings.opening);
  const optimizer = adam({ learningRate: 0.01, clipNorm: 1 });
  const trainer = await Trainer.create(device, network(), { batchSize: 3, l2: 0.01, optimizer, recovery });
  const dispose = async () => {
    await trainer.dispose();
    device.dispose();
  };
  return { trainer, dispose };
}

/** Changes the state in the middle of the run, besides steps. */
async function changes(trainer: Trainer, step: number, saved: { bytes?: Uint8Array }) {
  const bias = trainer.parameters().get("head/bias")!;
  if (step === 6) bias.write([0.25]); // not awaited: it is ordered with the steps
  if (step === 9) saved.bytes = await trainer.save();
  if (step === 12) await trainer.load(saved.bytes!);
}

define("recovery: losing the device in the middle of steps does not change the losses", async () => {
  const calm = await create(false);
  const kept = {};
  const expected = await run(calm.trainer, (step) => changes(calm.trainer, step, kept));
  const state = await calm.trainer.save();
  await calm.dispose();
  for (const [every, at] of [
    [100, [6, 12]],
    [4, [3, 9, 15]],
  ] as const) {
    const recovered: Recovered[] = [];
    const lost = new Set<Device>();
    const stormy = await create({ every, onRecovery: (event) => recovered.push(event) });
    const saved = {};
    const losses = await run(stormy.trainer, async (step) => {
      if ((at as readonly number[]).includes(step)) {
        lost.add(stormy.trainer.device);
        stormy.trainer.device.gpu.destroy();
      }
      await changes(stormy.trainer, step, saved);
    });
    const what = `every ${every}, lost at ${at}`;
    const bytes = await stormy.trainer.save(); // comes after the last recovery
    assertEqual(`losses, ${what}`, losses, expected);
    // If a device is lost during a recovery, the two losses make one recovery.
    assert(
      recovered.length > 0 && recovered.length <= lost.size && !lost.has(stormy.trainer.device),
      `${what}: ${recovered.length} recoveries`,
    );
    assert(
      recovered.every(({ exact, from, to }) => exact && to - from <= every + 8),
      `${what}: ${JSON.stringify(recovered.map(({ from, to, exact }) => [from, to, exact]))}`,
    );
    assert(bytes.length === state.length && bytes.every((b, i) => b === state[i]), `${what}: the saved states differ`);
    await stormy.dispose();
  }
});

defineOnce("recovery: reads are repeated, too", async () => {
  const { trainer, dispose } = await create({});
  await trainer.step(pairs(1));
  const embed = await trainer.embedder();
  const pictures = pairs(2).left;
  const expected = {
    embedded: [...(await embed(pictures))],
    gradients: [...(await trainer.gradients(pairs(3))).values()].map((values) => [...values]),
    saved: [...(await trainer.save())],
    weights: [...(await trainer.parameters().get("head/kernel")!.read())],
  };
  for (const [name, ask] of [
    ["embedded", () => embed(pictures)],
    ["gradients", async () => [...(await trainer.gradients(pairs(3))).values()].map((values) => [...values])],
    ["saved", () => trainer.save()],
    ["weights", () => trainer.parameters().get("head/kernel")!.read()],
  ] as const) {
    const lost = trainer.device;
    const answer = ask();
    lost.gpu.destroy();
    assertEqual(name, [...(await answer)], expected[name]);
    assert(trainer.device !== lost, `${name}: the device was not lost`);
    await trainer.step(pairs(1)); // progress, or recovery stops
    await trainer.load(Uint8Array.from(expected.saved));
  }
  let calls = 0;
  const seen = await trainer.withDevice(async (device) => {
    if (++calls === 1) device.gpu.destroy();
    return Array.from(await device.wait(trainer.parameters().get("head/bias")!.read()));
  });
  assertEqual("calls", [calls, seen.length], [2, 1]);
  await dispose();
});

define("errors: at the third loss without a new step in between, training stops and says why", async () => {
  let opened = 0;
  const reopen = async () => {
    const device = await openDevice(settings.opening);
    opened++;
    const { wait } = device;
    device.wait = <T>(work: Promise<T>) => {
      device.gpu.destroy(); // each new device is lost at the first wait
      return wait.call(device, work) as Promise<T>;
    };
    return device;
  };
  const { trainer, dispose } = await create({ reopen });
  await trainer.step(pairs(1));
  trainer.device.gpu.destroy();
  const steps = await Promise.allSettled([2, 3].map((n) => trainer.step(pairs(n))));
  for (const step of steps) {
    assert(step.status === "rejected", "a step went through without a device");
    const message = String(step.reason);
    assert(/was lost: .*lost 3 times without a new step in between, so training stops/.test(message), message);
    assertEqual("code", step.reason.code, "DEVICE_LOST");
  }
  assertEqual("devices opened", opened, 2);
  await assertThrows("a later step", () => trainer.step(pairs(4)), ["lost 3 times"]);
  await assertThrows("a later save", () => trainer.save(), ["lost 3 times"]);
  await dispose();
});

define("errors: without recovery, a lost device ends the training", async () => {
  const { trainer, dispose } = await create(false);
  const step = trainer.step(pairs(1));
  trainer.device.gpu.destroy();
  await assertThrows("step", () => step, ["The GPU device was lost: ", "Open a device again"]);
  await dispose();
});

define("errors: a non-finite step is reported, and the kept states stay valid", async () => {
  let from = 0;
  const { trainer, dispose } = await create({ every: 2, onRecovery: (event) => ({ from } = event) });
  for (let n = 1; n <= 3; n++) await trainer.step(pairs(n));
  const saved = await trainer.save();
  const expected = (await trainer.step(pairs(4))).loss;
  for (const [name, values, parts] of [
    ["head/bias", [Number.NaN], ["the loss of step 4 is NaN"]],
    ["tower/block1/norm/gamma", [Number.NaN, 1, 1], ["the loss of step 4 is NaN"]],
  ] as const) {
    await trainer.load(saved);
    await trainer.parameters().get(name)!.write(values);
    const steps = [4, 5, 6, 7].map((n) => trainer.step(pairs(n)));
    for (const step of await Promise.allSettled(steps)) {
      assert(step.status === "rejected" && step.reason.code === "NOT_FINITE", `${name}: ${JSON.stringify(step)}`);
    }
    await assertThrows(name, () => steps[0], [...parts, "learning rate"]);
    trainer.device.gpu.destroy();
    await trainer.load(saved);
    assertEqual("the loss after loading", (await trainer.step(pairs(4))).loss, expected);
  }
  for (let n = 5; n <= 10; n++) await trainer.step(pairs(n)); // states are kept again
  trainer.device.gpu.destroy();
  await trainer.step(pairs(11));
  await trainer.save(); // comes after the recovery
  assert(from >= 8, `training went back to step ${from}`);
  await dispose();
});

define("trainer: with debugNumerics it names the first non-finite tensor of a step", async () => {
  const device = await openDevice(settings.opening);
  const large = 3e38;
  for (const [name, values, parts] of [
    ["head/kernel", [0, 0, Number.NaN, 0, 0], ['1 of the 5 values of "head/kernel" (the first at 2: NaN)', "before"]],
    ["tower/block1/norm/beta", [large, large, large], ["batchNorm", "Infinity", "launch ", '"tower/block1/norm/beta"']],
  ] as const) {
    const options = { batchSize: 3, debugNumerics: true, recovery: { every: 2 } };
    const trainer = await Trainer.create(device, network(), options);
    for (let n = 1; n <= 3; n++) await trainer.step(pairs(n));
    if (name.endsWith("beta")) await trainer.parameters().get("tower/block1/norm/gamma")!.write([large, large, large]);
    await trainer.parameters().get(name)!.write(values);
    const inFlight = [4, 5, 6].map((n) => trainer.step(pairs(n)));
    await Promise.allSettled(inFlight);
    await assertThrows(name, () => inFlight[0], ["step 4", "replay", ...parts]);
    await trainer.dispose();
  }
  assertEqual("left on the device", device.live(), { buffers: 0, bytes: 0 });
  device.dispose();
});
