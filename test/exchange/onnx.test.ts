// Our models as ONNX, in onnxruntime: the same embeddings, the same decisions, and shapes that its own inference agrees with.
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import * as ort from "onnxruntime-web";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportOnnx, exportOnnxVerifier, exportWeights, type OnnxEmbedderOptions } from "../../src/exchange/index.ts";
import { ModelProtoSchema } from "../../src/exchange/onnx/schema/onnx_pb.ts";
import {
  aligned,
  type Device,
  fitAlignment,
  LivenessModel,
  Model,
  type PictureOptions,
  withOperatingPoint,
} from "../../src/index.ts";
import { openDevice } from "../../src/node/index.ts";
import { difference } from "../compare.ts";
import { kinds, lowContrastPictures, randomModel, randomPictures } from "./models.ts";

ort.env.wasm.numThreads = 1;
let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.dispose());

/** Opens it so that shapes which do not agree with onnxruntime's own inference at every node are an error. */
const open = (bytes: Uint8Array) =>
  ort.InferenceSession.create(bytes, {
    executionProviders: ["wasm"],
    logSeverityLevel: 3,
    extra: { session: { strict_shape_type_inference: "1" } },
  });

async function outputsOf(bytes: Uint8Array, inputs: Record<string, ort.Tensor>): Promise<Record<string, Float32Array>> {
  const session = await open(bytes);
  const results = await session.run(inputs);
  await session.release();
  return Object.fromEntries(Object.entries(results).map(([name, { data }]) => [name, data as Float32Array]));
}

