// The state of every sampler: saved anywhere and restored from JSON in a sampler with the same arguments, it continues
// alike. Any other state is rejected and changes nothing.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { balancedPairs, perClass, triplets } from "../../../src/data/sampling/balanced.ts";
import { filteredPairs } from "../../../src/data/sampling/filteredPairs.ts";
import type { Sampler, SamplerState } from "../../../src/data/sampling/sampler.ts";
import { people, take } from "../stubDataset.ts";

const throughJson = (state: SamplerState): SamplerState => JSON.parse(JSON.stringify(state));

/** Labels of any distribution in any order; at least two identities have two pictures. */
const anyLabels = fc
  .array(fc.integer({ min: -3, max: 6 }), { maxLength: 40 })
  .chain((labels) => fc.shuffledSubarray([0, 0, 1, 1, ...labels], { minLength: labels.length + 4 }));

const anySampler: fc.Arbitrary<() => Sampler<unknown>> = fc
  .record({
    labels: anyLabels,
    seed: fc.nat(),
    kind: fc.nat({ max: 3 }),
    buffer: fc.integer({ min: 2, max: 50 }),
    keep: fc.record({
      sameProbability: fc.double({ min: 0.05, max: 1, noNaN: true }),
      differentProbability: fc.double({ min: 0.01, max: 1, noNaN: true }),
    }),
  })
  .map(({ labels, seed, kind, buffer, keep }) => {
    if (kind === 0) return () => filteredPairs(labels, { ...keep, seed, shuffleBuffer: buffer });
    if (kind === 1) return () => balancedPairs(labels, { seed });
    if (kind === 2) return () => triplets(labels, { seed });
    return () => perClass(labels, { seed, identitiesPerBatch: 2, picturesPerIdentity: 3 });
  });

describe("the state of a sampler", () => {
  it("continues exactly where it was saved, in any sampler with the same arguments", () => {
    fc.assert(
      fc.property(anySampler, fc.nat({ max: 150 }), fc.nat({ max: 100 }), (make, before, elsewhere) => {
        const whole = make();
        take(whole, before);
        const state = throughJson(whole.state());
        const onward = take(whole, 60);
        const other = make();
        take(other, elsewhere);
        other.restore(state);
        expect(other.drawn).toBe(before);
        expect(other.state()).toEqual(state);
        expect(take(other, 60)).toEqual(onward);
      }),
    );
  });

  it("is not changed by what is drawn later", () => {
    const pairs = filteredPairs(people(5, 4), { sameProbability: 1, differentProbability: 0.5, seed: 3 });
    take(pairs, 7);
    const state = pairs.state();
    const before = JSON.stringify(state);
    take(pairs, 40);
    expect(JSON.stringify(state)).toBe(before);
  });

  it("holds the shuffle buffers, the random streams and the place", () => {
    const labels = people(30, 10);
    const pairs = filteredPairs(labels, { sameProbability: 1, differentProbability: 1, seed: 1, shuffleBuffer: 50 });
    take(pairs, 400);
    const { drawn, position } = pairs.state() as SamplerState & { position: Record<string, Record<string, unknown>> };
    expect(drawn).toBe(400);
    expect(position.epoch).toBe(1);
    for (const side of ["left", "right"]) {
      expect(position[side].entered).toBe(150);
      expect(position[side].buffer).toHaveLength(50);
    }
    expect(position.left.buffer).not.toEqual(position.right.buffer);
  });

  const labels = people(4, 3);
  const options = { sameProbability: 0.9, differentProbability: 0.2, seed: 5, shuffleBuffer: 6 };
  const saved = () => {
    const pairs = filteredPairs(labels, options);
    take(pairs, 5);
    return throughJson(pairs.state());
  };

  it.each<[string, () => Sampler<unknown>, RegExp]>([
    ["another kind", () => balancedPairs(labels, { seed: 5 }), /has filtered pairs; this one has balanced pairs/],
    ["another seed", () => filteredPairs(labels, { ...options, seed: 6 }), /seed was 5, not 6/],
    [
      "another filter",
      () => filteredPairs(labels, { ...options, sameProbability: 1 }),
      /sameProbability was 0.9, not 1/,
    ],
    ["another buffer", () => filteredPairs(labels, { ...options, shuffleBuffer: 7 }), /shuffleBuffer was 6, not 7/],
    ["more pictures", () => filteredPairs(people(5, 3), options), /pictures was 12, not 15/],
    ["other labels", () => filteredPairs([...labels].reverse(), options), /labels have changed/],
  ])("with %s is rejected", (_, make, reason) => {
    const pairs = make();
    const before = pairs.state();
    expect(() => pairs.restore(saved())).toThrow(expect.objectContaining({ code: "CHECKPOINT_MISMATCH" }));
    expect(() => pairs.restore(saved())).toThrow(reason);
    expect(pairs.state()).toEqual(before);
  });

  it("that is corrupt anywhere is rejected or harmless, changes nothing when rejected, and never hangs", () => {
    const anything = fc.oneof(
      fc.jsonValue(),
      fc.constant(undefined),
      fc.constant(Number.NaN),
      fc.integer(),
      fc.double(),
    );
    let refused = 0;
    fc.assert(
      fc.property(fc.nat(), anything, (where, value) => {
        const pairs = filteredPairs(labels, options);
        take(pairs, 2);
        const before = pairs.state();
        const state = saved();
        const places = placesIn(state);
        const [owner, key] = places[where % places.length];
        if (Object.is(owner[key], value)) return;
        owner[key] = value;
        try {
          pairs.restore(state);
        } catch (error) {
          refused++;
          expect(error).toMatchObject({ code: expect.stringMatching(/^(CORRUPT_FILE|CHECKPOINT_MISMATCH)$/) });
          expect(pairs.state()).toEqual(before);
        }
        // Whatever was accepted, only pairs of existing pictures are drawn.
        for (const { left, right } of take(pairs, 30)) {
          expect(labels[left]).toBeDefined();
          expect(labels[right]).toBeDefined();
        }
      }),
      { numRuns: 2000 },
    );
    expect(refused).toBeGreaterThan(1500);
  });

  it("that holds a value without a string form is rejected like any other", () => {
    for (const value of [{ toString: null }, Number.NaN, undefined]) {
      for (const [where] of placesIn(saved()).entries()) {
        const state = saved();
        const [owner, key] = placesIn(state)[where];
        owner[key] = value;
        let refusal: unknown;
        try {
          filteredPairs(labels, options).restore(state);
        } catch (error) {
          refusal = error;
        }
        expect(refusal).toMatchObject({ code: expect.stringMatching(/^(CORRUPT_FILE|CHECKPOINT_MISMATCH)$/) });
      }
    }
  });

  it("of a wrong type is rejected", () => {
    for (const value of [undefined, null, 3, "state", [], {}]) {
      expect(() => filteredPairs(labels, options).restore(value as unknown as SamplerState)).toThrow(/invalid/);
    }
  });
});

/** Every place in a JSON value that holds something: its owner and its key. */
function placesIn(value: unknown): [Record<string, unknown>, string][] {
  if (typeof value !== "object" || value === null) return [];
  const owner = value as Record<string, unknown>;
  return Object.keys(owner).flatMap((key) => [
    [owner, key] as [Record<string, unknown>, string],
    ...placesIn(owner[key]),
  ]);
}
