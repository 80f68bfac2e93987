// A saved model must give the same embeddings and scores as the trainer.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Random, streams } from "../../src/data/random.ts";
import { decode, float32 } from "../../src/formats/safetensors.ts";
import { encodeSealed, withMetadata } from "../../src/formats/seal.ts";
import type { Device } from "../../src/gpu/device.ts";
import type { LossName } from "../../src/model/description.ts";
import { weightsOf } from "../../src/nn/network.ts";
import { siamese } from "../../src/nn/siamese.ts";
import { openDevice } from "../../src/node/adapter/device.ts";
import { Model, withOperatingPoint } from "../../src/recognition/recognitionModel.ts";
import { Trainer } from "../../src/train/trainer.ts";

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.dispose());

const network = siamese({ imageSize: [8, 8, 1], filters: [4, 4], embedding: 6, seed: 3 });
const random = new Random(1, streams.trials);
const pictures = (count: number) => Uint8Array.from({ length: count * 64 }, () => random.integer(256));
const labels = [0, 1, 2, 3];
const batch = { left: pictures(4), right: pictures(4), leftLabels: labels, rightLabels: [0, 1, 0, 1] };

const make = (loss: LossName) => Trainer.create(device, network, { batchSize: 4, loss });

/** Largest difference over the largest value. */
function difference(actual: ArrayLike<number>, expected: ArrayLike<number>): number {
  expect(actual.length).toBe(expected.length);
  const all = Array.from(expected);
  return Math.max(...all.map((value, i) => Math.abs(actual[i] - value))) / Math.max(...all.map(Math.abs));
}

