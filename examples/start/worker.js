// A module worker, with the same calls as in a page.
import { openDevice } from "twingrad";
import { tfrecords } from "twingrad/web";
import { train } from "./training.js";

const device = await openDevice();
const { identities, accuracy, bytes } = await train(device, await tfrecords(new URL("people.tfrecord", location.href)));
device.dispose();
postMessage({ identities, accuracy, bytes });
