// Alignment through the Trainer: towers of the given kinds see aligned pictures, the others unaligned ones.
import {
  aligned,
  type Device,
  fitAlignment,
  type ImageSize,
  siamese,
  Trainer,
  type TrainerOptions,
} from "../../../src/index.ts";
import type { TowerKind } from "../../../src/nn/networkOptions.ts";
import { uniform } from "../../random.ts";
import { assert, assertClose, assertThrows, defineKernel, defineOnce } from "../suite.ts";

const EMBEDDING = 5;
const size: ImageSize = [24, 20, 1];
const count = 3;
const length = size[0] * size[1];
const towers: TowerKind[] = ["pixels", "histograms"];

/** Two bright blocks on noise, at a different position in each picture. */
const images = ((random) =>
  Uint8Array.from({ length: count * length }, (_, i) => {
    const [n, y, x] = [Math.floor(i / length), Math.floor((i % length) / size[1]), i % size[1]];
    const block = y >= 6 + 2 * n && y < 14 + 2 * n && ((x >= 4 && x < 8) || (x >= 11 && x < 16));
    return 40 * random() + (block ? 180 : 0);
  }))(uniform(9));

const create = (device: Device, options: Partial<TrainerOptions>) =>
  Trainer.create(device, siamese({ imageSize: size, filters: [3], embedding: EMBEDDING, seed: 3, towers }), {
    batchSize: 8,
    loss: "supervised-contrastive",
    ...options,
  });

defineKernel("alignment: towers of the given kinds see aligned pictures", async (device) => {
  const alignment = fitAlignment(images.subarray(0, length), size);
  const inPlace = aligned(alignment, images, size);
  assert(
    inPlace.some((value, i) => value !== images[i]),
    "no picture was moved",
  );
  const embedded = async (options: Partial<TrainerOptions>, pictures: Uint8Array) => {
    const trainer = await create(device, options);
    const found = await (await trainer.embedder({ batchSize: 2 }))(pictures); // the last chunk is padded
    await trainer.dispose();
    return found;
  };
  const [asTheyAre, moved] = [await embedded({}, images), await embedded({}, inPlace)];
  const isHistograms = (i: number) => i % (2 * EMBEDDING) >= EMBEDDING;
  const some = await embedded({ alignment: { ...alignment, towers: ["histograms"] } }, images);
  assertClose(
    "one tower's",
    some,
    asTheyAre.map((value, i) => (isHistograms(i) ? moved[i] : value)),
  );
  const all = await embedded({ alignment: { ...alignment, towers }, views: undefined }, images);
  assertClose("both towers'", all, moved);
});

defineOnce("alignment: combines with views; an invalid one is refused", async (device) => {
  const alignment = { ...fitAlignment(images.subarray(0, length), size), towers };
  const trainer = await create(device, { alignment, views: ["mirror"] });
  const plain = await create(device, { views: ["mirror"] });
  const [found, expected] = [await trainer.embedder(), await plain.embedder()];
  assertClose("with views", await found(images), await expected(aligned(alignment, images, size)));
  await trainer.dispose();
  await plain.dispose();
  const none = { ...alignment, towers: ["eyes"] as never };
  await assertThrows("unknown towers", () => create(device, { alignment: none }), ["alignment", "histograms"]);
});
