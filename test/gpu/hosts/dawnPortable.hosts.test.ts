import { openDawn } from "./dawn.ts";
import { everyCase, runSuites } from "./suites.ts";

runSuites("Dawn in Node, portable kernels, every case", openDawn, { ...everyCase(4), kernels: "portable" });
