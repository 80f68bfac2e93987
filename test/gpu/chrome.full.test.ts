// Headless Chrome, which shares Dawn's compiler: the cases that its processes could break.

import { openChrome } from "./hosts/chrome.ts";
import { pageCases, runSuites } from "./hosts/suites.ts";

runSuites("Chrome", openChrome, pageCases);
