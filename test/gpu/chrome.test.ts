// The kernel suites in headless Chrome: the first of the hosts that must agree.

import { openChrome } from "./hosts/chrome.ts";
import { runSuites } from "./hosts/suites.ts";

runSuites("Chrome", openChrome);
