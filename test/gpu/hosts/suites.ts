// Makes one vitest test of each registered case on one host; what failed remotely fails here with its own message.

import { mkdirSync, writeFileSync } from "node:fs";
import { afterAll, describe, it } from "vitest";
import { fixturesMissing, fixturesText } from "../../fixturesFile.ts";
import { NETWORK_TOLERANCE, OPERATION_TOLERANCE, type Worst } from "../suite.ts";
import { cases } from "../suites.ts";
import type { Host, OpenHost } from "./host.ts";

/** TEST_SEED=N draws other random cases; a failure names the seed that it was drawn with. */
const seed = process.env.TEST_SEED ? Number(process.env.TEST_SEED) : undefined;

/** A case that takes longer has hung, and its host with it. */
const CASE_LIMIT = 90_000;

function limited<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${CASE_LIMIT / 1000} s`)), CASE_LIMIT);
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}

export function runSuites(name: string, open: OpenHost): void {
  describe(name, () => {
    let host: Host | undefined;
    let worst: Worst[] = [];

    /** Opened for the first case, and again after a case that brought it down: that one fails alone. */
    const run = async (name: string) => {
      host ??= await open({ fixtures: fixturesText, seed });
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
      const file = new URL(`errors-${name.toLowerCase().replaceAll(" ", "-")}.json`, folder);
      const errors = worst.sort((a, b) => b.relative - a.relative);
      writeFileSync(file, JSON.stringify({ adapter: host.adapter, errors }, null, 1));
      const largest = [OPERATION_TOLERANCE, NETWORK_TOLERANCE].map((limit) => {
        const found = errors.find(({ tolerance }) => tolerance === limit);
        return found ? `${found.relative.toExponential(1)} of ${limit} (${found.what})` : `0 of ${limit}`;
      });
      console.log(`${name} on ${host.adapter}: largest relative errors ${largest.join(", ")}`);
      await host.close();
    });

    if (!fixturesText) it.skip(fixturesMissing, () => {});
    for (const { name, needsFixtures } of cases) {
      it.skipIf(needsFixtures && !fixturesText)(name, async () => {
        const { error } = await run(name);
        if (error) throw Object.assign(new Error(error), { stack: error });
      });
    }
  });
}
