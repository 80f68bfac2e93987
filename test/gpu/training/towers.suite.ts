// Several towers in one network: each trains as a separate network on its part of the batch, and a picture's embedding
// concatenates theirs.
import { adam, type Device, Model, siamese, type TowerKind, Trainer } from "../../../src/index.ts";
import { uniform } from "../../random.ts";
import { type NdArray, type NdArrays, ndarray, scalar } from "../../reference/ndarray.ts";
import { batchNorm, batchNormGradients } from "../../reference/ops/batchNorm.ts";
import { dense, denseGradients } from "../../reference/ops/dense.ts";
import { flatten } from "../../reference/ops/flatten.ts";
import { edgeHistograms } from "../../reference/ops/images/edgeHistograms.ts";
import { orientedGradients } from "../../reference/ops/images/orientedGradients.ts";
import { l2Normalize, l2NormalizeGradients } from "../../reference/ops/l2Normalize.ts";
import { supervisedContrastiveLoss } from "../../reference/ops/losses/batchLoss.ts";
import {
  assert,
  assertClose,
  assertEqual,
  assertSameBits,
  assertThrows,
  defineKernel,
  defineOnce,
  NETWORK_TOLERANCE,
} from "../suite.ts";

const [EMBEDDING, ROWS, TOWERS] = [5, 6, 2];
const SIDE = 8;
const PICTURE = SIDE * SIDE;
const ACTIVATION = { activation: "sigmoid" } as const;
const pixels: TowerKind[] = ["pixels", "pixels"];
const loss = "supervised-contrastive";

const create = (device: Device, kinds: TowerKind[], more = {}) => {
  const network = siamese({
    imageSize: [SIDE, SIDE, 1],
    filters: [3, 2],
    embedding: EMBEDDING,
    seed: 2,
    towers: kinds,
  });
  const optimizer = adam({ learningRate: 0.01 });
  return Trainer.create(device, network, { batchSize: ROWS * kinds.length, loss, optimizer, ...more });
};

function batch(seed: number) {
  const random = uniform(seed);
  const images = Uint8Array.from({ length: TOWERS * ROWS * PICTURE }, () => random() * 256);
  return { images, labels: [0, 0, 1, 1, 2, 2, 4, 4, 3, 3, 4, 4] };
}

for (const kinds of [pixels, ["edges", "histograms"]] as TowerKind[][]) {
  const what = kinds.join(" and ");
  defineKernel(
    `towers: ${what}: the gradients are those of networks of their own, over their number`,
    async (device) => {
      const both = await create(device, kinds);
      const { images, labels } = batch(1);
      const found = await both.gradients({ images, labels });
      let total = 0;
      for (const [index, kind] of kinds.entries()) {
        const alone = await create(device, [kind]);
        const name = index === 0 ? "tower" : "tower2";
        for (const [parameter, { write }] of alone.parameters()) {
          await write(await both.parameters().get(parameter.replace("tower", name))!.read());
        }
        const part = { images: images.slice(index * ROWS * PICTURE, (index + 1) * ROWS * PICTURE), labels: labels.slice(index * ROWS, (index + 1) * ROWS) }; // biome-ignore format: one part
        const own = await alone.gradients(part);
        total += own.get("loss")![0] / TOWERS;
        for (const parameter of alone.parameters().keys()) {
          if (/moving|head/.test(parameter)) continue;
          const expected = own.get(parameter)!.map((value) => value / TOWERS);
          // A bias before a batch-norm has no effect: both sides are rounding noise.
          const scale = parameter.endsWith("conv/bias") ? 1 : undefined;
          assertClose(`${name}: ${parameter}`, found.get(parameter.replace("tower", name))!, expected, { scale });
        }
        await alone.dispose();
      }
      assertClose("loss", found.get("loss")!, [total]);
      await both.dispose();
    },
  );
}

