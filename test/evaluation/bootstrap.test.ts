// Confidence intervals over identities, compared with their definitions and with hand-computed cases.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { allPairs, pairsPerIdentity } from "../../src/data/sampling/evaluationPairs.ts";
import {
  enclosing,
  normalQuantile,
  percentileInterval,
  resampled,
  shareInterval,
  wilsonInterval,
} from "../../src/evaluation/bootstrap.ts";
import { verificationIntervals } from "../../src/evaluation/intervals.ts";
import { areaUnderCurve, equalErrorRate, roc } from "../../src/evaluation/metrics.ts";
import { falseAcceptRates } from "../../src/evaluation/verificationReport.ts";
import { normal } from "../random.ts";
import * as reference from "../reference/network/verification.ts";

describe("resampled", () => {
  it("draws as many identities as there are, uniformly, and deterministically for a seed", () => {
    const draw = (seed: number) => Array.from(resampled(20, { resamples: 500, seed }), (weights) => [...weights]);
    const weights = draw(1);
    expect(weights).toHaveLength(500);
    for (const own of weights) expect(own.reduce((sum, w) => sum + w)).toBe(20);
    for (let i = 0; i < 20; i++) {
      const mean = weights.reduce((sum, own) => sum + own[i], 0) / 500;
      expect(Math.abs(mean - 1)).toBeLessThan(4 * Math.sqrt(0.95 / 500)); // binomial: variance 1 - 1/20
    }
    expect(draw(1)).toEqual(weights);
    expect(draw(2)).not.toEqual(weights);
  });
});

describe("percentileInterval", () => {
  it("is the middle of the values, widened to the estimate (by hand)", () => {
    const values = [5, 1, 3, 2, 4];
    expect(percentileInterval(values, 3, 0.5)).toEqual([2, 4]);
    expect(percentileInterval(values, 3, 0.75)).toEqual([1.5, 4.5]);
    expect(percentileInterval(values, 6, 0.5)).toEqual([2, 6]);
    expect(percentileInterval([], 6, 0.5)).toEqual([6, 6]);
  });
});

describe("wilsonInterval", () => {
  // E. Wilson 1927 at 95 %, z = 1.959964: (p + z^2/2n ± z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n).
  it.each([
    [0.5, 10, 0.236593, 0.763407],
    [0, 10, 0, 0.277533], // z^2 / (n + z^2)
    [1, 300, 0.987357, 1],
    [0.9, 50, 0.786398, 0.956524],
  ])("%f of %i: %f to %f (by hand)", (share, count, lower, upper) => {
    const [a, b] = wilsonInterval(share, count, 0.95);
    expect(a).toBeCloseTo(lower, 5);
    expect(b).toBeCloseTo(upper, 5);
  });
});

describe("normalQuantile", () => {
  it.each([
    [0.975, 1.959963984540054],
    [0.5, 0],
    [0.001, -3.090232306167813],
    [1e-6, -4.753424308822899],
    [0.8413447460685429, 1],
    [0.02, -2.053748910631823],
  ])("%f: %f (from tables)", (p, z) => expect(normalQuantile(p)).toBeCloseTo(z, 7));
});

