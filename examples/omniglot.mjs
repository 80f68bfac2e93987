// Runs the Omniglot recipe with the built command line: trains the preset "characters" on 25 alphabets, then evaluates
// 20-way and 5-way one-shot trials within each of the 5 held-out alphabets; the 20-way trials for every checkpoint as
// well, to show accuracy against the number of training pictures.
//
//   node examples/omniglot.mjs images_background [--out FOLDER] [--trials 2000] [--trained]
import { readdir } from "node:fs/promises";
import { parseArgs } from "node:util";
import { twingrad } from "./cli.mjs";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    out: { type: "string", default: "omniglot" },
    trials: { type: "string", default: "2000" },
    trained: { type: "boolean", default: false }, // only evaluate the model in --out
  },
});
const [data] = positionals;
if (!data) {
  console.error("usage: node examples/omniglot.mjs images_background [--out FOLDER] [--trials 2000] [--trained]");
  process.exit(2);
}
const pictures = 20 * 4; // in a batch of the preset
/** The seed determines the five held-out alphabets. */
const held = ["--seed", "2", "--fold", "1/6", "--hold-out-groups"];
const checkpoints = ["--checkpoint-every", "300", "--keep-checkpoints", "8"];

if (!values.trained) {
  const began = performance.now();
  const { steps } = await twingrad([
    "train",
    data,
    "--preset",
    "characters",
    ...held,
    ...checkpoints,
    "--out",
    values.out,
  ]);
  const minutes = (performance.now() - began) / 60000;
  console.log(JSON.stringify({ steps, pictures: steps * pictures, minutes }));
}
for (const name of (await readdir(`${values.out}/checkpoints`)).filter((name) => name.startsWith("step-")).sort()) {
  const { accuracy } = await evaluated(`${values.out}/checkpoints/${name}`, 20);
  console.log(JSON.stringify({ pictures: Number(name.split("-")[1]) * pictures, accuracy }));
}
for (const ways of [20, 5]) console.log(JSON.stringify(await evaluated(values.out, ways)));

function evaluated(model, ways) {
  const trials = ["--one-shot", `${ways}`, "--within-groups", "--trials", values.trials];
  return twingrad(["evaluate", model, data, "--unseen", ...trials]);
}
