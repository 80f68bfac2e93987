// Kernels that need subgroups or float16, on a second software adapter that has both: Mesa's lavapipe. It is in a
// folder beside this repository, with instructions to set it up. Its subgroups have 8 threads, those of the other
// suites' adapter 4.

import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, it } from "vitest";
import type { OpenHost } from "./hosts/host.ts";
import { openProcess } from "./hosts/process.ts";
import { everyCase, runSuites } from "./hosts/suites.ts";
import { cases } from "./suites.ts";

const tool = fileURLToPath(new URL("../../../shared/gpu-audit/lavapipe-node", import.meta.url));
const installed = `${process.env.GPU_AUDIT_HOME ?? "/var/cache/gpu-audit"}/trixie/usr/share/vulkan/icd.d/lvp_icd.json`;

const openLavapipe: OpenHost = (start) => openProcess({ executable: tool, parameters: [], environment: {} }, start);

if (existsSync(tool) && existsSync(installed)) {
  const only = cases.map(({ name }) => name).filter((name) => /^(subgroups|float16 products|features):/.test(name));
  runSuites("Dawn on lavapipe", openLavapipe, { ...everyCase(5), only });
} else {
  describe("Dawn on lavapipe", () => {
    it.skip("is left out: ../shared/gpu-audit is absent or not set up (its README.md tells how)", () => {});
  });
}