describe("shareInterval", () => {
  const people = (count: number, hits: number) =>
    Array.from({ length: count }, (_, identity) => ({ identities: [identity], hit: identity < hits }));

  it("is the bootstrap with each outcome weighted by the multiplicity of its identities", () => {
    const outcomes = [
      { identities: [7], hit: true },
      { identities: [7, 9], hit: false },
      { identities: [9], hit: true },
      { identities: [9, 3], hit: true },
    ];
    const options = { resamples: 200, seed: 5, level: 0.8 };
    const shares: number[] = [];
    for (const [three, seven, nine] of resampled(3, options)) {
      const times = [seven, seven * nine, nine, nine * three];
      const all = times[0] + times[1] + times[2] + times[3];
      if (all > 0) shares.push((all - times[1]) / all);
    }
    const bootstrap = percentileInterval(shares, 0.75, 0.8);
    expect(shareInterval(outcomes, options)).toEqual(enclosing(bootstrap, wilsonInterval(0.75, 4, 0.8)));
  });

  it("contains the proportion, and shrinks about as the root of the number of identities", () => {
    const widths = [10, 40, 160, 640].map((count) => {
      const [lower, upper] = shareInterval(people(count, count / 2), { resamples: 400 });
      expect(lower).toBeLessThan(0.5);
      expect(upper).toBeGreaterThan(0.5);
      return upper - lower;
    });
    for (let i = 1; i < widths.length; i++) {
      expect(widths[i] / widths[i - 1]).toBeGreaterThan(0.4);
      expect(widths[i] / widths[i - 1]).toBeLessThan(0.65);
    }
  });

  it("is wider where few identities have many outcomes each", () => {
    const few = Array.from({ length: 200 }, (_, n) => ({ identities: [n % 5], hit: n % 5 < 3 }));
    const [lower, upper] = shareInterval(few);
    const [alone, together] = wilsonInterval(0.6, 200, 0.95);
    expect(upper - lower).toBeGreaterThan(2 * (together - alone));
  });

  it("has an upper end of 1.3 % for no error in 300 trials", () => {
    const [lower, upper] = shareInterval(people(300, 0));
    expect(lower).toBe(0);
    expect(upper).toBeCloseTo(0.01264, 5);
  });

  it("counts pairs of identities as independent units where nothing happened (by hand)", () => {
    // Ten pictures each of three people: 300 impostor pairs, but three pairs of identities. z^2 / (3 + z^2) = 0.561.
    const pairs = [
      [0, 1],
      [1, 2],
      [0, 2],
    ].flatMap((identities) => Array.from({ length: 100 }, () => ({ identities, hit: false })));
    const [lower, upper] = shareInterval(pairs);
    expect(lower).toBe(0);
    expect(upper).toBeCloseTo(0.5615, 4);
  });

  it("promises almost nothing from one pair of identities, however many pictures they have (by hand)", () => {
    // Every resample that has the pair has the same outcomes. Wilson's interval of one trial is as wide as it gets.
    const pairs = Array.from({ length: 100 }, (_, n) => ({ identities: [0, 1], hit: n < 10 }));
    const [lower, upper] = shareInterval(pairs);
    expect([lower, upper]).toEqual(wilsonInterval(0.1, 1, 0.95));
    expect(upper).toBeGreaterThan(0.8);
  });

  it("rejects an empty list", () => expect(() => shareInterval([])).toThrow(/at least one outcome/));
});

