import { openChrome } from "./chrome.ts";
import { everyCase, runSuites } from "./suites.ts";

runSuites("Chrome, every case", openChrome, everyCase(2));
