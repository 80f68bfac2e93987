// The suites on wgpu in Deno, where its executable and a Vulkan driver are there: cases that depend on the runtime. Those
// that ask its compiler of WGSL are in hosts/deno.hosts.test.ts: seven minutes here.

import { it } from "vitest";
import { denoMissing, openDeno } from "./hosts/deno.ts";
import { runSuites, runtimeCases } from "./hosts/suites.ts";

const missing = denoMissing();
if (missing) it.skip(`wgpu in Deno: ${missing}`, () => {});
else runSuites("wgpu in Deno", openDeno, runtimeCases);
