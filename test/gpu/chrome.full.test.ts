// The suites in headless Chrome, whose compiler is Dawn's: what a runtime can do differently.

import { openChrome } from "./hosts/chrome.ts";
import { runSuites, runtimeCases } from "./hosts/suites.ts";

runSuites("Chrome", openChrome, runtimeCases);
