// node node.js: trains on people/, one folder for each identity.
import { imageFolder, openDevice, saveModel, writeRecords } from "twingrad/node";
import { train } from "./training.js";

const device = await openDevice();
const people = await imageFolder("people/");
const { bytes, identities, accuracy, auc } = await train(device, people);
await saveModel("model.safetensors", bytes);
await writeRecords("people.tfrecord", people); // for the page and the worker
console.log(`On ${identities} held-out identities: accuracy ${accuracy.toFixed(3)}, AUC ${auc.toFixed(3)}.`);
device.dispose();
