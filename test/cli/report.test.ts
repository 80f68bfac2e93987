// The report is one file that needs nothing else, and shows what it was given.
import { describe, expect, test } from "vitest";
import { type DemoReport, demoPage } from "../../src/cli/report/demoPage.ts";
import { type EvaluationReport, evaluationPage } from "../../src/report/evaluationPage.ts";

const picture = "data:image/png;base64,iVBORw0KGgo=";
const verification = {
  pairs: 8,
  accuracy: 0.875,
  accuracyStd: 0.02,
  accuracyStandardError: 0.02 / Math.sqrt(10),
  balancedAccuracy: 0.9,
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
const report: DemoReport = {
  title: "a <b>title</b> & more",
  adapter: "an adapter",
  seed: 4,
  seconds: [{ name: "training", seconds: 61.26 }],
  people: { trained: 10, validation: 4, unseen: 6, pictures: 12 },
  network: "a network",
  training: {
    steps: 3,
    batch: { identitiesPerBatch: 4, picturesPerIdentity: 3 },
    stepsPerSecond: 1.5,
    losses: [0.9, 0.6, 0.3],
  },
  verification: {
    report: verification,
    roc,
    same: [0.1, 0.2, 0.3, 0.2],
    different: [1, 1.2, 0.9, 0.3],
    threshold: 0.5,
  },
  baseline: { report: { ...verification, auc: 0.61234 }, roc },
  oneShot: { ways: 20, trials: 100, accuracy: 0.8, baseline: 0.2 },
  pairs: [
    { title: "right ones", right: true, pairs: [{ left: picture, right: picture, caption: "93 %" }] },
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

const evaluation: EvaluationReport = {
  model: "models/<b>a</b>",
  settings: { Steps: "60", Loss: "a <loss>" },
  data: "faces & more",
  date: "2026-11-29",
  people: 6,
  pictures: 72,
  folds: "over 10 sets",
  verification: {
    ...verification,
    det: [
      { threshold: 0.5, falseAccept: 0, falseReject: 0.4 },
      { threshold: 3, falseAccept: 0.25, falseReject: 0 },
    ],
    intervals: {
      level: 0.95,
      resamples: 1000,
      identities: 6,
      auc: [0.9123, 0.9956],
      eer: [0.01, 0.11],
      tarAtFar: { "0.1": [0.7, 0.8], "0.01": [0.412, 0.613], "0.001": [0.2, 0.3] },
    },
  },
  roc,
  scores: { name: "distance", same: [1, 2, 3, 2], different: [3, 5, 4, 6], threshold: 2.5 },
  atThreshold: { threshold: 0.7, falseAccept: 0.013, trueAccept: 0.87 },
  openSet: {
    known: 3,
    strangers: 2,
    probes: 33,
    strangerProbes: 24,
    rank1: 0.94,
    threshold: 0.7,
    truePositive: 0.81,
    falsePositive: 0.17,
    truePositiveAt: { "0.1": 0.71, "0.01": 0.61 },
    intervals: { level: 0.95, rank1: [0.88, 0.98], truePositive: [0.7, 0.9], falsePositive: [0.1, 0.3] },
  },
  falseAccepts: {
    pairs: [
      {
        left: picture,
        right: picture,
        names: ['a "1".png', "b/2.png"],
        caption: "distance 0.410",
        likeness: "83 % likely the same person",
      },
    ],
    all: 7,
  },
  falseRejects: { pairs: [], all: 0 },
};

const pages = {
  "the demo's report": demoPage(report),
  "an evaluation's report": evaluationPage(evaluation),
};

describe.each(Object.entries(pages))("%s", (_, page) => {
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

  test("draws three charts", () => expect(page.match(/<svg /g)).toHaveLength(3));
});

describe("an evaluation's report", () => {
  const page = pages["an evaluation's report"];

  test("has the curves, with the rates that a DET curve's axes name", () => {
    for (const label of ["Receiver operating", "Detection error trade-off", "Distribution of scores"]) {
      expect(page).toContain(`aria-label="${label}`);
    }
    for (const rate of ["20 %", "40 %", "60 %"]) expect(page).toMatch(new RegExp(`>${rate}</text>`));
  });

  test("shows figures with their intervals, identification, and the worst mistakes", () => {
    for (const figure of [
      "0.9877",
      "0.9123 to 0.9956",
      "50.0 %",
      "41.2 % to 61.3 %",
      "over 10 sets",
      "87.50 % ± 0.63",
    ]) {
      expect(page).toContain(figure);
    }
    for (const figure of ["94.0 %", "88.0 % to 98.0 %", "17.0 %", "71.0 %", "83 %"]) expect(page).toContain(figure);
    expect(page).toContain("the worst 1 of 7");
    expect(page).toContain("None.");
  });

  test("says when there are too few people for intervals", () => {
    const few = evaluationPage({ ...evaluation, verification: { ...evaluation.verification, intervals: null } });
    expect(few).toContain("No confidence intervals");
    expect(few).not.toContain("0.9123 to 0.9956");
  });

  test("escapes text", () => {
    expect(page).toContain("models/&lt;b&gt;a&lt;/b&gt;");
    expect(page).toContain(
      "<small>a &quot;1&quot;.png<br>b/2.png<br>distance 0.410<br>83 % likely the same person</small>",
    );
    expect(page).toContain("Date: 2026-11-29<br>Settings of the training: Steps: 60; Loss: a &lt;loss&gt;");
  });
});

describe("the demo's report", () => {
  const page = pages["the demo's report"];
  test("draws the loss curve, the ROC and the histogram", () => {
    for (const label of ["Training loss", "Receiver operating characteristic", "Distribution of scores"]) {
      expect(page).toContain(`aria-label="${label}`);
    }
  });

  test("shows the figures beside the baseline's", () => {
    for (const figure of ["0.9877", "0.6123", "87.5 %", "6.3 %", "20-way", "80.0 %", "61 s", "an adapter"]) {
      expect(page).toContain(figure);
    }
  });

  test("tells how a step was made and that scores are distances", () => {
    for (const told of [
      "4 people with 3 pictures each",
      "ln 11 = 2.40",
      "ln 2 = 0.69",
      "<dt>Pictures seen</dt><dd>36</dd>",
      ">distance</text>",
    ])
      expect(page).toContain(told);
    expect(page).not.toMatch(/logit|cross-entropy/);
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
    const without = demoPage({ ...report, engine: { ...report.engine, kernels: null } });
    expect(without).toContain("no timestamp queries");
  });
});
