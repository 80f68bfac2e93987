// The core on Deno's own WebGPU; and in Bun, which has none, on Node's.
import { execFileSync } from "node:child_process";
import { beforeAll, expect, it } from "vitest";
import { denoCommand, denoMissing } from "../gpu/hosts/deno.ts";
import { addPrograms, libraryAlone, libraryInNode } from "./support/installed.ts";
import { answer, run } from "./support/run.ts";

function bunMissing(): string | undefined {
  try {
    execFileSync("bun", ["--version"]);
    return undefined;
  } catch {
    return "no `bun` on PATH";
  }
}

const [noDeno, noBun] = [denoMissing(), bunMissing()];
const gradientsOfX = [1, 1, 0, 1, 0, -1, 0, -1, -1];
let alone: string;

beforeAll(async () => {
  alone = await libraryAlone();
  await addPrograms(alone);
}, 300_000);

it.skipIf(noDeno)(`Deno imports the core and computes gradients${noDeno ? `: skipped, ${noDeno}` : ""}`, async () => {
  const { executable, environment } = denoCommand();
  const place = { folder: alone, environment };
  const parameters = ["run", "--allow-all", "--unstable-webgpu", "gradients.js"];
  const found = await answer<{ adapter: string; x: number[] }>(place, executable, ...parameters);
  console.log(`${(await run(alone, executable, "--version")).split("\n")[0]} on ${found.adapter}`);
  expect(found).toMatchObject({ value: -16, x: gradientsOfX, filter: [12, 16, 24, 28] });
});

it.skipIf(noBun)(`Bun opens Node's device and trains${noBun ? `: skipped, ${noBun}` : ""}`, async () => {
  const folder = await libraryInNode();
  await addPrograms(folder);
  const losses = await answer<number[]>(folder, "bun", "service.js");
  console.log(`Bun ${await run(folder, "bun", "--version")}: losses ${losses}`);
  expect(losses).toEqual(await answer<number[]>(folder, "node", "service.js"));
});