describe("verificationIntervals", () => {
  /** Distances for identities that vary in how well they are recognized. */
  function people(identities: number, pictures: number, seed: number) {
    const labels = Array.from({ length: identities * pictures }, (_, n) => Math.floor(n / pictures));
    const pairs = pairsPerIdentity(labels, { perIdentity: 10, seed });
    const ease = normal([identities], seed).data;
    const noise = normal([pairs.length], seed + 1).data;
    const scored = pairs.map(({ left, right, same }, n) => ({
      same,
      distance: (same ? 0 : 2) - (ease[labels[left]] + ease[labels[right]]) / 4 + noise[n],
    }));
    return { labels, pairs, scored };
  }

  it("is the percentile interval of metrics of the resampled pairs (by definition)", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(5), fc.integer({ min: 0, max: 4 })), { minLength: 3, maxLength: 8 }),
        fc.nat(100),
        (pictures, seed) => {
          const labels = pictures.map(([label]) => label);
          const pairs = allPairs(labels);
          fc.pre(pairs.some(({ same }) => same) && pairs.some(({ same }) => !same));
          const scored = pairs.map(({ left, right, same }) => ({
            same,
            distance: Math.abs(pictures[left][1] - pictures[right][1]),
          }));
          const options = { resamples: 40, seed, level: 0.9 };
          const found = verificationIntervals(scored, pairs, labels, ["0.1", "0.4"], options);
          const present = [...new Set(labels)].sort((a, b) => a - b);
          if (present.length < 3) {
            expect(found).toBeNull();
            return;
          }
          const drawn: ReturnType<typeof reference.repeated>[] = [];
          for (const weights of resampled(present.length, options)) {
            const of = (picture: number) => weights[present.indexOf(labels[picture])];
            const times = pairs.map(({ left, right, same }) => (same ? of(left) : of(left) * of(right)));
            const own = reference.repeated(scored, times);
            if (own.some(({ same }) => same) && own.some(({ same }) => !same)) drawn.push(own);
          }
          const expected = (figure: (pairs: typeof scored) => number) => {
            const estimate = figure(scored);
            const values = drawn.map(figure);
            if (values.length === 0) return [estimate, estimate];
            const [lower, upper] = [reference.quantile(values, 0.05), reference.quantile(values, 0.95)];
            return [Math.min(estimate, lower), Math.max(estimate, upper)];
          };
          const close = (actual: readonly number[], [lower, upper]: readonly number[]) => {
            expect(actual[0]).toBeCloseTo(lower, 12);
            expect(actual[1]).toBeCloseTo(upper, 12);
          };
          if (!found) throw new Error("there are no intervals");
          expect(found).toMatchObject({ level: 0.9, resamples: 40, identities: present.length });
          close(found.auc, expected(reference.areaUnderCurve));
          close(found.eer, expected(reference.equalErrorRate));
          const ofOne = scored.filter(({ same }) => same).length;
          for (const far of ["0.1", "0.4"]) {
            const [lower, upper] = expected((own) => reference.trueAcceptAt(own, Number(far)));
            const share = reference.trueAcceptAt(scored, Number(far));
            const people = new Set(pairs.flatMap(({ left, same }) => (same ? [labels[left]] : []))).size;
            const wilson = wilsonInterval(share, share === 0 || share === 1 || people === 1 ? people : ofOne, 0.9);
            close(found.tarAtFar[far], enclosing([lower, upper], wilson));
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  it("contains the true equal error rate as often as its level says", () => {
    const truth = equalErrorRate(roc(people(1000, 5, 77).scored));
    let held = 0;
    for (let trial = 0; trial < 40; trial++) {
      const { labels, pairs, scored } = people(30, 5, 1000 + 2 * trial);
      const { eer } = verificationIntervals(scored, pairs, labels, [], { resamples: 200 })!;
      if (eer[0] <= truth && truth <= eer[1]) held++;
    }
    expect(held).toBeGreaterThanOrEqual(34); // of 40 at 95 %: fewer has a chance of 1 %
  });

  it("is null for two identities, whose resamples with both kinds of pairs are all the same", () => {
    const { labels, pairs, scored } = people(2, 5, 3);
    expect(areaUnderCurve(roc(scored))).toBeLessThan(1);
    expect(verificationIntervals(scored, pairs, labels, falseAcceptRates)).toBeNull();
    const three = people(3, 5, 3);
    const { auc } = verificationIntervals(three.scored, three.pairs, three.labels, [])!;
    expect(auc[1]).toBeGreaterThan(auc[0]);
  });

  it("shrinks as identities are added", () => {
    const width = (identities: number) => {
      const { labels, pairs, scored } = people(identities, 5, 3);
      const { auc, tarAtFar } = verificationIntervals(scored, pairs, labels, falseAcceptRates, { resamples: 300 })!;
      return [auc, ...Object.values(tarAtFar)].map(([lower, upper]) => upper - lower);
    };
    const [few, many] = [width(12), width(200)];
    for (const [n, own] of few.entries()) expect(many[n]).toBeLessThan(0.6 * own);
  });

  it("resamples 10,000 pairs 1,000 times within seconds", () => {
    const { labels, pairs, scored } = people(500, 20, 1);
    expect(scored.length).toBe(10_000);
    const started = performance.now();
    verificationIntervals(scored, pairs, labels, falseAcceptRates);
    expect(performance.now() - started).toBeLessThan(30_000); // 1 s on a quiet machine; this one may be busy
  });
});
