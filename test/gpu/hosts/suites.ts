// Creates one vitest test per registered case on one host; a remote failure fails here with its message.

import { mkdirSync, writeFileSync } from "node:fs";
import { afterAll, describe, expect, it } from "vitest";
import { shaderFiles } from "../../../shaders/reflect.mjs";
import { fixturesMissing, fixturesText } from "../../fixturesFile.ts";
import { NETWORK_TOLERANCE, OPERATION_TOLERANCE, type Where, type Worst } from "../suite.ts";
import { cases } from "../suites.ts";
import type { Host, OpenHost } from "./host.ts";

/** TEST_SEED=N draws other random examples; a failure names the seed that they were drawn with. */
const seed = Number(process.env.TEST_SEED ?? 20240607);

/** The kernels at the top of their folder. */
const portable = new Set((await shaderFiles("shaders")).map((file) => file.replace(/\.wgsl$/, "")));

/** A host's settings. Hosts draw with different seeds, so that they try different examples. */
export interface Part {
  readonly where: readonly Where[];
  /** The share of a case's random examples to try. */
  readonly share: number;
  /** Added to the seed. */
  readonly offset: number;
  /** Opens devices that use only these, and checks that they do. */
  readonly kernels?: "portable";
  /** The names of the cases; all by default. */
  readonly only?: readonly string[];
}

/** All cases together, on the host that starts fastest. */
export const kernelCases: Part = { where: ["compilers"], share: 1 / 3, offset: 0 };
export const engineCases: Part = { where: ["everywhere", "once"], share: 1 / 3, offset: 0 };
/** What a page's process, queue and lost device could break; every other case in Chrome is for `npm run test:hosts`. */
export const pageCases: Part = {
  where: ["everywhere"],
  share: 1 / 4,
  offset: 2,
  only: [
    "errors: when the device is lost, steps in flight and later ones reject",
    "errors: without recovery, a lost device ends the training",
    "examples: the tape and its program",
    "leaks: a trainer that used every method leaves nothing when disposed",
    "program: each step uses its scheduled rate, and creates no GPU object",
    "recovery: losing the device in the middle of steps does not change the losses",
    "trainer: a resumed run gives the bits of an unbroken one",
    "trainer: any number of pictures is embedded, each on its own",
    "trainer: the loss over three Adam steps agrees with PyTorch",
    "tuner: without timestamps it uses the host's clock",
  ],
};
/** `npm run test:hosts`: every case with all its random examples. */
export const everyCase = (offset: number): Part => ({ where: ["everywhere", "compilers", "once"], share: 1, offset });
/** With the portable kernels alone: convolution, dense layer, max-pool, block, a network's gradients, whole steps. */
export const portableCases: Part = {
  ...everyCase(3),
  share: 1 / 8,
  kernels: "portable",
  only: [
    "conv2d: primes everywhere",
    "conv2d: so many channels that Winograd's algorithm pays on GPUs, too",
    "dense: one past every tile",
    "maxPool2d: 2x2 windows inside the picture, whole vec4s of channels",
    "block: random shapes as on GPUs",
    "trainer: a network of odd sizes agrees with the float64 reference",
    "trainer, kernels for GPUs: the network's gradients agree with PyTorch",
    "program: ten Adam steps follow the float64 reference",
  ],
};

/** A case that takes longer has hung, with its host. Below vitest's own limit, which would not close the host. */
const CASE_LIMIT = 115_000;

function limited<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${CASE_LIMIT / 1000} s`)), CASE_LIMIT);
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}

export function runSuites(name: string, open: OpenHost, part: Part): void {
  const { only, kernels } = part;
  const unknown = only?.filter((name) => !cases.some((c) => c.name === name));
  if (unknown?.length) throw new Error(`no case is called ${unknown.join(", nor ")}`);
  const asked = cases.filter(({ name, where }) => part.where.includes(where) && (only?.includes(name) ?? true));
  const start = { fixtures: fixturesText, seed: seed + part.offset, share: part.share, kernels };
  describe(name, () => {
    let host: Host | undefined;
    let worst: Worst[] = [];

    /** Opened for the first case, and again after a case that crashed it: only that case fails. */
    const run = async (name: string) => {
      host ??= await open(start);
      try {
        const outcome = await limited(host.run(name));
        worst = outcome.worst;
        return outcome;
      } catch (error) {
        const broken = host;
        host = undefined;
        await broken.close();
        throw error;
      }
    };

    afterAll(async () => {
      if (!host) return;
      const folder = new URL("../../../build/test/", import.meta.url);
      mkdirSync(folder, { recursive: true });
      const file = new URL(`errors-${name.toLowerCase().replaceAll(/\W+/g, "-")}.json`, folder);
      const errors = worst.sort((a, b) => b.relative - a.relative);
      writeFileSync(file, JSON.stringify({ adapter: host.adapter, errors }, null, 1));
      const largest = [OPERATION_TOLERANCE, NETWORK_TOLERANCE].map((limit) => {
        const found = errors.find(({ tolerance }) => tolerance === limit);
        return found ? `${found.relative.toExponential(1)} of ${limit} (${found.what})` : `0 of ${limit}`;
      });
      const count = `${asked.length} of ${cases.length} cases`;
      console.log(`${name} on ${host.adapter}: ${count}, largest relative errors ${largest.join(", ")}`);
      await host.close();
    });

    if (!fixturesText) it.skip(fixturesMissing, () => {});
    for (const { name, needsFixtures } of asked) {
      it.skipIf(needsFixtures && !fixturesText)(name, async () => {
        const { error, kernels: used } = await run(name);
        if (error) throw Object.assign(new Error(error), { stack: error });
        if (kernels === "portable") expect(used.filter((kernel) => !portable.has(kernel))).toEqual([]);
      });
    }
  });
}
