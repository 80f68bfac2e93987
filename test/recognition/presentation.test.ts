import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { LivenessDataset } from "../../src/data/liveness.ts";
import {
  crossFittedReport,
  errorsAt,
  livenessReport,
  type Presentation,
  thresholdOf,
} from "../../src/recognition/presentation.ts";

/** "l9 s2": scores of live people and of pictures (spoofs) of people. */
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

  it("needs both kinds, and numbers", () => {
    expect(() => errorsAt(parse("l1 l2"), 0)).toThrow(/there are 2 and 0 pictures/);
    expect(() => errorsAt(parse("s1"), 0)).toThrow(/there are 0 and 1 pictures/);
    expect(() => errorsAt(parse("l1 sNaN"), 0)).toThrow(/not a number/);
  });
});

describe("thresholdOf", () => {
  it.each([
    ["s1 s2 l5 l6", 3.5], // in the middle of the gap between the kinds
    ["s1 l2 s3 l4", 2.5], // one of two wrong on either side
    ["s0 s1 s2 l2 l3", 1.5], // a tie is not cut: 1/3 against 0 below it is nearer than 0 against 1/2 above
  ])("of %s is %f", (text, threshold) => {
    expect(thresholdOf(parse(text))).toBe(threshold);
  });

  it("no cut between two scores brings the two errors nearer to one another", () => {
    fc.assert(
      fc.property(some, (all) => {
        const scores = [...new Set(all.map(({ score }) => score))].sort((a, b) => a - b);
        fc.pre(scores.length > 1);
        const apart = (threshold: number) => {
          const { apcer, bpcer } = errorsAt(all, threshold);
          return Math.abs(apcer - bpcer);
        };
        const cuts = scores.slice(1).map((score, n) => (score + scores[n]) / 2);
        expect(apart(thresholdOf(all))).toBeCloseTo(Math.min(...cuts.map(apart)), 12);
      }),
    );
  });

  it("separates neighbouring floating-point numbers", () => {
    const all: Presentation[] = [
      { live: false, score: 1 },
      { live: true, score: 1 + Number.EPSILON },
    ];
    expect(errorsAt(all, thresholdOf(all)).hter).toBe(0);
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

  it("judges each person by the others' threshold (by hand)", () => {
    // Person 0: live 10, spoof 4. Person 1: live 3, spoof 1. Of person 1 the threshold is 2, by which person 0's spoof
    // passes; of person 0 it is 7, by which person 1's live picture is refused. Of both together: 3.5.
    const people = dataset([0, 0, 1, 1], [true, false, true, false]);
    const report = crossFittedReport(parse("l10 s4 l3 s1"), people);
    expect(report).toMatchObject({ apcer: 1 / 2, bpcer: 1 / 2, hter: 1 / 2, live: 2, spoof: 2, threshold: 3.5 });
    // Judged by a threshold that they set themselves the four would look better: one of two wrong on one side at most.
    expect(report.eer).toBe(0.5);
  });

  it("leaves nobody's own pictures in what judges them, with more than ten people, too", () => {
    const count = 23;
    const identities = Array.from({ length: 2 * count }, (_, n) => n >> 1);
    const people = dataset(
      identities,
      identities.map((_, n) => n % 2 === 0),
    );
    // One person's spoof scores above everything: it can be refused by its own threshold only.
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
