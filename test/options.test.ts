// What a caller in plain JavaScript gets wrong: a name that is no option, no options at all, values of another kind.
import { describe, expect, it } from "vitest";
import {
  adam,
  adamW,
  balancedPairs,
  batchNorm,
  conv2d,
  filteredPairs,
  learningRateSchedule,
  liveness,
  maxPool2d,
  openDevice as openInPage,
  pairsPerIdentity,
  perClass,
  sgd,
  siamese,
  Tape,
  Trainer,
  TwingradError,
  triplets,
  valueAndGradients,
} from "../src/index.ts";
import { openDevice } from "../src/node/index.ts";
import { nearest } from "../src/options.ts";
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
const loosely = (call: unknown) => call as Loose;

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
  perClass: { call: (o) => loosely(perClass)(labels, o), wrong: "class", meant: "classes" },
  filteredPairs: { call: (o) => loosely(filteredPairs)(labels, o), wrong: "shuffle_buffer", meant: "shuffleBuffer" },
  pairsPerIdentity: { call: (o) => loosely(pairsPerIdentity)(labels, o), wrong: "perIdentities", meant: "perIdentity" },
  "openDevice in a page": { call: loosely(openInPage), wrong: "limit", meant: "limits" },
  "openDevice in Node": { call: loosely(openDevice), wrong: "adaptor", meant: "adapter" },
  parameter: { call: (o) => loosely(tape.parameter.bind(tape))("w", [4], o), wrong: "initials", meant: "initial" },
  compile: { call: (o) => loosely(tape.compile.bind(tape))(o), wrong: "optimiser", meant: "optimizer" },
  valueAndGradients: {
    call: (o) => loosely(valueAndGradients)(device, () => x, {}, o),
    wrong: "gradientOf",
    meant: "gradientsOf",
  },
  conv2d: { call: (o) => loosely(conv2d)(x, filter, o), wrong: "strides", meant: "stride" },
  maxPool2d: { call: (o) => loosely(maxPool2d)(x, o), wrong: "strides", meant: "stride" },
  batchNorm: { call: (o) => loosely(batchNorm)(x, o), wrong: "gama", meant: "gamma" },
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
  [
    "a seed that is none",
    () => loosely(balancedPairs)(labels, {}),
    /^balanced pairs: seed is undefined; expected a whole/,
  ],
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
