import { expect, it } from "vitest";
import { chooseSync } from "../../../src/cli/run/syncChoice.ts";

it.each([
  [0, 1, 1],
  [0.1, 1, 1],
  [0.2, 1, 8], // 3 x 0.2 against 8 x 0.8: 8.6 %, where 4 x 0.8 would leave 16 %
  [0.5, 1, 32],
  [0.99, 1, 64],
])("of exchanges that take %f of %f s, one in %i steps is left", (exchanging, seconds, steps) => {
  expect(chooseSync(exchanging, seconds)).toBe(steps);
});
