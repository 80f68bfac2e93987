// A second reader of our ONNX files beside onnxruntime, which has a process of its own: each keeps WebAssembly's memory its way.
import { defaultDevice, init, numpy } from "@jax-js/jax";
import { ONNXModel } from "@jax-js/onnx";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { exportOnnx } from "../../src/exchange/index.ts";
import { type Device, LivenessModel, Model } from "../../src/index.ts";
import { openDevice } from "../../src/node/index.ts";
import { difference } from "../compare.ts";
import { kinds, randomModel, randomPictures } from "./models.ts";

let device: Device;
beforeAll(async () => {
  device = await openDevice();
});
afterAll(() => device.dispose());

describe("a second reader, jax-js", () => {
  it.each(["the article's", "several towers", "all views, resized", "liveness of patches"])(
    "opens the embedder: %s",
    async (name) => {
      await init("wasm");
      defaultDevice("wasm");
      const bytes = await randomModel(kinds[name]);
      const isLiveness = kinds[name].task === "liveness";
      const model = isLiveness ? await LivenessModel.open(device, bytes) : await Model.open(device, bytes);
      const pictures = randomPictures(2, model.imageSize);
      const { bytes: onnx } = await exportOnnx(bytes);
      const reader = new ONNXModel(onnx as Uint8Array<ArrayBuffer>);
      const images = numpy.array(pictures, { shape: [2, ...model.imageSize] });
      const found = reader.run({ images });
      const [given, expected] =
        model instanceof LivenessModel
          ? [found.logit, await model.logits(pictures)]
          : [found.embedding, await model.embed(pictures)];
      expect(difference(await given.data(), expected).relative).toBeLessThan(1e-5);
      reader.dispose();
      await model.dispose();
    },
  );
});
