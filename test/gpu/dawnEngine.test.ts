// The suites on Dawn in Node: all but the kernels' arithmetic, which dawnKernels.test.ts has.

import { openDawn } from "./hosts/dawn.ts";
import { engineCases, runSuites } from "./hosts/suites.ts";

runSuites("Dawn in Node, engine", openDawn, engineCases);
