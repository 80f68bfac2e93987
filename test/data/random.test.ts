import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { philox, Random, streams } from "../../src/data/random.ts";

describe("philox4x32-10", () => {
  // Known answers of the Random123 distribution (kat_vectors).
  it.each([
    [
      [0, 0, 0, 0],
      [0, 0],
      [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
    ],
    [
      [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
      [0xffffffff, 0xffffffff],
      [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
    ],
    [
      [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
      [0xa4093822, 0x299f31d0],
      [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
    ],
  ])("counter %j, key %j", (counter, key, expected) => {
    const words = Uint32Array.from(counter);
    philox(words, key[0], key[1]);
    expect(Array.from(words)).toEqual(expected);
  });
});

describe("Random", () => {
  it("depends on seed, stream and index, and on nothing else", () => {
    const draw = (seed: number, stream: number, index: number) => new Random(seed, stream, index).uniform();
    expect(draw(1, streams.split, 0)).toBe(draw(1, streams.split, 0));
    const values = [
      draw(1, streams.split, 0),
      draw(2, streams.split, 0),
      draw(2 ** 40 + 1, streams.split, 0),
      draw(1, streams.filter, 0),
      draw(1, streams.split, 1),
      draw(1, streams.split, 2 ** 32),
    ];
    expect(new Set(values).size).toBe(values.length);
  });

  it("draws integers uniformly (chi-square, 6 degrees of freedom, p = 0.001)", () => {
    const random = new Random(3, streams.trials);
    const counts = new Array(7).fill(0);
    const draws = 70_000;
    for (let i = 0; i < draws; i++) counts[random.integer(7)]++;
    const expected = draws / 7;
    const chi2 = counts.reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    expect(chi2).toBeLessThan(22.46);
  });

  it("shuffles uniformly", () => {
    const random = new Random(4, streams.trials);
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const order = random.shuffle([0, 1, 2, 3]).join("");
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    expect(counts.size).toBe(24);
    const chi2 = [...counts.values()].reduce((sum, count) => sum + (count - 1000) ** 2 / 1000, 0);
    expect(chi2).toBeLessThan(49.73); // 23 degrees of freedom, p = 0.001
  });

  it("has uniform numbers with the moments of the uniform distribution", () => {
    const random = new Random(5, streams.trials);
    let sum = 0;
    let squares = 0;
    const count = 100_000;
    for (let i = 0; i < count; i++) {
      const value = random.uniform();
      sum += value;
      squares += value * value;
    }
    expect(Math.abs(sum / count - 1 / 2)).toBeLessThan(0.004);
    expect(Math.abs(squares / count - 1 / 3)).toBeLessThan(0.004);
  });

  it("continues from a position, whatever mixture of numbers was drawn before", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 1000 }), { maxLength: 30 }), fc.nat(), (draws, elsewhere) => {
        const random = new Random(6, streams.trials, 3);
        for (const n of draws) {
          if (n === 0) random.uniform();
          else random.integer(n);
        }
        const other = new Random(6, streams.trials, 3);
        other.position = elsewhere;
        expect(other.position).toBe(elsewhere);
        other.position = random.position;
        expect(Array.from({ length: 9 }, () => other.uint32())).toEqual(
          Array.from({ length: 9 }, () => random.uint32()),
        );
        expect(other.position).toBe(random.position);
      }),
    );
    for (const value of [-1, 0.5, Number.NaN, 2 ** 35]) {
      expect(() => (new Random(1, 1).position = value)).toThrow(/position must be an integer/);
    }
  });

  it("chooses every subset in every order equally often", () => {
    const random = new Random(7, streams.trials);
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const key = random.distinct(2, 4).join("");
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    const chi2 = [...counts.values()].reduce((sum, count) => sum + (count - 2000) ** 2 / 2000, 0);
    expect(counts.size).toBe(12);
    expect(chi2).toBeLessThan(31.26); // 11 degrees of freedom, p = 0.001
    expect(random.distinct(0, 5)).toEqual([]);
    expect(random.distinct(5, 5).sort()).toEqual([0, 1, 2, 3, 4]);
  });

  it.each([-1, 0.5, Number.NaN, 2 ** 53])("rejects the seed %s", (seed) => {
    expect(() => new Random(seed, 1)).toThrow(/seed must be an integer/);
  });
});