describe("exportOnnx", () => {
  it.each(Object.entries(kinds))("embeds each picture as the model does: %s", async (_, kind) => {
    const bytes = await randomModel(kind);
    const isLiveness = kind.task === "liveness";
    const model = isLiveness ? await LivenessModel.open(device, bytes) : await Model.open(device, bytes);
    const onnx = await exportOnnx(bytes);
    expect(onnx.inputs).toEqual([{ name: "images", shape: ["batch", ...model.imageSize], dtype: "float32" }]);
    for (const pictures of [randomPictures(5, model.imageSize), lowContrastPictures(5, model.imageSize)]) {
      const images = new ort.Tensor("float32", pictures, [5, ...model.imageSize]);
      const found = await outputsOf(onnx.bytes, { images });
      if (model instanceof LivenessModel) {
        expect(difference(found.logit, await model.logits(pictures)).relative).toBeLessThan(1e-5);
        continue;
      }
      const [expected, length] = [await model.embed(pictures), model.embedding];
      expect(onnx.outputs).toEqual([{ name: "embedding", shape: ["batch", length], dtype: "float32" }]);
      for (let at = 0; at < expected.length; at += length) {
        const [row, reference] = [found.embedding, expected].map((values) => values.subarray(at, at + length));
        expect(difference(row, reference).relative).toBeLessThan(1e-5);
      }
    }
    await model.dispose();
  });

  it.each<[string, OnnxEmbedderOptions]>([
    ["NCHW", { layout: "NCHW" }],
    ["bytes", { bytes: true }],
    ["bytes, NCHW, opset 21", { bytes: true, layout: "NCHW", opset: 21 }],
  ])("takes pictures as %s", async (_, options) => {
    const bytes = await randomModel({ pictures: { sourceSize: [31, 24], standardize: true } });
    const model = await Model.open(device, bytes);
    const size = 31 * 24 * 3;
    const given = Uint8Array.from(randomPictures(3, model.imageSize), (value) => 255 * value);
    const turned = given.map((_, at) => {
      const [picture, channel, pixel] = [Math.floor(at / size), Math.floor((at % size) / (31 * 24)), at % (31 * 24)];
      return given[picture * size + pixel * 3 + channel];
    });
    const pictures = options.layout === "NCHW" ? turned : given;
    const shape = options.layout === "NCHW" ? [3, 3, 31, 24] : [3, 31, 24, 3];
    const images = options.bytes
      ? new ort.Tensor("uint8", pictures, shape)
      : new ort.Tensor("float32", Float32Array.from(pictures, (value) => value / 255), shape); // biome-ignore format: one choice
    const onnx = await exportOnnx(bytes, options);
    const { embedding } = await outputsOf(onnx.bytes, { images });
    expect(difference(embedding, await model.embed(given)).relative).toBeLessThan(1e-5);
    expect(onnx.inputs[0]).toMatchObject({ dtype: options.bytes ? "uint8" : "float32", shape: ["batch", ...shape.slice(1)] }); // biome-ignore format: one line
    await model.dispose();
  });

  it("leaves resizing to the caller, and refuses sizes that the model's pictures are not decoded to", async () => {
    const large = await randomModel({ pictures: { sourceSize: [31, 24] } });
    expect((await exportOnnx(large, { sourceSize: [12, 15] })).inputs[0].shape).toEqual(["batch", 12, 15, 3]);
    await expect(exportOnnx(large, { sourceSize: [62, 48] })).rejects.toThrow(/decoded to 31x24/);
    const small = await randomModel({});
    await expect(exportOnnx(small, { sourceSize: [31, 24] })).rejects.toThrow(
      /--source-size\) is 31x24.*resize pictures to 12x15 first.*or train with --source-size 31x24/,
    );
    const views = await randomModel({ pictures: { views: ["move"], sourceSize: [31, 24] } });
    await expect(exportOnnx(views, { sourceSize: [12, 15] })).rejects.toThrow(/decoded to 31x24/);
  });

  it("takes pictures that are aligned already, beside those as they are where a tower sees them", async () => {
    const size = [24, 24, 1] as const;
    /** A bright disc a few pixels off the middle. */
    const disc = (dy: number, dx: number) =>
      Array.from({ length: 24 * 24 }, (_, i) => {
        const [y, x] = [Math.floor(i / 24) - 11.5 - dy, (i % 24) - 11.5 - dx];
        return 1 / (1 + Math.exp(Math.hypot(y, 1.3 * x) - 6)) + 0.02 * Math.sin(i * i);
      });
    const middle = Float32Array.from([disc(0, 0), disc(0.2, 0), disc(0, -0.2), disc(-0.2, 0.1)].flat());
    const pictures = Float32Array.from([disc(2, 1), disc(0, 0), disc(-1, -2), disc(1, 2)].flat());
    const fitted = fitAlignment(middle, size);
    const network = { imageSize: size, towers: ["pixels", "edges"], embeddingActivation: "linear" } as const;
    const modelOf = (alignment: PictureOptions["alignment"]) =>
      randomModel({ loss: "supervised-contrastive", network, pictures: { alignment } });
    const alignment = { ...fitted, towers: ["edges"] } as const;
    const bytes = await modelOf(alignment);
    const model = await Model.open(device, bytes);
    const onnx = await exportOnnx(bytes);
    const names = ["images", "aligned"] as const;
    expect(onnx.inputs.map(({ name }) => name)).toEqual(names);
    const { inputs: ofAll } = await exportOnnx(await modelOf({ ...fitted, towers: ["pixels", "edges"] }));
    expect(ofAll).toEqual([{ ...onnx.inputs[0], name: "aligned" }]);
    const given = { images: pictures, aligned: aligned(alignment, pictures, size) };
    expect(given.aligned.filter((value, i) => value !== pictures[i]).length).toBeGreaterThan(pictures.length / 3); // they were moved
    const inputs = names.map((name) => [name, new ort.Tensor("float32", given[name], [4, ...size])] as const);
    const { embedding } = await outputsOf(onnx.bytes, Object.fromEntries(inputs));
    expect(difference(embedding, await model.embed(pictures)).relative).toBeLessThan(1e-5);
    const { metadataProps } = fromBinary(ModelProtoSchema, onnx.bytes);
    expect(metadataProps.find(({ key }) => key === "aligned")!.value).toContain("aligned()");
    await expect(exportOnnx(bytes, { sourceSize: [30, 30] })).rejects.toThrow(/decoded to 24x24/);
    await model.dispose();
  });

  it("tells the threshold, the fingerprint, the license and what pictures are", async () => {
    const bytes = await withOperatingPoint(await randomModel({ metadata: { license: "CC-BY-4.0" } }), {
      threshold: 0.25,
    });
    const model = await Model.open(device, bytes);
    const read = async (file: Promise<{ bytes: Uint8Array }>) => {
      const { metadataProps, opsetImport, irVersion } = fromBinary(ModelProtoSchema, (await file).bytes);
      expect(opsetImport).toMatchObject([{ domain: "", version: 17n }]);
      expect(irVersion).toBe(8n);
      return Object.fromEntries(metadataProps.map(({ key, value }) => [key, value]));
    };
    const own = { threshold: "0.25", fingerprint: model.fingerprint, license: "CC-BY-4.0", task: "recognition" };
    expect(await read(exportOnnx(bytes))).toMatchObject({ ...own, layout: "NHWC", image_size: "[12,15,3]" });
    expect(await read(exportOnnxVerifier(bytes, { license: "MIT" }))).toMatchObject({ ...own, license: "MIT" });
    await model.dispose();
  });

  it("is refused where shapes are not what they are said to be", async () => {
    const { bytes } = await exportOnnx(await randomModel({}));
    const model = fromBinary(ModelProtoSchema, bytes);
    expect(model.graph!.valueInfo).toHaveLength(model.graph!.node.length - 1); // all but the output
    for (const { type } of [...model.graph!.valueInfo]) {
      const shape = type!.value.case === "tensorType" && type!.value.value.shape!;
      const dim = shape ? shape.dim.at(-1) : undefined;
      if (dim?.value.case !== "dimValue") continue;
      const right = dim.value.value;
      dim.value.value = right + 1n;
      await expect(open(toBinary(ModelProtoSchema, model))).rejects.toThrow();
      dim.value.value = right;
    }
  });

  it("refuses what ONNX does not express, by its name", async () => {
    const patches = { patch: 8, differences: 1, embedding: 8 };
    const ofPatches = await randomModel({ task: "liveness", network: patches });
    await expect(exportWeights(ofPatches, { to: "pytorch" })).rejects.toThrow(/uses patches or central differences/);
    const plain = await randomModel({});
    await expect(exportOnnx(plain, { opset: 9 })).rejects.toThrow(/opset is 9/);
    await expect(exportOnnx(plain, { layout: "HWC" as "NHWC" })).rejects.toThrow(/"HWC"/);
    await expect(exportOnnxVerifier(await randomModel({ task: "liveness" }))).rejects.toThrow(/liveness/);
  });
});

