// Cross-validates a training over people with the built command line: each run holds out another fold of the people and
// is evaluated on it, so that every person is evaluated once, by a network that never saw them. Arguments after -- are
// options of `twingrad train`.
//
//   node examples/folds.mjs DATA [--folds 8] [--out FOLDER] [--only 1,2] -- --preset few
import { parseArgs } from "node:util";
import { twingrad } from "./cli.mjs";

const own = process.argv.slice(2);
const end = own.includes("--") ? own.indexOf("--") : own.length;
const options = own.slice(end + 1);
const { values, positionals } = parseArgs({
  args: own.slice(0, end),
  allowPositionals: true,
  options: {
    folds: { type: "string", default: "8" },
    out: { type: "string", default: "folds" },
    only: { type: "string" },
  },
});
const [data] = positionals;
if (!data) {
  console.error("usage: node examples/folds.mjs DATA [--folds 8] [--out FOLDER] [--only 1,2] -- OPTIONS OF TRAIN");
  process.exit(2);
}
const folds = Number(values.folds);
const numbers = values.only?.split(",").map(Number) ?? Array.from({ length: folds }, (_, n) => n + 1);

const results = [];
for (const number of numbers) {
  const model = `${values.out}/${number}`;
  const began = performance.now();
  const training = ["train", data, "--fold", `${number}/${folds}`, "--out", model, ...options];
  const { steps, validation } = await twingrad(training, "ignore");
  const seconds = (performance.now() - began) / 1000;
  const liveness = "hter" in validation;
  const evaluating = liveness ? [] : ["--pairs-per-identity", "all", "--resamples", "0"];
  const { eer, auc, hter } = await twingrad(["evaluate", model, data, "--unseen", ...evaluating]);
  const result = { fold: `${number}/${folds}`, ...(liveness && { hter }), eer, auc, seconds, steps };
  console.log(JSON.stringify(result));
  results.push(result);
}

const mean = (key) => results.reduce((sum, result) => sum + result[key], 0) / results.length;
const keys = ["hter", "eer", "auc", "seconds"].filter((key) => key in results[0]);
console.log(JSON.stringify({ folds: results.length, mean: Object.fromEntries(keys.map((key) => [key, mean(key)])) }));
