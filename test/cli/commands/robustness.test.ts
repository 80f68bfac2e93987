// Stability of a model's scores under shifts, the shifts themselves, and what the sessions of the data allow to conclude.
import { expect, it } from "vitest";
import { shifted, shiftStability } from "../../../src/cli/commands/evaluate/robustness.ts";
import { sessionsOf } from "../../../src/cli/commands/evaluate/sessions.ts";

it("takes each picture's deviation over the shifts, its margin and whether it changes sides", () => {
  const of = (...scores: number[]) => scores.map((score) => ({ score, live: score > 0 }));
  const { deviation, margin, flipped } = shiftStability([of(3, 1), of(3, -1), of(3, 1), of(3, -1)], 0);
  expect(deviation).toBeCloseTo(Math.sqrt(0.5), 12); // of 0 and 1
  expect(margin).toBe(2);
  expect(flipped).toBe(0.5);
});

it("moves a picture down and to the right and repeats its border", async () => {
  const pixels = Uint8Array.from([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect([...(await shifted(0.34, 0)(pixels, [3, 3, 1]))]).toEqual([1, 2, 3, 1, 2, 3, 4, 5, 6]);
  expect([...(await shifted(0, -0.34)(pixels, [3, 3, 1]))]).toEqual([2, 3, 3, 5, 6, 6, 8, 9, 9]);
});

it("says what a figure promises by the sessions of test and training", () => {
  const items = ["01", "02"].map((group) => ({
    name: group,
    identity: 0,
    group,
    decode: async () => new Uint8Array(),
  }));
  const dataset = { identities: ["a"], items };
  expect(sessionsOf(dataset, ["01"])).toMatchObject({
    shared: ["01"],
    promise: expect.stringContaining("do not apply to other sessions"),
  });
  expect(sessionsOf(dataset, ["03"])).toMatchObject({ shared: [], promise: expect.stringContaining("trained on 03") });
  expect(sessionsOf(dataset, undefined).promise).toContain("Recording sessions are unknown");
});
