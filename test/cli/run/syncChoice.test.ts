import { expect, it } from "vitest";
import { resolveSettings } from "../../../src/cli/options/settings.ts";
import type { PartialSettings } from "../../../src/cli/options/settingsSchema.ts";
import { refuseExact } from "../../../src/cli/run/ranks.ts";
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

it("options of local steps are refused where each step is exchanged", () => {
  const refused = (given: PartialSettings) => () => refuseExact(resolveSettings({}, given));
  expect(refused({ overlap: true })).toThrow("--overlap is for local steps: it needs --sync-every above 1, or auto");
  expect(refused({ outerMomentum: 0.9, syncEvery: 1 })).toThrow("--outer-momentum is for local steps");
  for (const syncEvery of [2, "auto"] as const) refused({ overlap: true, outerMomentum: 0.9, syncEvery })();
});
