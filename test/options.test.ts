// What a caller in plain JavaScript gets wrong: a name that is no option, no options at all, values of another kind.
import { describe, expect, it } from "vitest";
import { exportOnnx, importWeights, vectorRecognizer } from "../src/exchange/index.ts";
import {
  adam,
  adamW,
  balancedPairs,
  batchHardTripletLoss,
  batchNorm,
  Checkpoints,
  contrastiveLoss,
  conv2d,
  DecodedImages,
  dense,
  faceDataset,
  filteredPairs,
  fitWhitening,
  Gallery,
  GalleryIndex,
  l2Normalize,
  learningRateSchedule,
  liveness,
  Model,
  maxPool2d,
  oneShotTrials,
  openDevice as openInPage,
  openSet,
  pairsPerIdentity,
  perClass,
  resize,
  Saver,
  sgd,
  siamese,
  splitIdentities,
  standardize,
  supervisedContrastiveLoss,
  Tape,
  Trainer,
  TwingradError,
  tensor,
  tripletLoss,
  triplets,
  valueAndGradients,
} from "../src/index.ts";
import { imageFolder, livenessImages, openDevice, tfrecords, writeRecords } from "../src/node/index.ts";
import { nearest } from "../src/options.ts";
import { imageFiles, PageDecoder, tfrecords as pageRecords } from "../src/web/index.ts";
import { describedDevice } from "./tape/describedDevice.ts";

/** Calls as the compiler would refuse them. */
// biome-ignore lint/suspicious/noExplicitAny: that is what plain JavaScript has
type Loose = (...parameters: any[]) => unknown;

const device = describedDevice();
const tape = new Tape(device);
const x = tape.input("x", [1, 8, 8, 3]);
const filter = tape.input("filter", [3, 3, 3, 4]);
const network = siamese({ imageSize: [16, 16, 1], filters: [4], embedding: 5 });
const labels = [0, 0, 1, 1];
const rows = tape.input("rows", [4, 3]);
const matrix = tape.input("matrix", [3, 2]);
const y = tape.input("y", [4]);
const recognizer = vectorRecognizer({ model: "another", length: 2, threshold: 1 });
const people = {
  identities: ["a", "b", "c", "d"],
  items: labels.map((identity) => ({ identity, name: `${identity}`, decode: async () => new Uint8Array(64) })),
};
const loosely = (call: unknown) => call as Loose;

const weight = tape.parameter("weight", [2], { initial: 0 });
const vectorGallery = (options?: object) => new Gallery(recognizer, options);
const knowing = () => {
  const gallery = vectorGallery();
  gallery.enroll("Ada", Float32Array.of(0, 1));
  return gallery;
};
const probe = Float32Array.of(0, 1);
const verifyAda = (options: object) => knowing().verify("Ada", probe, options);
const whole = { towers: 1, length: 1, shrinkage: 0.1 };

async function refusal(work: () => unknown): Promise<string> {
  try {
    await work();
  } catch (error) {
    expect(error).toBeInstanceOf(TwingradError);
    expect(error).toMatchObject({ code: "BAD_INPUT" });
    return (error as Error).message;
  }
  throw new Error("nothing was refused");
}

