// The dispatches, bytes and bindings of a step of the article's network, on any machine. Planned, not run: only the
// parameters are allocated.

import { overridesOf } from "../../../src/gpu/shader.ts";
import {
  adam,
  add,
  type Device,
  l2Penalty,
  scaleBytes,
  siamese,
  sigmoidCrossEntropy,
  Tape,
} from "../../../src/index.ts";
import { planProgram } from "../../../src/tape/plan.ts";
import type { TapeOptions } from "../../../src/tape/tape.ts";
import { assert, defineOnce } from "../suite.ts";
import { deviceAs, deviceWithin, kinds } from "../variants.ts";

interface Configuration {
  readonly pairs: number;
  readonly imageSize: readonly [number, number, number];
  readonly filters: readonly number[];
}

const configurations: Record<string, Configuration> = {
  S: { pairs: 8, imageSize: [28, 28, 1], filters: [32, 32, 64, 64] },
  M: { pairs: 4, imageSize: [56, 56, 3], filters: [64, 64, 64, 32] },
  L: { pairs: 1, imageSize: [112, 112, 3], filters: [256, 128, 64, 32] },
};
const article = { pairs: 128, imageSize: [224, 224, 3], filters: [256, 128, 64, 32] } as const;

function plan(device: Device, { pairs, imageSize, filters }: Configuration, options: TapeOptions = {}) {
  const network = siamese({ imageSize, filters, embedding: 1024, seed: 1 });
  const tape = new Tape(device, options);
  const images = scaleBytes(tape.input("images", [2 * pairs, ...imageSize], { dtype: "u8" }));
  const embeddings = network.tower(tape, images, { training: true, groups: 2 });
  let loss = sigmoidCrossEntropy(network.head(tape, embeddings), tape.input("same", [pairs]));
  for (const kernel of network.penalised(tape)) loss = add(loss, l2Penalty(kernel, 0.1));
  try {
    const { launches, memory } = planProgram(tape, { loss, optimizer: adam() });
    const { parameters, optimizer, activations, gradients, staging } = memory;
    return { launches, memory, total: parameters + optimizer + activations + gradients + staging };
  } finally {
    tape.store.dispose();
  }
}

for (const kind of kinds) {
  for (const [name, configuration] of Object.entries(configurations)) {
    defineOnce(`structure: a step of ${name} as on ${kind}`, async (device) => {
      const { launches, memory } = plan(deviceAs(device, kind), configuration);
      assert(launches.length <= (kind === "GPUs" ? 46 : 47), `${launches.length} dispatches`);
      const share = memory.activations / memory.lowerBound;
      assert(share <= 1.25, `${memory.activations} bytes planned where ${memory.lowerBound} must be alive at once`);
      const written = launches.flatMap(({ shader, bindings }) =>
        Object.entries(bindings).filter(([binding]) => shader.bindings[binding].access === "read_write"),
      );
      const unpooled = 4 * 2 * configuration.pairs * configuration.imageSize[0] ** 2 * configuration.filters[0];
      const stored = written.filter(
        ([, { name }]) => name === "conv2d" || name === "batch-norm" || name === "max-pool",
      );
      assert(stored.length <= 1, `stored: ${stored.map(([, s]) => s.name)}`); // what the dense layer reads
      assert(!written.some(([, { bytes }]) => bytes === unpooled), "a convolution's output is stored before pooling");
    });
  }
}

// The limits of common adapters, so that the figures do not depend on this one's.
const gibibyte = {
  maxStorageBufferBindingSize: 2 ** 30,
  maxBufferSize: 2 ** 30,
  maxComputeWorkgroupsPerDimension: 65535,
};

for (const [what, options, gigabytes] of [
  ["as it is", {}, 7.5],
  ["with recomputed activations", { recompute: true }, 4.5],
  ["with half-precision storage as well", { recompute: true, storage: "float16" }, 2.5],
] as const) {
  defineOnce(`structure: the article's configuration ${what} takes at most ${gigabytes} GB`, async (device) => {
    for (const kind of kinds) {
      const { total, memory, launches } = plan(deviceAs(deviceWithin(device, gibibyte), kind), article, options);
      assert(total <= gigabytes * 1e9, `${total} bytes as on ${kind}`);
      assert(memory.largestBinding <= 2 ** 30, `a binding of ${memory.largestBinding} bytes as on ${kind}`);
      // The batch has hundreds of slices, and each pipeline takes 0.1 s or more to create.
      const pipelines = launches.map((l) => [l.shader.name, overridesOf(l.shader, l.constants), l.tunables]);
      const distinct = new Set(pipelines.map((pipeline) => JSON.stringify(pipeline)));
      assert(distinct.size <= 64, `${launches.length} dispatches of ${distinct.size} pipelines as on ${kind}`);
    }
  });
}
