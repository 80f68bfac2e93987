// A module worker that trains.
import { openDevice } from "twingrad";
import { train } from "./training.js";

openDevice()
  .then(train)
  .then((losses) => globalThis.postMessage(losses));
