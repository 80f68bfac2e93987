// Views of pictures, through the Trainer: an embedding is the mean of its views' embeddings, made here one by one.
import { type Device, siamese, Trainer, type TrainerOptions } from "../../../src/index.ts";
import { type ViewKind, viewTransforms } from "../../../src/model/views.ts";
import { uniform } from "../../random.ts";
import { map, ndarray } from "../../reference/ndarray.ts";
import { resample } from "../../reference/ops/images/resample.ts";
import { assert, assertClose, assertEqual, assertThrows, defineKernel, defineOnce } from "../suite.ts";

const EMBEDDING = 7;
const size: [number, number] = [12, 10];
const source: [number, number] = [19, 17];
const count = 3;
const images = Uint8Array.from(
  { length: count * source[0] * source[1] },
  (
    (random) => () =>
      random() * 256
  )(uniform(4)),
);

const create = (device: Device, options: Partial<TrainerOptions>) =>
  Trainer.create(device, siamese({ imageSize: [...size, 1], filters: [3], embedding: EMBEDDING, seed: 3 }), {
    batchSize: 2,
    ...options,
  });

defineKernel("views: an embedding is the mean of those of each view", async (device) => {
  const x = map(ndarray([count, ...source, 1], images), (v) => v / 255);
  const cases: [ViewKind[], TrainerOptions["loss"], number][] = [
    [["mirror"], "cross-entropy", 2],
    [["mirror", "move"], "contrastive", 14],
    [["zoom"], "contrastive", 3],
  ];
  for (const [views, loss, number] of cases) {
    const trainer = await create(device, { sourceSize: source, views, loss });
    const found = await (await trainer.embedder())(images);
    await trainer.dispose();

    const plain = await create(device, { loss });
    const embed = await plain.embedder();
    const sum = new Float64Array(count * EMBEDDING);
    const transforms = viewTransforms(views, source, size, "area");
    assertEqual("number of views", transforms.length, number);
    for (const transform of transforms) {
      const rows = ndarray([count, 6], Array.from({ length: count }, () => transform).flat());
      const seen = resample(x, rows, size, "area");
      (await embed(Float32Array.from(seen.data))).forEach((value, i) => {
        sum[i] += value / transforms.length;
      });
    }
    await plain.dispose();
    const expected = sum.map((value, i) => {
      const row = sum.subarray(i - (i % EMBEDDING), i - (i % EMBEDDING) + EMBEDDING);
      return loss === "cross-entropy" ? value : value / Math.hypot(...row);
    });
    assertClose(`embeddings with ${loss}`, found, expected);
  }
});

defineOnce("views: a mirrored picture has the embedding of the picture", async (device) => {
  const trainer = await create(device, { views: ["mirror"] });
  const picture = images.slice(0, size[0] * size[1]);
  const mirrored = picture.map((_, i) => picture[i - (i % size[1]) + (size[1] - 1 - (i % size[1]))]);
  const embed = await trainer.embedder();
  assertClose("mirrored", await embed(mirrored), await embed(picture));
  const plain = await create(device, {});
  const embedPlain = await plain.embedder();
  const [a, b] = [await embedPlain(mirrored), await embedPlain(picture)];
  assert(
    a.some((value, i) => Math.abs(value - b[i]) > 1e-3),
    "without views the two have one embedding",
  );
  await assertThrows("unknown views", () => create(device, { views: ["turn"] as never }), ["views", '"turn"']);
  await trainer.dispose();
  await plain.dispose();
});
