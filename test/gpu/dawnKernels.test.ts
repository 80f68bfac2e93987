// The suites on Dawn in Node: each kernel's arithmetic. A file of its own, so that two cores share the host's cases.

import { openDawn } from "./hosts/dawn.ts";
import { kernelCases, runSuites } from "./hosts/suites.ts";

runSuites("Dawn in Node, kernels", openDawn, kernelCases);