describe("Model", () => {
  it.each<LossName>(["cross-entropy", "contrastive"])("embeds and scores as the trainer (%s)", async (loss) => {
    const trainer = await make(loss);
    const model = await Model.open(device, await trainer.save(), { batchSize: 3 });
    const images = pictures(7);
    const expected = await (await trainer.embedder())(images);
    const embeddings = await model.embed(images);
    expect(difference(embeddings, expected)).toBeLessThan(1e-6);

    const [a, b] = [embeddings.slice(0, 18), embeddings.slice(18, 36)];
    const score = await trainer.scorer();
    const scores = Float64Array.from([0, 1, 2], (row) =>
      score(a.slice(row * 6, row * 6 + 6), b.slice(row * 6, row * 6 + 6)),
    );
    expect(difference(model.scores(a, b), scores)).toBeLessThan(1e-6);
    const distances = loss === "cross-entropy" ? scores.map((z) => Math.log(1 + Math.exp(-z))) : scores.map((s) => -s);
    expect(difference(model.distances(a, b), distances)).toBeLessThan(1e-6);

    const index = model.index();
    await index.add(embeddings);
    const probe = embeddings.slice(0, 6);
    const repeated = Float32Array.from(embeddings, (_, i) => probe[i % 6]);
    const all = model.distances(repeated, embeddings);
    expect(difference(await index.distances(probe), all)).toBeLessThan(1e-5);
    const order = Array.from(all.keys()).sort((i, j) => all[i] - all[j] || i - j);
    expect((await index.search(probe, 20)).map(({ row }) => row)).toEqual(order);
    await index.dispose();
    await model.dispose();
    await trainer.dispose();
  });

  it("opens what was trained with linear embeddings and mining", async () => {
    const linear = siamese({ ...network.options, embeddingActivation: "linear" });
    const trainer = await Trainer.create(device, linear, {
      batchSize: 6,
      loss: "triplet",
      mining: "semi-hard",
      margin: "soft",
    });
    const images = pictures(6);
    for (let step = 0; step < 3; step++) await trainer.step({ images, labels: [7, 7, 2 ** 31, 2 ** 31, -1, -1] });
    const bytes = await trainer.save();
    const model = await Model.open(device, bytes);
    expect(model.description).toMatchObject({ loss: "triplet", mining: "semi-hard", margin: "soft" });
    expect(model.description.network.embeddingActivation).toBe("linear");
    const embeddings = await model.embed(images);
    expect(embeddings.some((value) => value < 0)).toBe(true);
    for (let i = 0; i < 6; i++) expect(Math.hypot(...embeddings.subarray(i * 6, i * 6 + 6))).toBeCloseTo(1, 5);
    await model.dispose();
    await trainer.dispose();
  });

  const classes = { images: pictures(4), labels: [0, 0, 1, 1] };
  it.each([
    ["pairs", { loss: "cross-entropy" }, batch, 10], // updates in five steps: one for each branch
    ["whole batches", { loss: "supervised-contrastive" }, classes, 5],
  ] as const)("corrects the moving averages for their initial values, after %s", async (_, loss, batch, updates) => {
    const trainer = await Trainer.create(device, network, { batchSize: 4, ...loss });
    for (let step = 0; step < 5; step++) await trainer.step(batch);
    const bytes = await trainer.save();
    const model = await Model.open(device, bytes);
    const images = pictures(4);

    const rest = 0.99 ** updates; // of mean 0 and variance 1
    for (const [name, parameter] of trainer.parameters()) {
      const initial = name.endsWith("moving_mean") ? 0 : name.endsWith("moving_variance") ? 1 : undefined;
      if (initial === undefined) continue;
      parameter.write((await parameter.read()).map((value) => (value - rest * initial) / (1 - rest)));
    }
    const expected = await (await trainer.embedder())(images);
    expect(difference(await model.embed(images), expected)).toBeLessThan(1e-6);
    await model.dispose();
    await trainer.dispose();
  });

  it("stores its operating point in the file; another one leaves the fingerprint unchanged", async () => {
    const trainer = await make("contrastive");
    const bytes = await trainer.save();
    await trainer.dispose();
    const plain = await Model.open(device, bytes);
    expect(plain.threshold).toBe(0.5); // half the margin
    expect(() => plain.probability(0.1)).toThrow(/before calibration/);
    const calibrated = await Model.open(
      device,
      await withOperatingPoint(bytes, { threshold: 0.3, calibration: { slope: 2, intercept: 1 } }),
    );
    expect(calibrated.threshold).toBe(0.3);
    expect(calibrated.probability(0.5)).toBe(0.5);
    expect(calibrated.fingerprint).toBe(plain.fingerprint);
    const rate = {
      wanted: 0.01,
      falseAccept: 0.005,
      falseAcceptInterval: [0, 0.02],
      trueAccept: 0.9,
      trueAcceptInterval: [0.8, 0.95],
      level: 0.95,
      pairs: { same: 10, different: 200 },
      identities: 5,
    } as const;
    const rated = await withOperatingPoint(bytes, { threshold: 0.3, rate });
    expect((await Model.open(device, rated)).operatingPoint.rate).toEqual(rate);
    const broken = await withMetadata(bytes, { recognition: '{"threshold":1,"rate":{"wanted":0.1}}' });
    await expect(Model.open(device, broken)).rejects.toThrow(/Invalid metadata "recognition"/);

    const file = decode(bytes);
    const kernel = float32(file, "tower/dense/kernel");
    kernel[0] += 1;
    const tensors = new Map(
      [...file.tensors].map(([name, { shape }]) => [
        name,
        { dtype: "F32" as const, shape, data: name === "tower/dense/kernel" ? kernel : float32(file, name) },
      ]),
    );
    const changed = await Model.open(device, await encodeSealed(tensors, file.metadata));
    expect(changed.fingerprint).not.toBe(plain.fingerprint);
  });

  it("with cross-entropy calibrates the logit; without calibration the probability is the network's", async () => {
    const trainer = await make("cross-entropy");
    const bytes = await trainer.save();
    await trainer.dispose();
    const plain = await Model.open(device, bytes);
    const calibrated = await Model.open(
      device,
      await withOperatingPoint(bytes, { threshold: 1, calibration: { slope: 2, intercept: 0.5 } }),
    );
    for (const logit of [-30, -1, 0, 2, 20]) {
      const distance = Math.log1p(Math.exp(-logit)); // -ln sigmoid(logit)
      expect(plain.probability(distance)).toBeCloseTo(1 / (1 + Math.exp(-logit)), 12);
      expect(plain.calibrationScore(distance)).toBeCloseTo(-logit, 5);
      expect(calibrated.probability(distance)).toBeCloseTo(1 / (1 + Math.exp(-2 * logit - 0.5)), 6);
    }
    expect(calibrated.probability(0)).toBe(1);
    await plain.dispose();
    await calibrated.dispose();
  });

  it("is not saved when a weight is NaN", async () => {
    const trainer = await make("cross-entropy");
    trainer.parameters().get("head/bias")!.write([Number.NaN]);
    await expect(trainer.save()).rejects.toThrow(/"head\/bias" has values that are not finite after step 0/);
    await trainer.dispose();
  });

  it("counts the weights of a description before allocating any", async () => {
    const trainer = await make("cross-entropy");
    const tower = [...trainer.parameters()].filter(([name]) => name.startsWith("tower/"));
    const held = tower.reduce((sum, [, { shape }]) => sum + shape.reduce((a, b) => a * b), 0);
    expect(weightsOf(network.options)).toBe(held);
    await trainer.dispose();
  });

  it("rejects a file with a missing tensor or an invalid operating point, naming it", async () => {
    const trainer = await make("cross-entropy");
    const bytes = await trainer.save();
    await trainer.dispose();
    const file = decode(bytes);
    const without = (missing: string) =>
      encodeSealed(
        new Map(
          [...file.tensors]
            .filter(([name]) => name !== missing)
            .map(([name, { shape }]) => [name, { dtype: "F32" as const, shape, data: float32(file, name) }]),
        ),
        file.metadata,
      );
    await expect(Model.open(device, await without("tower/dense/bias"))).rejects.toThrow(
      /"tower\/dense\/bias" is missing/,
    );
    await expect(Model.open(device, await without("head/bias"))).rejects.toThrow(/"head\/bias" is missing/);
    const calibrated = await withMetadata(bytes, { recognition: '{"threshold":"x"}' });
    await expect(Model.open(device, calibrated)).rejects.toThrow(/Invalid metadata "recognition"/);
    const foreign = await withMetadata(bytes, { twingrad: "{}" });
    await expect(Model.open(device, foreign)).rejects.toThrow(/not saved by twingrad/);
  });
});
