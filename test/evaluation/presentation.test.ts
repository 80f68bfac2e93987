import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LivenessDataset } from "../../src/data/sources/livenessDataset.ts";
import {
  crossFittedReport,
  errorsAt,
  livenessReport,
  type Presentation,
  thresholdOf,
} from "../../src/evaluation/presentation.ts";

/** "l9 s2": scores of bona fide presentations (l) and of attacks (s). */
const parse = (text: string): Presentation[] =>
  text.split(" ").map((word) => ({ live: word[0] === "l", score: Number(word.slice(1)) }));

/** Few distinct scores, so that ties are common; at least one of each kind. */
const some = fc
  .array(fc.record({ score: fc.integer({ min: -6, max: 6 }).map((n) => n / 4), live: fc.boolean() }), {
    minLength: 2,
    maxLength: 30,
  })
  .filter((all) => all.some(({ live }) => live) && all.some(({ live }) => !live));

describe("errorsAt", () => {
  it("counts (by hand)", () => {
    const all = parse("l1 l4 l5 l6 l7 s0 s2 s4 s9");
    // At 4: of the live 1 of 5 is below; of the attacks 4 and 9 pass, 2 of 4.
    expect(errorsAt(all, 4)).toEqual({ apcer: 1 / 2, bpcer: 1 / 5, hter: (1 / 2 + 1 / 5) / 2 });
    expect(errorsAt(all, 100)).toEqual({ apcer: 0, bpcer: 1, hter: 1 / 2 });
    expect(errorsAt(all, -100)).toEqual({ apcer: 1, bpcer: 0, hter: 1 / 2 });
  });

  it("requires both kinds, and rejects NaN", () => {
    expect(() => errorsAt(parse("l1 l2"), 0)).toThrow(/there are 2 and 0 pictures/);
    expect(() => errorsAt(parse("s1"), 0)).toThrow(/there are 0 and 1 pictures/);
    expect(() => errorsAt(parse("l1 sNaN"), 0)).toThrow(/NaN/);
  });
});

describe("thresholdOf", () => {
  it("is halfway between symmetric kinds, whatever one outlier does", () => {
    expect(thresholdOf(parse("s1 s2 l5 l6"))).toBeCloseTo(3.5, 6);
    expect(thresholdOf(parse("s1 s2 s3 l2 l3 l4"))).toBeCloseTo(2.5, 6);
    const many = Array.from({ length: 50 }, (_, n) => `s${-6 + n / 100} l${5 + n / 100}`).join(" ");
    // The gap between the kinds is -5.5 to -3: its middle would be -4.25, of even odds nothing.
    const threshold = thresholdOf(parse(`${many} l-3`));
    expect(threshold).toBeGreaterThan(-3.5);
    expect(threshold).toBeLessThan(1);
  });

  it("is where the cross-entropy of a logistic regression is least", () => {
    fc.assert(
      fc.property(some, fc.double({ min: 0.5, max: 3, noNaN: true }), (all, shift) => {
        const presentations = all.map(({ live, score }) => ({ live, score: score + (live ? shift : 0) }));
        const threshold = thresholdOf(presentations);
        const ofKind = (kind: boolean) => presentations.filter(({ live }) => live === kind);
        const [live, spoof] = [ofKind(true), ofKind(false)];
        const mean = (own: readonly Presentation[]) => own.reduce((sum, { score }) => sum + score, 0) / own.length;
        fc.pre(mean(live) > mean(spoof) + 0.1);
        // Platt's targets; the loss at the best slope for a boundary, which no other boundary may go below.
        const targets = { live: (live.length + 1) / (live.length + 2), spoof: 1 / (spoof.length + 2) };
        const loss = (boundary: number) => {
          let least = Number.POSITIVE_INFINITY;
          for (let slope = 0.02; slope < 60; slope *= 1.02) {
            let sum = 0;
            for (const { live, score } of presentations) {
              const z = slope * (score - boundary);
              sum += Math.max(z, 0) - z * (live ? targets.live : targets.spoof) + Math.log1p(Math.exp(-Math.abs(z)));
            }
            least = Math.min(least, sum);
          }
          return least;
        };
        for (const other of [-1, -0.3, 0.3, 1])
          expect(loss(threshold)).toBeLessThanOrEqual(loss(threshold + other) + 2e-3);
      }),
      { numRuns: 30 },
    );
  });

  it("is between the means for uninformative scores", () => {
    expect(thresholdOf(parse("s3 l1"))).toBe(2);
    expect(thresholdOf(parse("s1 l1"))).toBe(1);
  });
});

describe("livenessReport", () => {
  it("by hand", () => {
    // Of 4 x 3 couples of a live picture and an attack 10 are in order and one is a tie: 10.5 of 12.
    const report = livenessReport(parse("l2 l3 l4 l5 s0 s1 s3"), 2.5);
    expect(report).toMatchObject({ live: 4, spoof: 3, apcer: 1 / 3, bpcer: 1 / 4, threshold: 2.5 });
    expect(report.hter).toBeCloseTo(7 / 24, 12);
    expect(report.auc).toBeCloseTo(10.5 / 12, 12);
    // From (APCER 0, BPCER 1/2) at 4 to (1/3, 1/4) at 3 they meet at 0.5 - t/4 = t/3, t = 6/7.
    expect(report.eer).toBeCloseTo(2 / 7, 12);
  });
});

describe("crossFittedReport", () => {
  const dataset = (identities: number[], lives: boolean[]): LivenessDataset => ({
    identities: [...new Set(identities)].map((person) => `person ${person}`),
    items: identities.map((identity, n) => {
      return { identity, live: lives[n], name: `${n}`, decode: async () => new Uint8Array() };
    }),
  });

  it("scores each person at the others' threshold (by hand)", () => {
    // Person 0: live 10, spoof 4. Person 1: live 3, spoof 1. Person 1's threshold is 2, at which person 0's spoof
    // is accepted; person 0's is 7, at which person 1's live picture is rejected.
    const people = dataset([0, 0, 1, 1], [true, false, true, false]);
    const report = crossFittedReport(parse("l10 s4 l3 s1"), people);
    expect(report).toMatchObject({ apcer: 1 / 2, bpcer: 1 / 2, hter: 1 / 2, live: 2, spoof: 2 });
    expect(report.threshold).toBe(thresholdOf(parse("l10 s4 l3 s1")));
    // At a threshold set on themselves the four would look better: one of two wrong on one side at most.
    expect(report.eer).toBe(0.5);
  });

  it("sets no threshold with a person's own pictures, also with more than ten people", () => {
    const count = 23;
    const identities = Array.from({ length: 2 * count }, (_, n) => n >> 1);
    const people = dataset(
      identities,
      identities.map((_, n) => n % 2 === 0),
    );
    // One person's spoof scores above everything: only its own threshold could reject it.
    const presentations = people.items.map(({ identity, live }) => ({
      live,
      score: identity === 7 && !live ? 50 : live ? 10 + identity / 100 : identity / 100,
    }));
    const { apcer, bpcer } = crossFittedReport(presentations, people);
    expect(apcer).toBe(1 / count);
    expect(bpcer).toBeLessThanOrEqual(1 / count);
  });

  it("needs two people of each kind", () => {
    const people = dataset([0, 0, 1], [true, false, true]);
    expect(() => crossFittedReport(parse("l10 s4 l3"), people)).toThrow(/there are 2 and 1/);
  });
});
