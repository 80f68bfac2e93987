import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Dataset } from "../../../src/data/dataset.ts";
import { findPairs, parsePairs } from "../../../src/data/sources/lfw.ts";
import { parseClassLabels, runTrials } from "../../../src/data/sources/omniglot.ts";
import { TwingradError } from "../../../src/errors.ts";

const ada = (number: number) => ({ name: "Ada_Lovelace", number });
const list =
  "2\t1\nAda_Lovelace\t1\t2\nAda_Lovelace\t3\tAlan_Turing\t1\nKurt Gödel\t1\t4\nAlan_Turing\t1\tKurt Gödel\t2\n";

describe("parsePairs", () => {
  it("reads sets of genuine pairs, then of impostor pairs", () => {
    expect(parsePairs(list)).toEqual([
      { left: ada(1), right: ada(2), same: true, set: 0 },
      { left: ada(3), right: { name: "Alan_Turing", number: 1 }, same: false, set: 0 },
      { left: { name: "Kurt Gödel", number: 1 }, right: { name: "Kurt Gödel", number: 4 }, same: true, set: 1 },
      { left: { name: "Alan_Turing", number: 1 }, right: { name: "Kurt Gödel", number: 2 }, same: false, set: 1 },
    ]);
  });

  it("reads a single set, CRLF line ends, spaces for tabs, and no final newline", () => {
    const one = parsePairs("1\r\nAda_Lovelace 1 2\r\nAda_Lovelace 3 Alan_Turing 0001");
    expect(one.map(({ same, set }) => [same, set])).toEqual([
      [true, 0],
      [false, 0],
    ]);
    expect(one[1].right).toEqual({ name: "Alan_Turing", number: 1 });
  });

  it.each<[string, string, RegExp]>([
    ["nothing", "", /^line 1: expected the number of sets and of pairs/],
    ["names first", "Ada\t1\t2\n", /^line 1: /],
    ["no sets", "0\t300\n", /^line 1: /],
    ["too few pairs", "1\t2\nA\t1\t2\n", /^line 2: expected 4 lines for 1 sets of 2 pairs of each kind; 1 follow/],
    ["too many pairs", `${list}A\t1\t2\n`, /expected 4 lines .*; 5 follow/],
    ["kinds in another order", "1\nA\t1\tB\t1\nA\t1\t2\n", /^line 2: expected name, number, number, not "A\t1\tB\t1"/],
    ["an invalid number", "1\nA\t1\tx\nA\t1\tB\t1\n", /^line 2: expected the number of a picture, not "x"/],
    ["a number 0", "1\nA\t1\t2\nA\t0\tB\t1\n", /^line 3: expected the number of a picture, not "0"/],
  ])("refuses %s", (_, text, reason) => {
    expect(() => parsePairs(text)).toThrow(reason);
  });

  it("parses any text to pairs or throws a TwingradError", () => {
    const change = fc.tuple(fc.nat(list.length), fc.nat(3), fc.string({ maxLength: 3 }));
    fc.assert(
      fc.property(fc.array(change, { maxLength: 4 }), (changes) => {
        let text = list;
        for (const [at, removed, added] of changes) text = text.slice(0, at) + added + text.slice(at + removed);
        try {
          parsePairs(text);
        } catch (error) {
          expect(error).toBeInstanceOf(TwingradError);
        }
      }),
      { numRuns: 2000, interruptAfterTimeLimit: 10_000 },
    );
  });
});

describe("findPairs", () => {
  const dataset = (...files: [string, string][]): Dataset => {
    const identities = [...new Set(files.map(([identity]) => identity))];
    const decode = async () => new Uint8Array();
    return { identities, items: files.map(([who, name]) => ({ identity: identities.indexOf(who), name, decode })) };
  };

  it("finds pictures by the identity or its last part, and the number at the end of the file name", () => {
    const faces = dataset(
      ["lfw/Ada_Lovelace", "lfw/Ada_Lovelace/Ada_Lovelace_0002.jpg"],
      ["lfw/Ada_Lovelace", "lfw/Ada_Lovelace/Ada_Lovelace_0001.jpg"],
      ["lfw/Ada_Lovelace", "lfw/Ada_Lovelace/Ada_Lovelace_0003.jpg"],
      ["s1", "s1/1.pgm"],
      ["Kurt Gödel", "faces.tfrecord: record 12: Kurt Gödel/picture4.png"],
      ["Kurt Gödel", "faces.tfrecord: record 12"], // the record's number is no picture's
    );
    const text = "2\nAda_Lovelace\t1\t2\nlfw/Ada_Lovelace\t3\t1\nAda_Lovelace\t3\ts1\t1\nKurt Gödel\t4\ts1\t1";
    const { pairs, sets } = findPairs(faces, parsePairs(text));
    expect(pairs).toEqual([
      { left: 1, right: 0, same: true },
      { left: 2, right: 1, same: true },
      { left: 2, right: 3, same: false },
      { left: 4, right: 3, same: false },
    ]);
    expect([...sets]).toEqual([0, 0, 0, 0]);
    const missing = parsePairs("1\nAda_Lovelace\t1\t12\nKurt Gödel\t12\ts1\t1");
    expect(() => findPairs(faces, missing)).toThrow(
      /^2 pictures of the pair list are missing; the first is Ada_Lovelace 12/,
    );
  });
});

describe("Omniglot's runs", () => {
  it("reads trials, and finds each answer's position among the training drawings", () => {
    const questions = parseClassLabels(
      "run01/test/item01.png run01/training/class10.png\r\nrun01/test/item02.png run01/training/class02.png\n\n",
    );
    const training = ["class10", "class01", "class02"].map((name) => `run01/training/${name}.png`);
    expect(runTrials(questions, training)).toEqual({
      support: [1, 2, 10].map((n) => `run01/training/class${String(n).padStart(2, "0")}.png`),
      trials: [
        { probe: "run01/test/item01.png", answer: 2 },
        { probe: "run01/test/item02.png", answer: 1 },
      ],
    });
    expect(() => runTrials(questions, training.slice(1))).toThrow(
      /class10\.png is not among the run's training drawings/,
    );
  });

  it.each(["", "a.png", "a b c", "/etc/passwd b.png", "../a.png b.png", "a.png x/../../b.png"])(
    "refuses %j",
    (text) => {
      expect(() => parseClassLabels(text)).toThrow(TwingradError);
    },
  );
});

it("pair lists and runs find names however their accents are composed", () => {
  const [composed, decomposed] = ["G\u00f6del", "Go\u0308del"];
  const items = [1, 2].map((n) => ({
    identity: 0,
    name: `${composed}/${n}.jpg`,
    decode: async () => new Uint8Array(),
  }));
  const other = { identity: 1, name: "Ada/1.jpg", decode: async () => new Uint8Array() };
  const dataset: Dataset = { identities: [composed, "Ada"], items: [...items, other] };
  const pairs = parsePairs(`\ufeff1\n ${decomposed}\t1\t2\n${decomposed} \t1\tAda\t1\n`);
  expect(findPairs(dataset, pairs).pairs.map(({ left, right }) => [left, right])).toEqual([
    [0, 1],
    [0, 2],
  ]);
  const [question] = parseClassLabels(`run01/test/${decomposed}.png run01/training/${decomposed}.png`);
  expect(runTrials([question], [`run01/training/${composed}.png`]).trials).toMatchObject([{ answer: 0 }]);
});
