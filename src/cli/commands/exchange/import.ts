// twingrad import: weights of another framework in, a model out.
import { mkdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { type Command, Option } from "commander";
import { type Framework, frameworks, type ImportOptions, importWeights } from "../../../exchange/index.ts";
import { TwingradError } from "../../../index.ts";
import { diskError, embeddingActivations, lossNames, modelFile, modelFileOf, readText } from "../../../internal.ts";
import { saveModel } from "../../../node/index.ts";
import { imageSize, number } from "../../options/values.ts";
import { action, type Outcome } from "../../outcome.ts";

interface Flags {
  out: string;
  from: Framework;
  map?: string;
  imageSize?: number | [number, number];
  embeddingActivation?: (typeof embeddingActivations)[number];
  batchNormEpsilon?: number;
  batchNormMomentum?: number;
  loss?: ImportOptions["loss"];
  margin?: number;
  standardize?: boolean;
  task?: ImportOptions["task"];
  license?: string;
}

export function addImport(program: Command): void {
  const command = program
    .command("import")
    .description("Makes a model of weights from another framework, in a safetensors file.")
    .argument("<weights>", "the safetensors file; float16, bfloat16 and float64 become float32")
    .requiredOption("--out <model>", "the model file to write, or a folder, which gets model.safetensors")
    .addOption(
      new Option("--from <framework>", "whose layouts and names the file has")
        .choices(frameworks)
        .makeOptionMandatory(),
    )
    .option(
      "--map <file>",
      "JSON with names where the rule does not find them, as tower/block1/conv/kernel: stem.weight, or the other way round; null for a tensor that is not wanted",
    )
    .option(
      "--image-size <size>",
      "height and width of the network's pictures, as 56 or 112x92 (default: as the file's metadata say, else the square that the dense layer takes)",
      imageSize,
    )
    .addOption(
      new Option("--embedding-activation <name>", "of the last layer (default: sigmoid)").choices(embeddingActivations),
    )
    .option(
      "--batch-norm-epsilon <number>",
      "that the network was trained with (default: 1e-5 from pytorch, 1e-3 from keras)",
      number,
    )
    .option(
      "--batch-norm-momentum <share>",
      "of its old value that a moving average keeps (default: 0.9 from pytorch, 0.99 from keras)",
      number,
    )
    .addOption(
      new Option("--loss <name>", "that the network was trained with; only cross-entropy has a head (default: cross-entropy)").choices(lossNames), // biome-ignore format: one option
    )
    .option("--margin <distance>", "of its contrastive loss (default: 1)", number)
    .option("--standardize", "the network takes pictures whose channels have mean 0 and variance 1")
    .addOption(
      new Option("--task <name>", "what the network tells (default: recognition)").choices(["recognition", "liveness"]),
    )
    .option("--license <text>", "of the weights, kept in the model (default: what the file says)");
  action(command, importCommand);
}

async function importCommand(weights: string, flags: Flags): Promise<Outcome> {
  const { out, from, map, imageSize: size, loss, margin, standardize, task, license } = flags;
  const bytes = await readFile(weights).catch((error: Error) => {
    throw diskError(weights, "read", error);
  });
  const { embeddingActivation, batchNormEpsilon, batchNormMomentum } = flags;
  const given = { embeddingActivation, batchNormEpsilon, batchNormMomentum };
  const network = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
  const imported = await importWeights(new Uint8Array(bytes), {
    from,
    map: map === undefined ? undefined : await readMap(map),
    network: { ...network, ...(size !== undefined && { imageSize: typeof size === "number" ? [size, size] : size }) },
    loss,
    margin,
    pictures: standardize ? { standardize } : undefined,
    task,
    license,
  }).catch((error: Error) => {
    if (!(error instanceof TwingradError)) throw error;
    error.message = `${weights}: ${error.message}`;
    throw error;
  });
  const model = /[/\\]$/.test(out) ? join(out, modelFile) : await modelFileOf(out); // a folder may be one to make
  await mkdir(dirname(model), { recursive: true });
  await saveModel(model, imported.model);
  const { tensors, ignored } = imported;
  const left = ignored.length > 0 ? `; ignored: ${ignored.join(", ")}` : "";
  return { result: { model, tensors, ignored }, text: `${model}: ${tensors} tensors${left}` };
}

async function readMap(path: string): Promise<Record<string, string | null>> {
  const text = await readText(path).catch((error: Error) => {
    throw diskError(path, "read", error);
  });
  let map: unknown;
  try {
    map = JSON.parse(text);
  } catch (error) {
    throw new TwingradError("BAD_INPUT", `${path}: this is no JSON: ${(error as Error).message}`);
  }
  const isName = (value: unknown) => typeof value === "string" || value === null;
  if (typeof map === "object" && map !== null && !Array.isArray(map) && Object.values(map).every(isName)) {
    return map as Record<string, string | null>;
  }
  throw new TwingradError(
    "BAD_INPUT",
    `${path}: an object of names was expected, such as {"tower/dense/bias": "fc.bias"}`,
  );
}
