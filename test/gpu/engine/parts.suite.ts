// Networks too large for one binding: split into parts, with recomputed activations, or with half-precision storage,
// they have the gradients of the plain network.
import { type Device, siamese, Trainer, type TrainerOptions } from "../../../src/index.ts";
import { uniform } from "../../random.ts";
import { assert, assertClose, assertEqual, assertSameBits, defineKernel, defineOnce } from "../suite.ts";
import { deviceAs, deviceWithin, kinds } from "../variants.ts";

const batchSize = 6;
const network = (filters: number[]) => siamese({ imageSize: [32, 32, 3], filters, embedding: 8, seed: 5 });
const random = uniform(3);
const pictures = () => Uint8Array.from({ length: batchSize * 32 * 32 * 3 }, () => 256 * random());
const batch = { left: pictures(), right: pictures(), leftLabels: [0, 1, 2, 3, 4, 5], rightLabels: [0, 0, 2, 2, 4, 4] };

async function gradientsOf(device: Device, options: Partial<TrainerOptions> = {}, filters = [16, 16]) {
  const trainer = await Trainer.create(device, network(filters), { batchSize, l2: 0.01, ...options });
  try {
    const found = await trainer.gradients(batch);
    return { found, memory: await trainer.memory(), launches: (await trainer.launches()).map(({ kernel }) => kernel) };
  } finally {
    await trainer.dispose();
  }
}

type Found = Map<string, Float32Array>;

function assertAgree(what: string, found: Found, expected: Found, tolerance: number): void {
  for (const [name, values] of expected) {
    // A bias before batch statistics has no gradient to compare with.
    if (name.endsWith("conv/bias")) assertSameBits(`${what}, ${name}`, found.get(name)!, values);
    else assertClose(`${what}, ${name}`, found.get(name)!, values, { tolerance });
  }
}

// A second block of 8 filters has direct kernels; one of 16 has Winograd's on software adapters, whose
// sums are in another order and whose transforms amplify the rounding.
for (const [kind, filters, tolerance] of [
  ["software adapters", [16, 8], 2e-6], // sums are cut where a binding ends
  ["GPUs", [16, 16], 2e-6],
  ["software adapters", [16, 16], 5e-6],
] as const) {
  const what = `filters ${filters.join(", ")} as on ${kind}`;
  defineOnce(`parts: a network in parts has the gradients of the whole one, ${what}`, async (device) => {
    const whole = await gradientsOf(deviceAs(device, kind), {}, [...filters]);
    const most = 160 * 1024;
    const limits = { maxStorageBufferBindingSize: most, maxBufferSize: most };
    const split = await gradientsOf(deviceAs(deviceWithin(device, limits), kind), {}, [...filters]);
    assert(whole.memory.largestBinding > most, `nothing to split: ${whole.memory.largestBinding} bytes`);
    assert(split.memory.largestBinding <= most, `a binding of ${split.memory.largestBinding} bytes`);
    assert(split.launches.length > whole.launches.length, "as many launches as in one piece");
    assertAgree("in parts", split.found, whole.found, tolerance);
  });
}

for (const kind of kinds) {
  defineOnce(`parts: recomputed activations have the same bits, as on ${kind}`, async (given) => {
    const device = deviceAs(given, kind);
    const kept = await gradientsOf(device);
    const again = await gradientsOf(device, { recompute: true });
    assert(again.launches.length > kept.launches.length, "nothing was recomputed");
    for (const [name, values] of kept.found) assertSameBits(name, again.found.get(name)!, values);
  });

  // Packing and unpacking is the same code in the kernels of both kinds: a second compiler checks one of them.
  const define = kind === "GPUs" ? defineOnce : defineKernel;
  define(`parts: half-precision storage only rounds gradients, as on ${kind}`, async (given) => {
    const device = deviceAs(given, kind);
    const float32 = await gradientsOf(device);
    const float16 = await gradientsOf(device, { storage: "float16" });
    const both = await gradientsOf(device, { storage: "float16", recompute: true });
    assert(float16.memory.activations < float32.memory.activations, "it takes as much memory");
    // After the last ReLU there is only rounding. Before it, a value that rounding carries over the ReLU's kink
    // takes its whole gradient along: few do, so the gradient as a whole keeps its direction and its length.
    for (const name of ["loss", "head/kernel", "tower/dense/kernel"]) {
      assertClose(`float16, ${name}`, float16.found.get(name)!, float32.found.get(name)!, { tolerance: 1e-2 });
    }
    for (const [name, values] of float32.found) {
      const difference = Math.hypot(...float16.found.get(name)!.map((value, i) => value - values[i]));
      const length = Math.hypot(...values);
      assert(difference <= 0.1 * length, `${name}: off by ${difference} of ${length}`);
    }
    for (const [name, values] of float16.found) assertSameBits(name, both.found.get(name)!, values);
    assertEqual("gradients", [...float16.found.keys()], [...float32.found.keys()]);
  });
}
