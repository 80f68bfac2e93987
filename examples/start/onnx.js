// node onnx.js: exports a model to ONNX, runs it in onnxruntime, and compares the embeddings with those of twingrad.
import { readFile } from "node:fs/promises";
import * as ort from "onnxruntime-web"; // npm install onnxruntime-web
import { exportOnnx } from "twingrad/exchange";
import { loadModel, openDevice, readPicture } from "twingrad/node";

const { bytes } = await exportOnnx(await readFile("model.safetensors"));
const session = await ort.InferenceSession.create(bytes);

const device = await openDevice();
const model = await loadModel(device, "model.safetensors");
const picture = await readPicture("people/ada/1.jpg", model.imageSize); // bytes from 0 to 255
const ours = await model.embed(picture);

const values = Float32Array.from(picture, (byte) => byte / 255);
const { embedding } = await session.run({ images: new ort.Tensor("float32", values, [1, ...model.imageSize]) });
const difference = Math.max(...ours.map((value, i) => Math.abs(value - embedding.data[i])));
console.log(`${ours.length} values, largest difference ${difference.toExponential(1)}`);
device.dispose();
