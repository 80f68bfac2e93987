// A page whose bundler does not follow `new URL(..., import.meta.url)`: it is told where the decoder's worker lies.
import { visit } from "./visit.js";

visit({ createWorker: () => new Worker("/decoder.worker.js", { type: "module" }) });
