// A program in Node that trains.
import { openDevice } from "twingrad/node";
import { train } from "./training.js";

const device = await openDevice();
console.log(JSON.stringify(await train(device)));
device.dispose();
