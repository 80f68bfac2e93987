// Localized centering against its definition, a hand-computed case, and invalid files.
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decode } from "../../src/formats/safetensors.ts";
import { decodeSealed, encodeSealed } from "../../src/formats/seal.ts";
import { center, centeringOf, withCentering } from "../../src/model/centering.ts";
import { descriptionMetadata } from "../../src/model/description.ts";
import { fingerprintOfModel } from "../../src/model/fingerprint.ts";
import { siamese } from "../../src/nn/siamese.ts";
import { normal } from "../random.ts";
import { filled, rows } from "../recognition/rows.ts";

const unit = (row: readonly number[]) => row.map((value) => value / Math.hypot(...row));

describe("centre", () => {
  it("subtracts half of the nearest of three (by hand)", () => {
    // 0.3 of 3 members is one, rounded up: of (1, 0), (0, 1), (0, -1) that is (0, 1), and (0.6, 0.8) - 0.5 (0, 1) =
    // (0.6, 0.3).
    const cohort = Float32Array.of(1, 0, 0, 1, 0, -1);
    const [y] = rows(center({ share: 0.5, cohort, length: 2 }, Float32Array.of(0.6, 0.8)), 2);
    expect(y[0]).toBeCloseTo(2 / Math.sqrt(5), 6);
    expect(y[1]).toBeCloseTo(1 / Math.sqrt(5), 6);
  });

  it("matches the definition for random embeddings", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 6 }),
        fc.integer({ min: 1, max: 30 }),
        fc.nat(),
        (length, members, seed) => {
          const [cohort, x] = [normal([members, length], seed).data, normal([4, length], seed + 1).data].map((data) =>
            rows(data, length).map(unit),
          );
          const given = Float32Array.from(cohort.flat());
          const found = rows(center({ share: 0.9, cohort: given, length }, Float32Array.from(x.flat())), length);
          const dot = (a: readonly number[], b: readonly number[]) =>
            a.reduce((sum, value, i) => sum + value * b[i], 0);
          for (const [n, row] of x.entries()) {
            const near = [...cohort].sort((a, b) => dot(row, b) - dot(row, a)).slice(0, Math.ceil(0.3 * members));
            const mean = row.map((_, i) => near.reduce((sum, other) => sum + other[i] / near.length, 0));
            const rest = row.map((value, i) => value - 0.9 * mean[i]);
            if (Math.hypot(...rest) < 1e-3) continue; // float32 embeddings tell no direction there
            for (const [i, value] of unit(rest).entries()) expect(found[n][i]).toBeCloseTo(value, 3);
          }
        },
      ),
      { numRuns: 50 },
    );
  });
});

describe("a model file", () => {
  it("keeps a centering with its other content, and a valid digest", async () => {
    const bytes = await encodeSealed(new Map([["tower/dense/bias", filled([2])]]), { note: "kept" });
    expect(centeringOf(decode(bytes), 2)).toBeUndefined();
    const cohort = Float32Array.of(1, 0, 0, 1);
    const file = await decodeSealed(await withCentering(bytes, { share: 0.75, cohort, length: 2 }));
    expect(file.metadata.note).toBe("kept");
    expect(centeringOf(file, 2)).toEqual({ share: 0.75, cohort, length: 2 });
  });

  it("has another fingerprint with another cohort, since its embeddings differ", async () => {
    const { options: network } = siamese({ imageSize: [8, 8, 1], filters: [4], embedding: 2, seed: 1 });
    const description = { task: "recognition", network, loss: "contrastive", margin: 1 } as const;
    const bytes = await encodeSealed(
      new Map([["tower/dense/kernel", filled([1000])]]),
      descriptionMetadata(description, 1),
    );
    const fingerprints = [];
    for (const cohort of [Float32Array.of(1, 0), Float32Array.of(0, 1)]) {
      fingerprints.push(await fingerprintOfModel(await withCentering(bytes, { share: 0.75, cohort, length: 2 })));
    }
    expect(new Set([await fingerprintOfModel(bytes), ...fingerprints]).size).toBe(3);
  });

  it.each<[string, [string, number[], number?][], RegExp]>([
    ["half a centering", [["centring/share", [1]]], /"centring\/cohort" is missing/],
    [
      "another length",
      [
        ["centring/share", [1]],
        ["centring/cohort", [1, 3]],
      ],
      /cohort 3; expected 1 and rows of 2/,
    ],
    [
      "values that are not finite",
      [
        ["centring/share", [1]],
        ["centring/cohort", [1, 2], Number.NaN],
      ],
      /finite/,
    ],
  ])("refuses %s", async (_, tensors, reason) => {
    const all = new Map(tensors.map(([name, shape, value]) => [name, filled(shape, value)]));
    const file = decode(await encodeSealed(all, {}));
    expect(() => centeringOf(file, 2)).toThrow(reason);
  });
});
