import { it } from "vitest";
import { denoMissing, openDeno } from "./deno.ts";
import { everyCase, runSuites } from "./suites.ts";

const missing = denoMissing();
if (missing) it.skip(`wgpu in Deno: ${missing}`, () => {});
else runSuites("wgpu in Deno, every case", openDeno, everyCase(1));
