// The suites in headless Chrome, which shares Dawn's compiler: cases that depend on the runtime.

import { openChrome } from "./hosts/chrome.ts";
import { runSuites, runtimeCases } from "./hosts/suites.ts";

runSuites("Chrome", openChrome, runtimeCases);
