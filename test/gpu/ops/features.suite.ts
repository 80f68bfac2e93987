// Kernels that need a feature of the adapter: compared with their references if it has the feature, else no candidates.
// The software adapter that the other suites run on has subgroups of 4 threads and no float16; lavapipe.hosts.test.ts
// has both.

import {
  batchNorm,
  conv2d,
  type Device,
  dense,
  gradients,
  maxPool2d,
  openDevice,
  Tape,
  type Tensor,
  tensor,
  valueAndGradients,
} from "../../../src/index.ts";
import { lowerTape } from "../../../src/tape/plan.ts";
import { normal } from "../../random.ts";
import { references } from "../../reference/operations.ts";
import { checkOperation } from "../operation.ts";
import { assert, assertClose, assertEqual, defineKernel, settings } from "../suite.ts";
import { deviceTaking } from "../variants.ts";

const has = (device: Device, feature: "subgroups" | "shader-f16") => device.gpu.features.has(feature);

/** A device that uses the candidate, which must be available exactly if the feature is. */
async function taking(
  device: Device,
  candidate: "subgroups" | "half",
  work: (device: Device) => Promise<unknown>,
): Promise<void> {
  const chosen = deviceTaking(device, "GPUs", candidate);
  await work(chosen.device);
  assertEqual(
    `${candidate} was taken`,
    chosen.taken() > 0,
    has(device, candidate === "half" ? "shader-f16" : "subgroups"),
  );
}

for (const [rows, columns] of [
  [65, 4],
  [130, 36],
  [2500, 8], // in two levels
] as const) {
  defineKernel(`subgroups: sums of columns of ${rows} x ${columns}`, (device) =>
    taking(device, "subgroups", (chosen) =>
      checkOperation(chosen, "dense", {
        x: normal([rows, 3], 1),
        kernel: normal([3, columns], 2),
        bias: normal([columns], 3),
      }),
    ),
  );
}

defineKernel("subgroups: batch-norm's sums in the backward pass of a block", (device) =>
  taking(device, "subgroups", async (chosen) => {
    const [x, filter] = [normal([6, 12, 12, 3], 1), normal([3, 3, 3, 16], 2, { deviation: 0.2 })];
    const [gamma, beta] = [normal([16], 4, { mean: 1, deviation: 0.2 }), normal([16], 5)];
    const gradient = normal([6, 6, 6, 16], 6);
    const pooled = references.maxPool2d.value({ x: references.conv2d.value({ x, filter }, {}) }, {});
    const reference = references.batchNorm.gradients({ x: pooled, gamma, beta }, { groups: 2 }, gradient);
    const inputs = { x, filter, gamma, beta };
    const block = (t: Record<string, Tensor>) =>
      batchNorm(maxPool2d(conv2d(t.x, t.filter)), { gamma: t.gamma, beta: t.beta, groups: 2 });
    const found = await valueAndGradients(
      chosen,
      block,
      Object.fromEntries(Object.entries(inputs).map(([name, { shape, data }]) => [name, tensor(shape, data)])),
      { gradientsOf: ["gamma", "beta"], outputGradient: tensor(gradient.shape, gradient.data) },
    );
    for (const name of ["gamma", "beta"]) {
      assertClose(`subgroups: gradient of ${name}`, found.gradients[name].data, reference[name].data);
    }
  }),
);

/** Largest error over the largest value: eight products at a time are summed in float16. */
const halfTolerance = 2e-3;

for (const [rows, inputs, outputs] of [
  [1, 1, 1],
  [33, 67, 35],
  [64, 512, 96],
] as const) {
  for (const activation of [undefined, "relu", "sigmoid"] as const) {
    const name = `float16 products: ${rows} x ${inputs} x ${outputs}${activation ? `, ${activation}` : ""}`;
    defineKernel(name, (device) =>
      taking(device, "half", async (chosen) => {
        const operands = {
          x: normal([rows, inputs], 1),
          kernel: normal([inputs, outputs], 2, { deviation: 1 / Math.sqrt(inputs) }),
          bias: normal([outputs], 3),
        };
        const tape = new Tape(chosen, { products: "float16" });
        const [x, kernel, bias] = Object.entries(operands).map(([of, { shape }]) => tape.input(of, shape));
        const program = await tape.compile({ outputs: { y: dense(x, kernel, { bias, activation }) } });
        const { y } = await program.run(
          Object.fromEntries(Object.entries(operands).map(([of, { data }]) => [of, data])),
        );
        program.dispose();
        const tolerance = has(device, "shader-f16") ? halfTolerance : undefined;
        assertClose(name, y, references.dense.value(operands, { activation }).data, { tolerance });
      }),
    );
  }
}

defineKernel("float16 products: only if the tape allows them", async (device) => {
  const chosen = deviceTaking(device, "GPUs", "half");
  const tape = new Tape(chosen.device);
  const y = dense(tape.input("x", [40, 8]), tape.input("kernel", [8, 8]));
  (await tape.compile({ outputs: { y } })).dispose();
  assertEqual("taken", chosen.taken(), 0);
});

defineKernel("features: the tuner accepts these kernels", async () => {
  const warnings: string[] = [];
  const device = await openDevice({ gpu: settings.opening.gpu, tuning: { warn: (text) => warnings.push(text) } });
  try {
    Object.assign(device.adapter, { software: false }); // so that they are candidates
    await device.tuner.tune(() => {
      const tape = new Tape(device, { products: "float16" });
      const [filter, gamma, beta] = [[3, 3, 3, 16], [16], [16]].map((shape, n) => tape.input(`${n}`, shape));
      const block = batchNorm(maxPool2d(conv2d(tape.input("x", [2, 8, 8, 3]), filter)), { gamma, beta });
      const bias = tape.input("bias", [8]);
      const y = dense(tape.input("z", [90, 12]), tape.input("kernel", [12, 8]), { bias });
      const found = [
        ...gradients(block, [filter, gamma, beta], tape.input("gradient of block", block.shape)),
        ...gradients(y, [bias], tape.input("gradient of y", y.shape)),
      ];
      lowerTape(tape, { outputs: Object.fromEntries([y, ...found].map((of, n) => [`${n}`, of])) });
      tape.store.dispose();
    });
    const differences = Object.values(device.tuner.table().choices).map((choice) => choice.differences!);
    for (const [candidate, feature] of [
      ["subgroups", "subgroups"],
      ["half", "shader-f16"],
    ] as const) {
      const of = differences.flatMap((each) => (candidate in each ? [each[candidate]] : []));
      assert(of.length > 0 === has(device, feature), `${candidate}: ${of.length} choices`);
      for (const difference of of) assert(difference !== null && difference < 0.5, `${candidate}: ${difference}`);
    }
    assertEqual("warnings", warnings, []);
  } finally {
    device.dispose();
  }
});