const calls: Record<string, { call: (options?: unknown) => unknown; wrong: string; meant: string }> = {
  siamese: { call: loosely(siamese), wrong: "filter", meant: "filters" },
  liveness: { call: loosely(liveness), wrong: "imagesize", meant: "imageSize" },
  Trainer: { call: (o) => loosely(Trainer.create)(device, network, o), wrong: "lose", meant: "loss" },
  adam: { call: loosely(adam), wrong: "learningrate", meant: "learningRate" },
  adamW: { call: loosely(adamW), wrong: "weight_decay", meant: "weightDecay" },
  sgd: { call: loosely(sgd), wrong: "momentun", meant: "momentum" },
  learningRateSchedule: { call: loosely(learningRateSchedule), wrong: "warmup", meant: "warmUp" },
  balancedPairs: { call: (o) => loosely(balancedPairs)(labels, o), wrong: "sed", meant: "seed" },
  triplets: { call: (o) => loosely(triplets)(labels, o), wrong: "seeds", meant: "seed" },
  perClass: { call: (o) => loosely(perClass)(labels, o), wrong: "identityPerBatch", meant: "identitiesPerBatch" },
  filteredPairs: { call: (o) => loosely(filteredPairs)(labels, o), wrong: "shuffle_buffer", meant: "shuffleBuffer" },
  pairsPerIdentity: { call: (o) => loosely(pairsPerIdentity)(labels, o), wrong: "perIdentities", meant: "perIdentity" },
  "openDevice in a page": { call: loosely(openInPage), wrong: "limit", meant: "limits" },
  "openDevice in Node": { call: loosely(openDevice), wrong: "adaptor", meant: "adapter" },
  parameter: { call: (o) => loosely(tape.parameter.bind(tape))("w", [4], o), wrong: "initials", meant: "initial" },
  compile: { call: (o) => loosely(tape.compile.bind(tape))(o), wrong: "optimzer", meant: "optimizer" },
  valueAndGradients: {
    call: (o) => loosely(valueAndGradients)(device, () => x, {}, o),
    wrong: "gradientOf",
    meant: "gradientsOf",
  },
  conv2d: { call: (o) => loosely(conv2d)(x, filter, o), wrong: "strides", meant: "stride" },
  maxPool2d: { call: (o) => loosely(maxPool2d)(x, o), wrong: "strides", meant: "stride" },
  batchNorm: { call: (o) => loosely(batchNorm)(x, o), wrong: "gama", meant: "gamma" },
  dense: { call: (o) => loosely(dense)(rows, matrix, o), wrong: "activate", meant: "activation" },
  l2Normalize: { call: (o) => loosely(l2Normalize)(rows, o), wrong: "epsilom", meant: "epsilon" },
  standardize: { call: (o) => loosely(standardize)(x, o), wrong: "eps1lon", meant: "epsilon" },
  resize: { call: (o) => loosely(resize)(x, [4, 4], o), wrong: "metod", meant: "method" },
  contrastiveLoss: { call: (o) => loosely(contrastiveLoss)(rows, rows, y, o), wrong: "marign", meant: "margin" },
  tripletLoss: { call: (o) => loosely(tripletLoss)(rows, rows, rows, o), wrong: "margins", meant: "margin" },
  batchHardTripletLoss: { call: (o) => loosely(batchHardTripletLoss)(rows, y, o), wrong: "Margin", meant: "margin" },
  supervisedContrastiveLoss: {
    call: (o) => loosely(supervisedContrastiveLoss)(rows, y, o),
    wrong: "temprature",
    meant: "temperature",
  },
  Tape: {
    call: (o) => new (Tape as never as new (...given: unknown[]) => unknown)(device, o),
    wrong: "product",
    meant: "products",
  },
  input: { call: (o) => loosely(tape.input.bind(tape))("other", [1], o), wrong: "dtypes", meant: "dtype" },
  imageFolder: { call: (o) => loosely(imageFolder)("/", o), wrong: "onUnreadble", meant: "onUnreadable" },
  livenessImages: { call: (o) => loosely(livenessImages)("/", undefined, o), wrong: "crops", meant: "crop" },
  "tfrecords in Node": { call: (o) => loosely(tfrecords)("none", o), wrong: "prefx", meant: "prefix" },
  "tfrecords in a page": { call: (o) => loosely(pageRecords)([], o), wrong: "onCorupt", meant: "onCorrupt" },
  imageFiles: { call: (o) => loosely(imageFiles)([], o), wrong: "decoder", meant: "decode" },
  PageDecoder: {
    call: (o) => new (PageDecoder as never as new (...given: unknown[]) => unknown)(o),
    wrong: "worker",
    meant: "workers",
  },
  writeRecords: { call: (o) => loosely(writeRecords)("none", people, o), wrong: "shard", meant: "shards" },
  splitIdentities: { call: (o) => loosely(splitIdentities)(people, o), wrong: "fractoin", meant: "fraction" },
  DecodedImages: {
    call: (o) => new (DecodedImages as never as new (...given: unknown[]) => unknown)(people, [8, 8, 1], o),
    wrong: "maxBytes",
    meant: "maximumBytes",
  },
  Gallery: {
    call: (o) => new (Gallery as never as new (...given: unknown[]) => unknown)(recognizer, o),
    wrong: "matches",
    meant: "match",
  },
  Checkpoints: {
    call: (o) => new (Checkpoints as never as new (...given: unknown[]) => unknown)({}, o),
    wrong: "keeps",
    meant: "keep",
  },
  vectorRecognizer: { call: loosely(vectorRecognizer), wrong: "metrics", meant: "metric" },
  exportOnnx: { call: (o) => loosely(exportOnnx)(new Uint8Array(), o), wrong: "layuot", meant: "layout" },
  importWeights: { call: (o) => loosely(importWeights)(new Uint8Array(), o), wrong: "tasks", meant: "task" },
  openSet: { call: (o) => loosely(openSet)(labels, o), wrong: "stranger", meant: "strangers" },
  oneShotTrials: { call: (o) => loosely(oneShotTrials)(labels, o), wrong: "trails", meant: "trials" },
  fitWhitening: {
    call: (o) => loosely(fitWhitening)([0, 1, 2, 3], labels, o),
    wrong: "shrink_age",
    meant: "shrinkage",
  },
  faceDataset: { call: (o) => loosely(faceDataset)(people, {}, o), wrong: "margins", meant: "margin" },
  Saver: {
    call: (o) => new (Saver as never as new (...given: unknown[]) => unknown)({}, o),
    wrong: "retryseconds",
    meant: "retrySeconds",
  },
  open: { call: (o) => loosely(Model.open)(device, new Uint8Array(), o), wrong: "batchsize", meant: "batchSize" },
};

