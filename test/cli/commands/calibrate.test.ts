import { expect, it } from "vitest";
import { checkReachable } from "../../../src/cli/commands/calibrate.ts";

it("refuses a rate at which no genuine pair passes, before anything is stored", () => {
  const pairs = { same: 60, different: 216 };
  expect(() => checkReachable(0.001, { trueAccept: 0, pairs })).toThrow(
    "--far 0.001 cannot be reached: with 216 impostor pairs its threshold accepts none of 60 genuine pairs.",
  );
  expect(() => checkReachable(0.001, { trueAccept: 1 / 60, pairs })).not.toThrow();
});
