// Runs registered cases by name on one device: what every host does, in a page, in Node and in Deno.

import { type Device, openDevice } from "../../../src/index.ts";
import { parseFixtures } from "../../fixtures.ts";
import { settings, type Worst, worst } from "../suite.ts";
import { cases } from "../suites.ts";
import { fillTemporariesWithGarbage } from "../variants.ts";

export interface Start {
  fixtures?: string; // text of the PyTorch fixtures
  seed: number; // of random examples
  share: number; // share of the examples to try
  kernels?: "portable"; // the devices use only these
}

/** A host's answer; `error` is absent if the case passed. */
export interface Outcome {
  error?: string;
  /** The largest relative error so far of each check. */
  worst: Worst[];
  /** The names of the kernels that the host's device and its variants created pipelines for. */
  kernels: string[];
}

export interface Runner {
  adapter: string;
  run(name: string): Promise<Outcome>;
}

/** Message and stack; V8's stack begins with the message, other engines' do not. */
function describeError(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const stack = thrown.stack ?? "";
  return stack.includes(thrown.message) ? stack : `${thrown.message}\n${stack}`;
}

/** The names of all shaders with pipelines requested from now on. */
function namesOfPipelines({ kernels }: Device): Set<string> {
  const names = new Set<string>();
  const { pipeline } = kernels;
  kernels.pipeline = (shader, ...rest) => {
    names.add(shader.name);
    return pipeline.call(kernels, shader, ...rest);
  };
  return names;
}

export async function createRunner(start: Start, gpu?: GPU): Promise<Runner> {
  const opening = { gpu, kernels: start.kernels };
  const device = await openDevice(opening);
  fillTemporariesWithGarbage(device);
  const kernels = namesOfPipelines(device);
  const fixtures = start.fixtures ? parseFixtures(start.fixtures) : undefined;
  settings.opening = opening;
  settings.seed = start.seed;
  settings.share = start.share;
  const uncaptured: string[] = [];
  device.gpu.addEventListener("uncapturederror", (event) => {
    uncaptured.push((event as GPUUncapturedErrorEvent).error.message);
  });
  const { vendor, architecture, description } = device.adapter;
  return {
    adapter: [vendor, architecture, description].filter((text) => text).join(" "),
    async run(name) {
      const found = cases.find((c) => c.name === name);
      if (!found) throw new Error(`the bundle has no case "${name}"`);
      uncaptured.length = 0;
      kernels.clear();
      let error: string | undefined;
      try {
        await Promise.race([found.run(device, fixtures!), device.lost]);
        await device.gpu.queue.onSubmittedWorkDone(); // late errors belong to this case
        if (uncaptured.length > 0) error = `errors that nobody caught:\n${uncaptured.join("\n")}`;
      } catch (thrown) {
        error = describeError(thrown);
      }
      return { error, worst: [...worst.values()], kernels: [...kernels] };
    },
  };
}
