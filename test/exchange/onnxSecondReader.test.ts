// A second reader of our ONNX files beside onnxruntime, which has a process of its own: each keeps WebAssembly's memory its way.
import { defaultDevice, init, numpy } from "@jax-js/jax";
import { ONNXModel } from "@jax-js/onnx";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportOnnx } from "../../src/exchange/index.ts";
import { type Device, Model } from "../../src/index.ts";
import { openDevice } from "../../src/node/index.ts";
import { difference } from "../compare.ts";
import { kinds, randomModel, randomPictures } from "./models.ts";

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.dispose());

describe("a second reader, jax-js", () => {
  it.each(["the article's", "several towers", "all views, resized"])("opens the embedder: %s", async (name) => {
    await init("wasm");
    defaultDevice("wasm");
    const bytes = await randomModel(kinds[name]);
    const model = await Model.open(device, bytes);
    const pictures = randomPictures(2, model.imageSize);
    const { bytes: onnx } = await exportOnnx(bytes);
    const reader = new ONNXModel(onnx as Uint8Array<ArrayBuffer>);
    const images = numpy.array(pictures, { shape: [2, ...model.imageSize] });
    const { embedding } = reader.run({ images });
    expect(difference(await embedding.data(), await model.embed(pictures)).relative).toBeLessThan(1e-5);
    reader.dispose();
    await model.dispose();
  });
});
