// deno run --allow-all --unstable-webgpu deno.js: trains with Deno's own WebGPU.
import { openDevice } from "twingrad";
import { tfrecords } from "twingrad/node";
import { train } from "./training.js";

const device = await openDevice();
const { identities, accuracy, auc } = await train(device, await tfrecords("people.tfrecord"));
console.log(`On ${identities} held-out identities: accuracy ${accuracy.toFixed(3)}, AUC ${auc.toFixed(3)}.`);
device.dispose();
