// Every kind of model through the weights of each framework and back: the same embeddings, and what is outside of them.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportWeights, type ImportOptions, importWeights } from "../../src/exchange/index.ts";
import { decode, encode, float32 } from "../../src/formats/safetensors.ts";
import { type Device, describeModel, LivenessModel, Model } from "../../src/index.ts";
import { openDevice } from "../../src/node/index.ts";
import { difference } from "../compare.ts";
import { kinds, type RandomModel, randomModel, randomPictures } from "./models.ts";

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.dispose());

async function outputsOf(bytes: Uint8Array, isLiveness: boolean): Promise<Float32Array | Float64Array> {
  const model = isLiveness ? await LivenessModel.open(device, bytes) : await Model.open(device, bytes);
  const pictures = randomPictures(3, model.imageSize);
  const outputs = model instanceof LivenessModel ? await model.logits(pictures) : await model.embed(pictures);
  await model.dispose();
  return outputs;
}

/** Kinds whose layers other frameworks have. */
const exchangeable = Object.entries(kinds).filter(
  ([, { network = {} }]) =>
    !network.differences && !network.patch && (network.towers ?? ["pixels"]).join() === "pixels",
);
const processed: RandomModel = {
  network: { embeddingActivation: "linear" },
  loss: "contrastive",
  pictures: { standardize: true, views: ["mirror"], sourceSize: [20, 26], crop: { mode: "box", margin: 0.1 } },
  whiten: true,
  centre: true,
};

describe("weights of each kind of model, exported and imported,", () => {
  it.each<[string, RandomModel]>([...exchangeable, ["all processing", processed]])(
    "embed the same: %s",
    async (_, kind) => {
      const bytes = await randomModel(kind);
      const isLiveness = kind.task === "liveness";
      const expected = await outputsOf(bytes, isLiveness);
      const imported = await Promise.all(
        (["pytorch", "keras"] as const).map(
          async (to) => (await importWeights((await exportWeights(bytes, { to })).bytes, { from: to })).model,
        ),
      );
      expect(difference(await outputsOf(imported[0], isLiveness), expected).relative).toBeLessThan(1e-5);
      const [a, b] = imported.map(decode);
      expect(b.tensors).toEqual(a.tensors);
      const { pictures, loss, task, margin } = await describeModel(bytes);
      for (const model of imported) expect(await describeModel(model)).toMatchObject({ pictures, loss, task, margin });
    },
  );

  it.each(Object.entries(kinds))("lose nothing as twingrad's own: %s", async (_, kind) => {
    const bytes = await randomModel(kind);
    const exported = await exportWeights(bytes, { to: "twingrad" });
    expect(exported.outside).toEqual([]);
    for (const file of [exported.bytes, (await importWeights(exported.bytes, { from: "twingrad" })).model]) {
      expect(decode(file).tensors).toEqual(decode(bytes).tensors);
      expect(await describeModel(file)).toEqual(await describeModel(bytes));
    }
  });
});

describe("exportWeights", () => {
  it("names the steps that the other framework's layers do not compute", async () => {
    const outside = async (kind: RandomModel) =>
      (await exportWeights(await randomModel(kind), { to: "pytorch" })).outside;
    expect(await outside({})).toEqual([]);
    expect(await outside(processed)).toEqual([
      "the crop (box)",
      "resizing 20 x 26 pictures to 12 x 15 (area)",
      "standardization of each channel, (x - mean) / sqrt(variance + 1e-5) with x from 0 to 1",
      "the mean over views (mirror)",
      "normalization of embeddings to unit length",
      "whitening",
      "centering",
    ]);
  });

  it.each(["pytorch", "twingrad"] as const)("stores the license: to %s", async (to) => {
    const bytes = await randomModel({ metadata: { license: "CC-BY-4.0" } });
    const licenseOf = async (license?: string) =>
      decode((await exportWeights(bytes, { to, license })).bytes).metadata.license;
    expect([await licenseOf(), await licenseOf("MIT")]).toEqual(["CC-BY-4.0", "MIT"]);
  });
});

