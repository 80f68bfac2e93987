// The order of test files: the longest first, so that none of them is left to run alone at the end. A run that
// is the first in its folder, as each on a CI machine, has no times of earlier ones to go by.
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take longer than a quarter of a minute, the longest first. */
const long = [
  "gpu/dawnEngine",
  "gpu/dawnKernels",
  "package/start.full",
  "studio/wholeWay.full",
  "package/examples.full",
  "cli/run/resume/kill.full",
  "cli/commands",
  "cli/cli",
  "cli/run/distributed.full",
  "exchange/cliExchange",
  "cli/options/everyCommand",
  "bench/bench.full",
  "package/bundlers.full",
  "package/types.full",
  "scripts/site.full",
];

const placeOf = ({ moduleId }: TestSpecification): number => {
  const place = long.findIndex((name) => moduleId.endsWith(`/test/${name}.test.ts`));
  return place < 0 ? long.length : place;
};

export default class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => placeOf(a) - placeOf(b));
  }
}
