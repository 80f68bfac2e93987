// What a training that begins from a model takes from it.
import { expect, it } from "vitest";
import { type InitialModel, notKept, settingsOfModel } from "../../../src/cli/options/initialModel.ts";
import { parseSettings, resolveSettings, resumeSettings, SettingsError } from "../../../src/cli/options/settings.ts";
import type { PartialSettings } from "../../../src/cli/options/settingsSchema.ts";
import { liveness, type ModelDescription, siamese } from "../../../src/index.ts";

const fingerprint = "0f".repeat(32);

function modelWith(more: Partial<ModelDescription> = {}): InitialModel {
  const { options: network } = siamese({
    imageSize: [20, 16, 1],
    filters: [8, 4],
    embedding: 12,
    batchNormEpsilon: 1e-5,
  });
  const description: ModelDescription = { task: "recognition", network, loss: "contrastive", margin: 0.7, ...more };
  const added = { whitening: false, centering: false };
  return { bytes: new Uint8Array(), description, fingerprint, added };
}

const settings = (model: InitialModel, said: PartialSettings = {}) =>
  resolveSettings(settingsOfModel(model, said), { ...said, init: fingerprint });

it("network, loss and pictures are the model's, unless something else is said of the last two", () => {
  const pictures = {
    resize: "tf1",
    standardize: true,
    crop: { mode: "box", margin: 0.2 },
    views: ["mirror"],
  } as const;
  const model = modelWith({ pictures });
  expect(settings(model)).toMatchObject({
    imageSize: [20, 16],
    channels: 1,
    filters: [8, 4],
    embedding: 12,
    batchNormEpsilon: 1e-5,
    loss: "contrastive",
    margin: 0.7,
    resize: "tf1",
    standardize: true,
    crop: "box",
    cropMargin: 0.2,
    views: ["mirror"],
    init: fingerprint,
  });
  const other = settings(model, { loss: "triplet", standardize: false, imageSize: [20, 16], freeze: 1 });
  expect(other).toMatchObject({
    loss: "triplet",
    mining: "batch-hard",
    standardize: false,
    freeze: 1,
    filters: [8, 4],
  });
  expect(other.margin).toBeUndefined();
  expect(settings(modelWith({ loss: "cross-entropy", margin: 1 })).margin).toBeUndefined();
  expect(settings(modelWith({ loss: "supervised-contrastive", temperature: 0.2 }))).toMatchObject({ temperature: 0.2 });
});

it("what is said of another network is refused, all of it", () => {
  const said = { imageSize: 20, filters: [8, 8], embedding: 12, batchNormEpsilon: 1e-3, differences: 0.5 };
  const refused = () => settings(modelWith(), said);
  expect(refused).toThrow(SettingsError);
  expect(refused).toThrow(
    "--init: the model's network has imageSize 20x16, not 20x20; filters 8,4, not 8,8; batchNormEpsilon 0.00001, not 0.001; differences 0, not 0.5",
  );
});

it("a model of the other task gives its network, not its loss", () => {
  expect(settings(modelWith(), { task: "liveness" })).toMatchObject({
    task: "liveness",
    loss: "cross-entropy",
    embedding: 12,
  });
  const { options: network } = liveness({ imageSize: [20, 20, 3], filters: [8, 4], patch: 8 });
  const patches = modelWith({ task: "liveness", network, loss: "cross-entropy" });
  expect(settings(patches)).toMatchObject({ task: "liveness", patch: 8, embedding: 4 });
  expect(() => settings(patches, { task: "recognition" })).toThrow(/--patch needs --task liveness/);
  expect(() => settings(patches, { embedding: 5 })).toThrow("embedding 4, not 5");
});

it("--freeze takes blocks or layers, and needs --init", () => {
  expect(parseSettings({ freeze: 2 }, "--").freeze).toBe(2);
  expect(parseSettings({ freeze: ["tower/dense"] }, "--").freeze).toEqual(["tower/dense"]);
  expect(() => parseSettings({ freeze: -1 }, "--")).toThrow("--freeze");
  expect(() => resolveSettings({}, { freeze: 1 })).toThrow("--freeze requires --init");
});

it("a resumed run keeps to the model that it began from", () => {
  const saved = settings(modelWith(), { freeze: 1 });
  expect(resumeSettings(saved, { init: fingerprint })).toMatchObject({ init: fingerprint, freeze: 1 });
  expect(() => resumeSettings(saved, { init: "another" })).toThrow(/init is "0f0f/);
  expect(() => resumeSettings(saved, { freeze: 2 })).toThrow(/freeze is 1/);
});

it("names what the model adds to its embeddings, unless the new one gets it", () => {
  const model = { ...modelWith(), added: { whitening: true, centering: true } };
  expect(notKept(model, {})).toEqual([
    ["--whiten", "whitening"],
    ["--centre", "centering"],
  ]);
  expect(notKept(model, { whiten: 0.5, centre: 0.9 })).toEqual([]);
  expect(notKept(modelWith(), {})).toEqual([]);
});
