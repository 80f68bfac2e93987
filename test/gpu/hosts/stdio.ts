// Entry of the bundle for a process of its own, Node with Dawn or Deno with wgpu: requests come in as lines of JSON on
// standard input, answers go out as marked lines on standard output. A process, so that a crash of the driver is one
// failed case and not the end of the test run.

import { createInterface } from "node:readline";
import { slowDawnsPolling } from "../../../src/node/adapter/dawnPolling.ts";
import { thisMachine } from "../../../src/node/adapter/findAdapter.mjs";
import { openDawn } from "../../../src/node/adapter/openDawn.mjs";
import type { Answer, Request } from "./process.ts";
import { createRunner, type Runner, type Start } from "./runner.ts";

let runner: Runner;

async function open(start: Start): Promise<string> {
  const given = globalThis.navigator?.gpu; // in Deno, and where a tool has put one there
  const dawn = given ? undefined : await openDawn(thisMachine());
  const gpu = given ?? dawn?.gpu;
  if (!gpu) throw new Error(dawn?.tried.join("; ") ?? "navigator.gpu is absent");
  if (dawn?.driver) slowDawnsPolling();
  runner = await createRunner(start, gpu);
  return runner.adapter;
}

async function answer(request: Request): Promise<unknown> {
  if ("start" in request) return open(request.start);
  return runner.run(request.run);
}

for await (const line of createInterface({ input: process.stdin })) {
  const reply: Answer = await answer(JSON.parse(line)).then(
    (value) => ({ value }),
    (error) => ({ error: error instanceof Error ? error.message : String(error) }),
  );
  process.stdout.write(`@${JSON.stringify(reply)}\n`);
}
process.exit(); // Dawn's GPU object would keep the process alive
