// A page's module: trains in the page's own thread, on a record file next to the page.
import { openDevice } from "twingrad";
import { tfrecords } from "twingrad/web";
import { train } from "./training.js";

const device = await openDevice();
const { identities, accuracy } = await train(device, await tfrecords(new URL("people.tfrecord", location.href)));
document.body.textContent = `On ${identities} held-out identities: accuracy ${accuracy.toFixed(3)}.`;
device.dispose();
