// Inference without training: a model file, a gallery, a picture to identify.
import { Gallery } from "twingrad";
import { loadModel, openDevice, readPicture } from "twingrad/node";

const device = await openDevice();
const model = await loadModel(device, "model.safetensors");
const picture = (path) => readPicture(path, model.imageSize);
const gallery = new Gallery(model);
await gallery.enroll("Ada", await picture("people/ada/1.jpg"));
await gallery.enroll("Ben", await picture("people/ben/1.jpg"));
const { candidates } = await gallery.identify(await picture("people/ada/2.jpg"));
console.log(`nearest: ${candidates[0].name}, distance ${candidates[0].distance.toFixed(3)}`);
device.dispose();
