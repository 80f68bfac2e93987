// Repeats a recipe over folds of people with the built command line: each run holds another part of the people out, and
// is judged by nobody else, so that everybody is judged once by a network that never saw them.
//
//   node examples/folds.mjs DATA CONFIG [--folds 8] [--out FOLDER] [--only 1,2] [--no-tune]
import { readFile } from "node:fs/promises";
import { parseArgs } from "node:util";
import { twingrad } from "./cli.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    folds: { type: "string", default: "8" },
    out: { type: "string", default: "folds" },
    only: { type: "string" },
    "no-tune": { type: "boolean", default: false },
  },
});
const [data, config] = positionals;
if (!config) {
  console.error("usage: node examples/folds.mjs DATA CONFIG [--folds 8] [--out FOLDER] [--only 1,2] [--no-tune]");
  process.exit(2);
}
const folds = Number(values.folds);
const numbers = values.only?.split(",").map(Number) ?? Array.from({ length: folds }, (_, n) => n + 1);
const liveness = JSON.parse(await readFile(config, "utf8")).task === "liveness";
const evaluating = liveness ? [] : ["--pairs-per-identity", "all", "--resamples", "0"];

const results = [];
for (const number of numbers) {
  const model = `${values.out}/${number}`;
  const began = performance.now();
  const training = ["train", data, "--config", config, "--fold", `${number}/${folds}`, "--out", model];
  if (values["no-tune"]) training.push("--no-tune");
  const trained = await twingrad(training, "ignore");
  const seconds = (performance.now() - began) / 1000;
  const evaluation = await twingrad(["evaluate", model, data, "--unseen", ...evaluating]);
  const { eer, auc, hter } = evaluation;
  const result = { fold: `${number}/${folds}`, ...(liveness ? { hter } : {}), eer, auc, seconds, steps: trained.steps };
  console.log(JSON.stringify(result));
  results.push(result);
}

const mean = (key) => results.reduce((sum, result) => sum + result[key], 0) / results.length;
const figures = (liveness ? ["hter", "eer", "auc", "seconds"] : ["eer", "auc", "seconds"]).map((key) => [
  key,
  mean(key),
]);
console.log(JSON.stringify({ folds: results.length, mean: Object.fromEntries(figures) }));
