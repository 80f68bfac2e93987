// Groups of pictures: parsed from their names, held out whole, drawn equally often.
import { describe, expect, it } from "vitest";
import type { Dataset } from "../../src/data/dataset.ts";
import { grouped, groupsOf, splitGroups } from "../../src/data/groups.ts";
import { balancedLiveness, type LivenessDataset } from "../../src/data/sources/livenessDataset.ts";
import { take } from "./stubDataset.ts";

const decode = async () => new Uint8Array();
const dataset = (names: readonly string[], identities = 2): Dataset => ({
  identities: Array.from({ length: identities }, (_, i) => `person ${i}`),
  items: names.map((name, i) => ({ name, identity: i % identities, decode })),
});

describe("grouped", () => {
  it("takes the first capture group of the path below the folder, or a folder above the picture", () => {
    const files = dataset(["/data/x_01/day_02_1.jpg", "/data/x_01/day_03_2.jpg"]);
    expect(grouped(files, "_(\\d\\d)_\\d+\\.jpg$").items.map(({ group }) => group)).toEqual(["02", "03"]);
    expect(grouped(files, "^([a-z])_", "/data/").items.map(({ group }) => group)).toEqual(["x", "x"]);
    expect(groupsOf(grouped(dataset(["a/10/p/1.jpg", "a/9/p/1.jpg"]), "2"))).toEqual(["9", "10"]);
    expect(groupsOf(files)).toEqual([]);
  });

  it.each([
    ["(", /--group-by \(: /],
    ["\\d", /missing capture group/],
    ["_(\\d\\d)_", /b\.jpg: .* does not match/],
    ["3", /does not match/],
  ])("refuses %s", (rule, reason) => {
    expect(() => grouped(dataset(["x_01_a.jpg", "b.jpg"]), rule)).toThrow(reason);
  });
});

describe("splitGroups", () => {
  const names = ["1", "2", "3"].flatMap((day) => [0, 1, 2, 3].map((n) => `day${day}/${n}.jpg`));
  const days = grouped(dataset(names), "day(\\d)");

  it("holds out whole groups, each in one fold, with the identities of each part", () => {
    const held = [1, 2, 3].map((number) => splitGroups(days, { fraction: 0, fold: { number, of: 3 }, seed: 1 }));
    expect(held.map(({ heldOut }) => groupsOf(heldOut))).toEqual([["1"], ["2"], ["3"]]);
    expect(groupsOf(held[0].training)).toEqual(["2", "3"]);
    expect(held[0].heldOut.identities).toEqual(["person 0", "person 1"]);
    const { training, heldOut } = splitGroups(days, { fraction: 0.2, seed: 5 });
    expect([groupsOf(training).length, groupsOf(heldOut).length]).toEqual([2, 1]);
  });

  it("rejects more folds than groups, and a part with one identity", () => {
    const fold = { number: 1, of: 4 };
    expect(() => splitGroups(days, { fraction: 0, fold, seed: 1 })).toThrow(/part 1\/4 of the 3 groups 1, 2, 3/);
    const alone = grouped(dataset(["1/0.jpg", "2/0.jpg", "2/1.jpg"]), "1");
    expect(() => splitGroups(alone, { fraction: 0, fold: { number: 1, of: 2 }, seed: 1 })).toThrow(/two identities/);
  });
});

describe("balancedLiveness", () => {
  it("draws groups of a kind equally often, however many pictures they have", () => {
    const items = Array.from({ length: 44 }, (_, i) => {
      return { name: `${i}`, identity: i % 2, decode, live: i % 4 < 2, group: i < 40 ? "long" : "short" };
    });
    const people: LivenessDataset = { identities: ["a", "b"], items };
    const drawn = take(balancedLiveness(people, { seed: 1 }), 2000).map(({ picture }) => items[picture]);
    const short = drawn.filter(({ group }) => group === "short").length;
    expect(Math.abs(short - 1000)).toBeLessThan(5 * Math.sqrt(500));
    expect(drawn.filter(({ live }) => live)).toHaveLength(1000);
  });
});
