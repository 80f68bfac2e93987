// Batch-norm's epsilon and momentum and the last layer's activation as options of a network, such as PyTorch's defaults:
// against the float64 references in a step, in its moving averages and in inference, and kept in the file.
import { adam, Model, siamese, Trainer } from "../../../src/index.ts";
import { uniform } from "../../random.ts";
import { map, type NdArrays, ndarray } from "../../reference/ndarray.ts";
import { siamese as referenceSiamese } from "../../reference/network/siamese.ts";
import { embed } from "../../reference/network/tower.ts";
import { movingAverages } from "../../reference/ops/batchNorm.ts";
import { conv2d } from "../../reference/ops/conv2d.ts";
import { maxPool2d } from "../../reference/ops/maxPool2d.ts";
import {
  assert,
  assertClose,
  assertEqual,
  assertThrows,
  defineKernel,
  defineOnce,
  NETWORK_TOLERANCE,
} from "../suite.ts";

const IMAGE: [number, number, number] = [9, 10, 1];
const [PAIRS, SIZE] = [3, 90];

async function valuesOf(trainer: Trainer): Promise<NdArrays> {
  const read = [...trainer.parameters()].map(async ([name, { shape, read }]) => [name, ndarray(shape, await read())]);
  return Object.fromEntries(await Promise.all(read));
}

// Filters of 8 use fused blocks, those of 5 the separate operations.
for (const filters of [
  [8, 8],
  [5, 7],
]) {
  defineKernel(
    `normalization: epsilon 1e-5, momentum 0.9 and a last ReLU, of ${filters} filters, agree with the references`,
    async (device) => {
      const normalization = { batchNormEpsilon: 1e-5, batchNormMomentum: 0.9 };
      const network = siamese({
        imageSize: IMAGE,
        filters,
        embedding: 6,
        embeddingActivation: "relu",
        ...normalization,
        seed: 4,
      });
      const trainer = await Trainer.create(device, network, { batchSize: PAIRS, optimizer: adam({ learningRate: 0 }) });
      const random = uniform(2);
      // Pictures with little contrast: their variance is far below 1e-3, so that the epsilon matters.
      const bytes = () => Uint8Array.from({ length: PAIRS * SIZE }, () => 120 + 12 * random());
      const batch = { left: bytes(), right: bytes(), leftLabels: [0, 1, 2], rightLabels: [0, 1, 3] };
      const scaled = (pictures: Uint8Array) =>
        map(ndarray([pictures.length / SIZE, ...IMAGE], pictures), (pixel) => pixel / 255);
      const before = await valuesOf(trainer);
      const options = { epsilon: 1e-5, activation: "relu" } as const;
      const pairs = { left: scaled(batch.left), right: scaled(batch.right), same: ndarray([PAIRS], [1, 1, 0]) };
      const expected = referenceSiamese(before, pairs, 0, options);
      const found = await trainer.gradients(batch);
      assertClose("loss", found.get("loss")!, [expected.loss]);
      for (const [name, { data }] of Object.entries(expected.gradients)) {
        // A bias before a batch-norm has no effect: both sides are rounding noise.
        const scale = /conv\/bias/.test(name) ? 1 : undefined;
        assertClose(name, found.get(name)!, data, { tolerance: NETWORK_TOLERANCE, scale });
      }

      await trainer.step(batch);
      const after = await valuesOf(trainer);
      const [kernel, bias] = ["kernel", "bias"].map((name) => before[`tower/block1/conv/${name}`]);
      const images = scaled(Uint8Array.of(...batch.left, ...batch.right));
      const convolved = conv2d({ x: images, filter: kernel, bias }, { stride: 1, padding: "same" });
      const pooled = maxPool2d({ x: convolved }, { size: 2, stride: 2, padding: "valid" });
      const [mean, variance] = ["mean", "variance"].map((name) => before[`tower/block1/norm/moving_${name}`]);
      const moved = movingAverages({ x: pooled, mean, variance }, { groups: 2, momentum: 0.9 });
      for (const name of ["mean", "variance"] as const) {
        assertClose(`moving ${name}`, after[`tower/block1/norm/moving_${name}`].data, moved[name].data);
      }

      const pictures = bytes();
      const embedder = await trainer.embedder();
      const inference = embed(after, scaled(pictures), options).data;
      assert(
        inference.some((value) => value > 0),
        "all embeddings are zeros",
      );
      assertClose("embeddings", await embedder(pictures), inference, { tolerance: NETWORK_TOLERANCE });

      // After one step of two branches the averages still contain 0.9^2 of the initial values, which opening removes.
      const model = await Model.open(device, await trainer.save());
      assertEqual("options", model.description.network, network.options);
      const finished: NdArrays = { ...after };
      for (const [name, values] of Object.entries(after)) {
        const initial = name.endsWith("moving_mean") ? 0 : name.endsWith("moving_variance") ? 1 : undefined;
        if (initial !== undefined) finished[name] = map(values, (value) => (value - 0.81 * initial) / 0.19);
      }
      const opened = embed(finished, scaled(pictures), options).data;
      assertClose("embeddings of the model", await model.embed(pictures), opened, { tolerance: NETWORK_TOLERANCE });
      await model.dispose();
      await trainer.dispose();
    },
  );
}

defineOnce("normalization: invalid values are refused", async () => {
  const network = (options: object) => siamese({ imageSize: [8, 8, 1], filters: [3], ...options });
  await assertThrows("epsilon", () => network({ batchNormEpsilon: 0 }), ["batchNormEpsilon is 0"]);
  await assertThrows("momentum", () => network({ batchNormMomentum: 1 }), ["batchNormMomentum is 1", "below 1"]);
  await assertThrows("activation", () => network({ embeddingActivation: "tanh" }), ['"tanh"', "sigmoid, linear, relu"]);
});
