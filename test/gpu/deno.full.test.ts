// The same suites on wgpu in Deno, where its executable and a Vulkan driver are there.

import { it } from "vitest";
import { denoMissing, openDeno } from "./hosts/deno.ts";
import { compilerCases, runSuites } from "./hosts/suites.ts";

const missing = denoMissing();
if (missing) it.skip(`wgpu in Deno: ${missing}`, () => {});
else runSuites("wgpu in Deno", openDeno, compilerCases);
