import { openDawn } from "./dawn.ts";
import { everyCase, runSuites } from "./suites.ts";

runSuites("Dawn in Node, every case", openDawn, everyCase(0));