defineOnce("towers: one of histograms agrees with the float64 references, in training and in use", async (device) => {
  const trainer = await create(device, ["histograms"]);
  const images = batch(3).images.subarray(0, ROWS * PICTURE);
  const labels = [0, 0, 1, 1, 2, 2];
  const found = await trainer.gradients({ images, labels });
  const values = async () => {
    const read = [...trainer.parameters()].map(async ([name, { shape, read }]) => [name, ndarray(shape, await read())]);
    return Object.fromEntries(await Promise.all(read)) as NdArrays;
  };
  const x = ndarray(
    [ROWS, SIDE, SIDE, 1],
    Float64Array.from(images, (value) => value / 255),
  );
  const histograms = flatten({ x: edgeHistograms({ edges: orientedGradients({ x }) }) });
  const normed = (p: NdArrays) => ({ x: histograms, gamma: p["tower/norm/gamma"], beta: p["tower/norm/beta"] });
  const embedded = (p: NdArrays, x: NdArray) => ({ x, kernel: p["tower/dense/kernel"], bias: p["tower/dense/bias"] });

  const p = await values();
  const input = embedded(p, batchNorm(normed(p), { epsilon: 1e-3 }));
  const embeddings = { x: dense(input, ACTIVATION) };
  const compared = { embeddings: l2Normalize(embeddings, {}), labels: ndarray([ROWS], labels) };
  assertClose("loss", found.get("loss")!, supervisedContrastiveLoss.value(compared, { temperature: 0.1 }).data);
  const g = supervisedContrastiveLoss.gradients(compared, { temperature: 0.1 }, scalar(1)).embeddings;
  const { x: gradient, kernel, bias } = denseGradients(input, ACTIVATION, l2NormalizeGradients(embeddings, {}, g).x);
  const { gamma, beta } = batchNormGradients(normed(p), { epsilon: 1e-3 }, gradient);
  for (const [name, { data }] of Object.entries({
    "norm/gamma": gamma,
    "norm/beta": beta,
    "dense/kernel": kernel,
    "dense/bias": bias,
  })) {
    assertClose(name, found.get(`tower/${name}`)!, data, { tolerance: NETWORK_TOLERANCE });
  }

  for (let step = 1; step <= 3; step++) await trainer.step({ images, labels });
  const embed = await trainer.embedder();
  const q = await values();
  const moving = { mean: q["tower/norm/moving_mean"], variance: q["tower/norm/moving_variance"] };
  const standing = batchNorm({ ...normed(q), ...moving }, { epsilon: 1e-3, training: false });
  const expected = l2Normalize({ x: dense(embedded(q, standing), ACTIVATION) }, {});
  assertClose("embeddings", await embed(images), expected.data, { tolerance: NETWORK_TOLERANCE });
  await trainer.dispose();
});

defineOnce("towers: refuse pictures without a window, and unknown kinds", async () => {
  const network = (imageSize: [number, number, number], towers: unknown) =>
    siamese({ imageSize, filters: [3], towers: towers as TowerKind[] });
  await assertThrows("small pictures", () => network([6, 9, 1], ["histograms"]), ["6 x 9", "8 x 8"]);
  await assertThrows("a kind", () => network([8, 8, 1], ["lines"]), ['["lines"]', "pixels, edges, histograms"]);
  await assertThrows("a number", () => network([8, 8, 1], 2), ["towers is 2"]);
  await assertThrows("none", () => network([8, 8, 1], []), ["towers is []"]);
});

defineOnce(
  "towers: have different initial weights, resume to the same bits, and concatenate embeddings",
  async (device) => {
    const whole = await create(device, pixels);
    const first = await whole.parameters().get("tower/dense/kernel")!.read();
    const second = await whole.parameters().get("tower2/dense/kernel")!.read();
    assert(
      first.some((value, i) => value !== second[i]),
      "both towers have the same initial weights",
    );
    for (let step = 1; step <= 4; step++) await whole.step(batch(step));
    const half = await create(device, pixels);
    for (let step = 1; step <= 2; step++) await half.step(batch(step));
    const rest = await create(device, pixels);
    await rest.load(await half.save());
    for (let step = 3; step <= 4; step++) await rest.step(batch(step));
    for (const [name, { read }] of whole.parameters()) {
      assertSameBits(name, await rest.parameters().get(name)!.read(), await read());
    }

    const images = batch(9).images.subarray(0, 3 * PICTURE);
    const model = await Model.open(device, await whole.save());
    assertEqual("length of an embedding", model.embedding, TOWERS * EMBEDDING);
    const found = await model.embed(images);
    assertEqual("embeddings", found.length, 3 * TOWERS * EMBEDDING);
    for (let at = 0; at < found.length; at += EMBEDDING) {
      assertClose("half the square of an embedding", [found.subarray(at, at + EMBEDDING).reduce((s, v) => s + v * v, 0)], [0.5]); // biome-ignore format: one line
    }
    await model.dispose();
    for (const trainer of [whole, half, rest]) await trainer.dispose();
  },
);

defineOnce("towers: refuse a batch without equal parts, and losses on sampled pairs", async (device) => {
  await assertThrows("a part too many", () => create(device, pixels, { batchSize: 7 }), [
    "batchSize is 7",
    "multiple of 2",
  ]);
  await assertThrows("pairs", () => create(device, pixels, { loss: "contrastive" }), ["2 towers", "contrastive"]);
});
