// Several towers in one network: each learns as a network of its own would from its part of the batch, and a picture's
// embedding is all of theirs behind one another.
import { adam, type Device, Model, siamese, Trainer } from "../../src/index.ts";
import { uniform } from "../random.ts";
import { assert, assertClose, assertEqual, assertSameBits, assertThrows, defineKernel, defineOnce } from "./suite.ts";

const [EMBEDDING, ROWS, TOWERS] = [5, 6, 2];
const PICTURE = 8 * 8;
const loss = "supervised-contrastive";

const create = (device: Device, towers: number, more = {}) => {
  const network = siamese({ imageSize: [8, 8, 1], filters: [3], embedding: EMBEDDING, seed: 2, towers });
  const optimizer = adam({ learningRate: 0.01 });
  return Trainer.create(device, network, { batchSize: ROWS * towers, loss, optimizer, ...more });
};

function batch(seed: number) {
  const random = uniform(seed);
  const images = Uint8Array.from({ length: TOWERS * ROWS * PICTURE }, () => random() * 256);
  return { images, labels: [0, 0, 1, 1, 2, 2, 4, 4, 3, 3, 4, 4] };
}

defineKernel("towers: the gradients of each are those of a network of its own, over their number", async (device) => {
  const both = await create(device, TOWERS);
  const alone = await create(device, 1);
  const { images, labels } = batch(1);
  const found = await both.gradients({ images, labels });
  let total = 0;
  for (const index of [0, 1]) {
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
      // A bias in front of a batch-norm has no effect: both sides hold rounding noise.
      const scale = parameter.endsWith("conv/bias") ? 1 : undefined;
      assertClose(`${name}: ${parameter}`, found.get(parameter.replace("tower", name))!, expected, { scale });
    }
  }
  assertClose("loss", found.get("loss")!, [total]);
  await both.dispose();
  await alone.dispose();
});

defineOnce("towers: begin apart, are resumed to the same bits, and embed behind one another", async (device) => {
  const whole = await create(device, TOWERS);
  const first = await whole.parameters().get("tower/dense/kernel")!.read();
  const second = await whole.parameters().get("tower2/dense/kernel")!.read();
  assert(
    first.some((value, i) => value !== second[i]),
    "both towers begin with the same weights",
  );
  for (let step = 1; step <= 4; step++) await whole.step(batch(step));
  const half = await create(device, TOWERS);
  for (let step = 1; step <= 2; step++) await half.step(batch(step));
  const rest = await create(device, TOWERS);
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
});

defineOnce("towers: refuse a batch that has no equal parts, and losses on drawn pairs", async (device) => {
  await assertThrows("a part too many", () => create(device, 2, { batchSize: 7 }), ["batchSize is 7", "multiple of 2"]);
  await assertThrows("pairs", () => create(device, 2, { loss: "contrastive" }), ["2 towers", "contrastive"]);
});