/** A file of weights with other metadata. */
function changed(bytes: Uint8Array, metadata: Readonly<Record<string, string>>): Uint8Array {
  const file = decode(bytes);
  const tensors = [...file.tensors.keys()].map((name) => {
    return [name, { dtype: "F32" as const, shape: file.tensors.get(name)!.shape, data: float32(file, name) }] as const;
  });
  return encode(new Map(tensors), { ...file.metadata, ...metadata });
}

describe("importWeights", () => {
  it("refuses a margin for losses without one", async () => {
    const { bytes } = await exportWeights(await randomModel({}), { to: "pytorch" });
    const refusal = importWeights(bytes, { from: "pytorch", margin: 2 });
    await expect(refusal).rejects.toThrow(
      "margin (--margin) is of the losses contrastive and triplet, not cross-entropy",
    );
    for (const margin of [0, -1, Number.NaN]) {
      const refusal = importWeights(bytes, { from: "pytorch", loss: "contrastive", margin });
      await expect(refusal).rejects.toThrow(`margin (--margin) is ${margin}; expected a distance above 0`);
    }
  });

  it.each([
    ['{"batchNormEpsilon":"1e-3"}', /batchNormEpsilon is "1e-3"; expected a finite number/],
    ['{"batchNormMomentum":null}', /batchNormMomentum is null; expected a finite number/],
    ['{"differences":"0.5"}', /differences is "0.5"; expected a finite number/],
    ['{"towers":"pixels"}', /towers is "pixels"; expected a list/],
  ])("refuses the network %s in metadata", async (network, reason) => {
    const { bytes } = await exportWeights(await randomModel({}), { to: "pytorch" });
    const refusal = importWeights(changed(bytes, { network }), { from: "pytorch" });
    await expect(refusal).rejects.toThrow(reason);
  });

  it("refuses other values than a model of twingrad has itself", async () => {
    const bytes = await randomModel({ loss: "contrastive" });
    const imported = (options: Omit<ImportOptions, "from">) => importWeights(bytes, { from: "twingrad", ...options });
    const what = "the file is a model of twingrad, which has";
    await expect(imported({ margin: 2 })).rejects.toThrow(`import: "margin" is 2; ${what} 1.`);
    await expect(imported({ loss: "triplet" })).rejects.toThrow(`"loss" is "triplet"; ${what} "contrastive".`);
    const network = { embeddingActivation: "linear" } as const;
    await expect(imported({ network })).rejects.toThrow(`"embeddingActivation" is "linear"; ${what} "sigmoid".`);
    await expect(imported({ pictures: { standardize: true } })).rejects.toThrow(`"standardize" is true; ${what} none.`);
    const { imageSize } = (await describeModel(bytes)).network;
    await imported({ loss: "contrastive", margin: 1, network: { imageSize: imageSize.slice(0, 2) } });
  });

  it("refuses a path instead of bytes", async () => {
    const refusal = importWeights("weights.safetensors" as unknown as Uint8Array, { from: "pytorch" });
    await expect(refusal).rejects.toThrow("the file is a String; expected the bytes of its file, a Uint8Array");
  });

  it("refuses metadata of a model that could not be opened", async () => {
    const { bytes } = await exportWeights(await randomModel({}), { to: "pytorch" });
    const models = ['"text"', "{", '{"pictures":{"resize":"cubic"}}', '{"task":"other"}', '{"loss":"hinge"}'];
    const margins = ['{"margin":"wide"}', '{"loss":"contrastive","margin":0}', '{"loss":"triplet","margin":-5}'];
    for (const model of [...models, ...margins]) {
      const refusal = importWeights(changed(bytes, { model }), { from: "pytorch" });
      await expect(refusal, model).rejects.toMatchObject({ code: "CORRUPT_FILE" });
    }
  });

  it("takes options before the file's metadata", async () => {
    const contrastive = await randomModel({ loss: "contrastive", pictures: { views: ["mirror"] } });
    const { bytes } = await exportWeights(contrastive, { to: "pytorch" });
    const options = { from: "pytorch", loss: "triplet", pictures: { standardize: true } } as const;
    const description = await describeModel((await importWeights(bytes, options)).model);
    expect(description).toMatchObject({ loss: "triplet", pictures: { views: ["mirror"], standardize: true } });
  });
});
