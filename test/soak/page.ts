// Entry of the soak's bundle for a page.

import { openDevice } from "../../src/index.ts";
import { type Segment, Soak } from "./soak.ts";

declare global {
  var segment: (steps: number) => Promise<Segment>;
}

let soak: Promise<Soak> | undefined;
globalThis.segment = async (steps) => {
  soak ??= openDevice().then((device) => Soak.open(device));
  return (await soak).segment(steps);
};
