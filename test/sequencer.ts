// The order in which test files begin: the longest first, so that none of them is left to run alone at the end. A run that
// is the first in its folder, as each on a CI machine, has no times of earlier ones to go by.
import { BaseSequencer, type TestSpecification } from "vitest/node";

/** Files that take longer than a quarter of a minute, the longest first. */
const long = [
  "gpu/dawn",
  "gpu/deno",
  "cli/cliRecognition",
  "cli/cliTuning",
  "cli/cli",
  "gpu/chrome",
  "bench/bench",
  "cli/recordsCli",
  "cli/run/resume/kill",
  "cli/demo",
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
