// The report is one file that needs nothing else, and shows what it was given.
import { describe, expect, test } from "vitest";
import { type Report, reportPage } from "../../src/node/report/page.ts";

const picture = "data:image/png;base64,iVBORw0KGgo=";
const verification = {
  pairs: 8,
  accuracy: 0.875,
  accuracyStd: 0.02,
  accuracyStandardError: 0.02 / Math.sqrt(10),
  auc: 0.98765,
  eer: 0.0625,
  tarAtFar: { "0.1": 0.75, "0.01": 0.5, "0.001": 0.25 },
  threshold: 0.7,
};
const roc = [
  { threshold: Number.NEGATIVE_INFINITY, falseAccept: 0, trueAccept: 0 },
  { threshold: 0.5, falseAccept: 0.1, trueAccept: 0.9 },
  { threshold: 3, falseAccept: 1, trueAccept: 1 },
];
const report: Report = {
  title: "a <b>title</b> & more",
  adapter: "an adapter",
  seed: 4,
  seconds: [{ name: "training", seconds: 61.26 }],
  people: { trained: 10, validation: 4, unseen: 6, pictures: 12 },
  network: "a network",
  training: { steps: 3, batchSize: 2, pairs: 6, stepsPerSecond: 1.5, losses: [0.9, 0.6, 0.3] },
  verification: { report: verification, roc, same: [1, 2, 3, 2], different: [-3, -2, -1, 1], threshold: 0.5 },
  baseline: { report: { ...verification, auc: 0.61234 }, roc },
  oneShot: { ways: 20, trials: 100, accuracy: 0.8, baseline: 0.2 },
  pairs: [
    { title: "right ones", right: true, pairs: [{ left: picture, right: picture, probability: 0.93 }] },
    { title: "wrong ones", right: false, pairs: [] },
  ],
  identification: {
    enrolled: [{ name: "Ada", picture }],
    probes: [
      { picture, truth: "Ada", answer: "Ada" },
      { picture, truth: "Ada", answer: null },
      { picture, truth: null, answer: null },
    ],
    threshold: 0.25,
  },
  engine: { launches: 42, bytes: 3 * 2 ** 20, kernels: [{ kernel: "conv2d.forward", launches: 4, nanoseconds: 5e6 }] },
};

describe("the report", () => {
  const page = reportPage(report);

  test("loads nothing: no scripts, and no address but those of XML namespaces", () => {
    expect(page).not.toMatch(/<script|<link|<iframe|@import|javascript:/i);
    const addresses = page.match(/(?:https?:)?\/\/[\w.-]+[^\s"'<>)]*/g) ?? [];
    expect(addresses.filter((address) => !/^http:\/\/www\.w3\.org\/(2000\/svg|1999\/xlink)$/.test(address))).toEqual(
      [],
    );
    for (const [, source] of page.matchAll(/(?:src|href)="([^"]*)"/g))
      expect(source).toMatch(/^(data:image\/png;base64,|#)/);
    for (const [, source] of page.matchAll(/url\(([^)]*)\)/g)) expect(source).toMatch(/^["']?#/);
  });

  test("draws the loss curve, the ROC and the histogram", () => {
    expect(page.match(/<svg /g)).toHaveLength(3);
    for (const label of ["Training loss", "Receiver operating characteristic", "Distribution of scores"]) {
      expect(page).toContain(`aria-label="${label}`);
    }
  });

  test("shows the figures beside the baseline's", () => {
    for (const figure of ["0.9877", "0.6123", "87.5 %", "6.3 %", "20-way", "80.0 %", "61 s", "an adapter"]) {
      expect(page).toContain(figure);
    }
  });

  test("shows pairs, answers, strangers and kernels", () => {
    expect(page).toContain("93 %");
    expect(page).toContain("None.");
    expect(page).toContain("1 of 2 right");
    expect(page).toContain("1 of 1 right");
    expect(page).toMatch(/conv2d\.forward<\/code><\/th><td>4<\/td><td>5\.000<\/td><td>100\.0 %/);
  });

  test("escapes text", () => {
    expect(page).toContain("a &lt;b&gt;title&lt;/b&gt; &amp; more");
    expect(page).not.toContain("<b>title");
  });

  test("says so where the adapter has no timestamps", () => {
    const without = reportPage({ ...report, engine: { ...report.engine, kernels: null } });
    expect(without).toContain("no timestamps");
  });
});
