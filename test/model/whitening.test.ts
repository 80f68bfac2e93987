// Within-class whitening against its definition, a case computed by hand, and invalid files.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decode } from "../../src/formats/safetensors.ts";
import { decodeSealed, encodeSealed } from "../../src/formats/seal.ts";
import { fitWhitening, whiten, whiteningOf, withWhitening } from "../../src/model/whitening.ts";
import { normal } from "../random.ts";
import { filled, rows } from "../recognition/rows.ts";

describe("fitWhitening", () => {
  it("by hand: two identities that differ along y, their pictures along x", () => {
    // Identity 1 at (-2, 0) and (2, 0), identity 2 at (-2, 4) and (2, 4): the mean is (0, 2), C = diag(4, 0), tr(C)/2 =
    // 2.
    const embeddings = [-2, 0, 2, 0, -2, 4, 2, 4];
    const whitening = fitWhitening(embeddings, [1, 1, 2, 2], { towers: 1, length: 2, shrinkage: 0.5 });
    const { mean, kernel } = whitening;
    expect([...(mean as Float64Array)]).toEqual([0, 2]);
    // C + 1/2 * 2 I = diag(5, 1).
    expect(kernel[0]).toBeCloseTo(1 / Math.sqrt(5), 12);
    expect([kernel[1], kernel[2], kernel[3]]).toEqual([0, 0, 1]);
    const [first] = rows(whiten(whitening, Float32Array.from([2, 4])), 2);
    expect(first[0]).toBeCloseTo(Math.sqrt(1 / 6), 6); // (2 / sqrt(5), 2), of length sqrt(24 / 5)
    expect(first[1]).toBeCloseTo(Math.sqrt(5 / 6), 6);
  });

  it("makes the within-class covariance the identity matrix, up to shrinkage", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 6 }), fc.integer({ min: 2, max: 5 }), fc.nat(), (length, people, seed) => {
        const each = length + 3;
        const embeddings = normal([people * each, length], seed).data;
        const labels = Array.from({ length: people * each }, (_, n) => Math.floor(n / each));
        const shrinkage = 1e-9;
        const { mean, kernel } = fitWhitening(embeddings, labels, { towers: 1, length, shrinkage });
        const y = rows(embeddings, length).map((x) =>
          x.map((_, i) =>
            x.slice(0, i + 1).reduce((sum, value, j) => sum + kernel[i * length + j] * (value - mean[j]), 0),
          ),
        );
        for (let i = 0; i < length; i++) {
          for (let j = 0; j < length; j++) {
            let covariance = 0;
            for (let person = 0; person < people; person++) {
              const own = y.filter((_, n) => labels[n] === person);
              const center = (k: number) => own.reduce((sum, row) => sum + row[k], 0) / each;
              for (const row of own) covariance += ((row[i] - center(i)) * (row[j] - center(j))) / y.length;
            }
            expect(covariance).toBeCloseTo(i === j ? 1 : 0, 5);
          }
        }
      }),
      { numRuns: 50 },
    );
  });

  it("refuses pictures that do not differ within an identity", () => {
    const fit = () => fitWhitening([1, 2, 3, 4], [1, 2], { towers: 1, length: 2, shrinkage: 0.1 });
    expect(fit).toThrow(/2 pictures of 2 people do not tell/);
  });
});

describe("whiten", () => {
  it("gives rows of unit length, and zeros for the mean itself", () => {
    const whitening = { towers: 1, length: 2, mean: [1, 2], kernel: [2, 0, -1, 3] };
    const [first, mean] = rows(whiten(whitening, Float32Array.from([2, 2, 1, 2])), 2);
    expect(first[0]).toBeCloseTo(2 / Math.sqrt(5), 6);
    expect(first[1]).toBeCloseTo(-1 / Math.sqrt(5), 6);
    expect(mean).toEqual([0, 0]);
  });
});

describe("several towers", () => {
  it("are each whitened separately, as a single tower would be", () => {
    const [first, second] = [normal([12, 3], 5).data, normal([12, 3], 6).data];
    const both = Float32Array.from({ length: 72 }, (_, at) => {
      const [n, i] = [Math.floor(at / 6), at % 6];
      return (i < 3 ? first : second)[n * 3 + (i % 3)];
    });
    const labels = Array.from({ length: 12 }, (_, n) => n % 4);
    const alone = [first, second].map((own) => {
      const given = Float32Array.from(own);
      return rows(whiten(fitWhitening(given, labels, { towers: 1, length: 3, shrinkage: 0.2 }), given), 3);
    });
    const found = rows(whiten(fitWhitening(both, labels, { towers: 2, length: 3, shrinkage: 0.2 }), both), 6);
    for (const [n, row] of found.entries()) {
      const expected = [...alone[0][n], ...alone[1][n]];
      for (const [i, value] of row.entries()) expect(value).toBeCloseTo(expected[i] / Math.SQRT2, 6);
    }
  });
});

describe("a model file", () => {
  const one = { towers: 1, length: 2 };

  it("keeps a whitening beside its content, and its digest", async () => {
    const bytes = await encodeSealed(new Map([["tower/dense/bias", filled([2])]]), { note: "kept" });
    expect(whiteningOf(decode(bytes), one)).toBeUndefined();
    const file = await decodeSealed(await withWhitening(bytes, { ...one, mean: [1, 2], kernel: [3, 0, 4, 5] }));
    expect(file.metadata.note).toBe("kept");
    expect([...file.tensors.keys()]).toContain("tower/dense/bias");
    const found = whiteningOf(file, one)!;
    expect([...(found.mean as Float32Array), ...(found.kernel as Float32Array)]).toEqual([1, 2, 3, 0, 4, 5]);
  });

  it.each<[string, [string, number[]][], RegExp]>([
    ["half a whitening", [["whitening/mean", [2]]], /"whitening\/kernel" is missing/],
    [
      "another length",
      [
        ["whitening/mean", [3]],
        ["whitening/kernel", [3, 3]],
      ],
      /3 and 9 values; 2 and 4 finite ones/,
    ],
  ])("refuses %s", async (_, tensors, reason) => {
    const file = decode(await encodeSealed(new Map(tensors.map(([name, shape]) => [name, filled(shape)])), {}));
    expect(() => whiteningOf(file, one)).toThrow(reason);
  });
});
