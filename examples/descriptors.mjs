// Uses the embeddings (128 values) of face-api's recognition network in a gallery, instead of a model of twingrad. The
// data are a folder with one folder for each person, with pictures that are cropped to the face. Half of each person's
// pictures are enrolled, the others identified. It needs the built library, and
//
//   npm install --no-save @vladmandic/face-api @tensorflow/tfjs @tensorflow/tfjs-backend-wasm
//   node examples/descriptors.mjs people/
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { scorePairs, vectorRecognizer } from "../dist/twingrad/exchange/index.js";
import { allPairs, Gallery, labelsOf, verificationReport } from "../dist/twingrad/index.js";
import { imageFolder } from "../dist/twingrad/node/index.js";

const [data] = process.argv.slice(2);
if (!data) {
  console.error("usage: node examples/descriptors.mjs people/");
  process.exit(2);
}
const require = createRequire(import.meta.url);
let faceapi;
try {
  faceapi = require("@vladmandic/face-api/dist/face-api.node-wasm.js");
} catch (error) {
  const needed = "@vladmandic/face-api @tensorflow/tfjs @tensorflow/tfjs-backend-wasm";
  console.log(`skipped: ${error.message.split("\n")[0]}; npm install --no-save ${needed}`);
  process.exit(0);
}
const { tf, nets } = faceapi;
await tf.setBackend("cpu");
await tf.ready();
const models = join(dirname(require.resolve("@vladmandic/face-api/package.json")), "model");
await nets.faceRecognitionNet.loadFromDisk(models);

const side = 150; // the network's input size
const length = 128;
const people = await imageFolder(data);
const embeddings = new Float32Array(people.items.length * length);
for (const [row, item] of people.items.entries()) {
  const pixels = tf.tensor3d(await item.decode([side, side, 3]), [side, side, 3]);
  embeddings.set(await nets.faceRecognitionNet.computeFaceDescriptor(pixels), row * length);
  pixels.dispose();
}
const vector = (row) => embeddings.slice(row * length, (row + 1) * length);

// 0.6 is the threshold of the network's authors.
const recognizer = vectorRecognizer({ model: "face-api 1.7", length, threshold: 0.6 });
const labels = labelsOf(people);
const scored = scorePairs(recognizer, embeddings, allPairs(labels));
const { auc, eer, threshold } = verificationReport(scored, scored, labels);

const gallery = new Gallery(recognizer);
const seen = new Map();
const probes = [];
for (const [row, { identity }] of people.items.entries()) {
  seen.set(identity, (seen.get(identity) ?? 0) + 1);
  if (seen.get(identity) % 2 === 1) await gallery.enroll(people.identities[identity], vector(row));
  else probes.push(row);
}
let right = 0;
for (const row of probes) {
  const { name } = await gallery.identify(vector(row));
  if (name === people.identities[labels[row]]) right++;
}
console.log(JSON.stringify({ pictures: embeddings.length / length, auc, eer, threshold, probes: probes.length, identified: right / probes.length })); // biome-ignore format: one line