describe("exportOnnxVerifier", () => {
  it.each(["cross-entropy", "contrastive"] as const)("decides 1,000 pairs as the model does: %s", async (loss) => {
    const pairs = 1000;
    const file = await randomModel({ loss });
    const trial = await Model.open(device, file);
    const pictures = randomPictures(60, trial.imageSize, 5);
    const embeddings = await trial.embed(pictures);
    const rows = (step: number) =>
      Float32Array.from({ length: pairs * 7 }, (_, i) => embeddings[((Math.floor(i / 7) * step) % 60) * 7 + (i % 7)]);
    const [a, b] = [rows(1), rows(7)];
    const median = trial.distances(a, b).sort()[pairs / 2];
    const bytes = await withOperatingPoint(file, { threshold: median });
    const model = await Model.open(device, bytes);
    const { bytes: onnx } = await exportOnnxVerifier(bytes);
    const shape = [pairs, 7];
    const inputs = { a: new ort.Tensor("float32", a, shape), b: new ort.Tensor("float32", b, shape) };
    const found = await outputsOf(onnx, inputs);
    const metadata = fromBinary(ModelProtoSchema, onnx).metadataProps;
    const threshold = Number(metadata.find(({ key }) => key === "output_threshold")!.value);
    const scores = loss === "cross-entropy" ? found.logit : found.distance.map((distance) => -distance);
    expect(difference(scores, model.scores(a, b)).relative).toBeLessThan(1e-5);
    const least = loss === "cross-entropy" ? threshold : -threshold;
    const distances = model.distances(a, b);
    // A pair whose score is the threshold itself, up to rounding, may fall to either side.
    const clear = Array.from(distances.keys()).filter((i) => Math.abs(scores[i] - least) > 1e-6);
    expect(clear.length).toBeGreaterThan(0.9 * pairs);
    const decided = clear.map((i) => scores[i] >= least);
    expect(decided).toEqual(clear.map((i) => distances[i] <= model.threshold));
    expect(new Set(decided).size).toBe(2);
    await trial.dispose();
    await model.dispose();
  });
});
