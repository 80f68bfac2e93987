// A few suites with the portable kernels alone; hosts/dawnPortable.hosts.test.ts has every case.

import { openDawn } from "./hosts/dawn.ts";
import { portableCases, runSuites } from "./hosts/suites.ts";

runSuites("Dawn in Node, portable kernels", openDawn, portableCases);