describe.each(Object.entries(calls))("%s", (name, { call, wrong, meant }) => {
  const who = name.replace(/ in .*/, "");

  it("names the option that was meant", async () => {
    const message = await refusal(() => call({ [wrong]: 1 }));
    expect(message).toBe(`${who}: unknown option "${wrong}"; did you mean "${meant}"?`);
  });

  it("lists its options for a name that is like none, and for what is no object", async () => {
    expect(await refusal(() => call({ zzzzzzzz: 1 }))).toMatch(`${who}: unknown option "zzzzzzzz"; expected `);
    const message = await refusal(() => call(null));
    expect(message).toMatch(`${who}: the options are null; expected an object with `);
    expect(message).toContain(meant);
  });
});

it.each<[string, () => unknown, RegExp]>([
  [
    "siamese",
    () => loosely(siamese)(),
    /^siamese: the options are undefined; expected an object with imageSize, filters/,
  ],
  ["Trainer", () => loosely(Trainer.create)(device, network), /^Trainer: the options are undefined/],
  ["balancedPairs", () => loosely(balancedPairs)(labels), /^balancedPairs: the options are undefined; .* seed\.$/],
  ["perClass", () => loosely(perClass)(labels), /^perClass: the options are undefined/],
  ["parameter", () => loosely(tape.parameter.bind(tape))("w", [4]), /^parameter: the options are undefined/],
  ["compile", () => loosely(tape.compile.bind(tape))(), /^compile: the options are undefined/],
  ["batchNorm", () => loosely(batchNorm)(x), /^batchNorm: the options are undefined/],
])("%s without options says so", async (_, call, message) => expect(await refusal(call)).toMatch(message));

it.each<[string, () => unknown, RegExp]>([
  [
    "no picture size",
    () => loosely(siamese)({}),
    /^siamese: imageSize undefined, filters 256, 128, .*; expected positive integers/,
  ],
  ["text for filters", () => loosely(siamese)({ imageSize: [8, 8, 1], filters: "4" }), /filters 4, embedding/],
  ["an invalid seed", () => loosely(balancedPairs)(labels, {}), /^balanced pairs: invalid seed undefined/],
  [
    "an unknown initial",
    () => loosely(tape.parameter.bind(tape))("w", [4], { initial: "glorot" }),
    /initial of "w" is glorot/,
  ],
  [
    "a list as initial",
    () => loosely(tape.parameter.bind(tape))("w", [2], { initial: [1, 2] }),
    /is Array of 2; expected .*Float32Array of 2/,
  ],
  [
    "too few as initial",
    () => tape.parameter("w", [4], { initial: new Float32Array(3) }),
    /is Float32Array of 3; .* of 4/,
  ],
  [
    "another adapter",
    () => loosely(openDevice)({ adapter: "foo" }),
    /adapter is "foo"; expected "system" or "software"/,
  ],
  [
    "a name for an optimizer",
    () => loosely(Trainer.create)(device, network, { batchSize: 2, optimizer: "adam" }),
    /optimizer is adam/,
  ],
  [
    "l2",
    () => Trainer.create(device, network, { batchSize: 2, l2: Number.NaN }),
    /^Trainer: l2 is NaN; expected a number of at least 0/,
  ],
  [
    "NaN as a rate",
    () => adam({ learningRate: Number.NaN }),
    /^adam: learningRate is NaN; expected a number of at least 0/,
  ],
  ["a rate below 0", () => adamW({ learningRate: -1 }), /^adamW: learningRate is -1/],
  ["an endless rate", () => sgd({ learningRate: Number.POSITIVE_INFINITY }), /^sgd: learningRate is Infinity/],
  ["a schedule's rate", () => adam({ learningRate: () => Number.NaN }).schedule(1), /^adam: learningRate is NaN/],
  ["epsilon", () => adam({ epsilon: -1 }), /^adam: epsilon is -1/],
  ["an endless margin", () => tripletLoss(rows, rows, rows, { margin: Infinity }), /^tripletLoss: margin is Infinity/],
  ["NaN as a margin", () => contrastiveLoss(rows, rows, y, { margin: Number.NaN }), /^contrastiveLoss: margin is NaN/],
  [
    "text as a margin",
    () => loosely(contrastiveLoss)(rows, rows, y, { margin: "1" }),
    /margin is "1"; expected a finite number/,
  ],
  [
    "another way to match",
    () => loosely(vectorGallery)({ match: "median" }),
    /Invalid match median: expected nearest or mean/,
  ],
  ["NaN as a threshold", () => knowing().identify(probe, { threshold: Number.NaN }), /^identify: threshold is NaN/],
  ["text as a threshold", () => loosely(verifyAda)({ threshold: "1" }), /^verify: threshold is "1"; expected a number/],
  ["a misspelt option of a gallery", () => loosely(verifyAda)({ treshold: 1 }), /did you mean "threshold"/],
  ["text as a fraction", () => loosely(splitIdentities)(people, { fraction: "0.5", seed: 1 }), /fraction is "0.5"/],
  ["a split without a seed", () => loosely(splitIdentities)(people, { fraction: 0.5 }), /seed must be an integer/],
  ["text in a tensor", () => loosely(tensor)([2], ["1", "x"]), /^tensor: data: expected numbers; got Array/],
  ["a text as a tensor", () => loosely(tensor)([2], "12"), /^tensor: data: .* got String/],
  ["nothing as a tensor", () => loosely(tensor)([1], null), /^tensor: data: .* got undefined/],
  ["an object as a tensor", () => loosely(tensor)([2], { length: 2 }), /got Object/],
  // biome-ignore lint/suspicious/noSparseArray: that is what is refused
  ["a list with a hole", () => loosely(tensor)([3], [1, , 3]), /got Array/],
  ["64-bit integers in a tensor", () => loosely(tensor)([1], BigInt64Array.of(1n)), /got BigInt64Array/],
  ["text in a parameter", () => loosely(weight.write.bind(weight))(["1", "x"]), /^parameter: values of "weight"/],
  [
    "NaN as a label",
    () => pairsPerIdentity([0, 0, Number.NaN], { perIdentity: 1, seed: 1 }),
    /Invalid label NaN of picture 2/,
  ],
  [
    "a name as a label",
    () => loosely(balancedPairs)(["ada", "ada", "bob"], { seed: 1 }),
    /Invalid label "ada" of picture 0/,
  ],
  [
    "a label below 0",
    () => pairsPerIdentity([0, -1], { perIdentity: 1, seed: 1 }),
    /Invalid label -1 of picture 1: expected an integer of at least 0/,
  ],
  ["a negative number of enrolled pictures", () => openSet(labels, { shots: -1, seed: 1 }), /openSet: shots is -1/],
  ["more strangers than people", () => openSet(labels, { strangers: 2, seed: 1 }), /openSet: strangers is 2; .*share/],
  [
    "a metric by its name",
    () => new GalleryIndex(device, 4, "euclidean" as never),
    /invalid metric euclidean; expected/,
  ],
  ["half a trial", () => oneShotTrials(labels, { ways: 2, trials: 0.5, seed: 1 }), /oneShotTrials: trials is 0.5/],
  ["a checkpoint every zero steps", () => new Saver({} as never, { every: 0, warn: () => {} }), /Saver: every is 0/],
  ["a share as a label", () => fitWhitening([0, 1], [0.5, 0.5], whole), /Invalid label 0.5 of picture 0/],
])("refuses %s", async (_, call, message) => expect(await refusal(call)).toMatch(message));

describe("nearest", () => {
  const names = ["Ada Lovelace", "Bob", "Zo\u00eb"];
  it.each([
    ["Ada Lovelaec", "Ada Lovelace"],
    ["bob", "Bob"],
    ["Zoe", "Zo\u00eb"],
    ["Grace", undefined],
    ["", undefined],
  ])("%j is %j", (text, name) => expect(nearest(text, names)).toBe(name));
});
