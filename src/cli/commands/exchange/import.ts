// twingrad import: converts weights of another framework to a model.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Command, Option } from "commander";
import { type Framework, frameworks, type ImportOptions, importWeights } from "../../../exchange/index.ts";
import { TwingradError } from "../../../index.ts";
import {
  diskError,
  embeddingActivations,
  lossNames,
  modelFile,
  modelFileOf,
  readText,
  writeOutput,
} from "../../../internal.ts";
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
    .description("Imports weights of another framework, from a safetensors file, as a model.")
    .argument("<weights>", "the safetensors file; float16, bfloat16 and float64 become float32")
    .requiredOption("--out <model>", "the model file to write, or a folder to write model.safetensors to")
    .addOption(
      new Option("--from <framework>", "framework whose layouts and names the file uses")
        .choices(frameworks)
        .makeOptionMandatory(),
    )
    .option(
      "--map <file>",
      "JSON object of tensor names that automatic matching does not find, e.g. tower/block1/conv/kernel: stem.weight, or the reverse; null ignores a tensor",
    )
    .option(
      "--image-size <size>",
      "height and width of the network's input, e.g. 56 or 112x92 (default: from the file's metadata, else the square that fits the dense layer)",
      imageSize,
    )
    .addOption(
      new Option("--embedding-activation <name>", "activation of the embedding layer (default: sigmoid)").choices(
        embeddingActivations,
      ),
    )
    .option(
      "--batch-norm-epsilon <number>",
      "epsilon of batch normalization in training (default: 1e-5 from pytorch, 1e-3 from keras)",
      number,
    )
    .option(
      "--batch-norm-momentum <share>",
      "share of its old value that a moving average keeps in an update (default: 0.9 from pytorch, 0.99 from keras)",
      number,
    )
    .addOption(
      new Option("--loss <name>", "loss of the network's training; only cross-entropy has a head (default: from the file's metadata, else cross-entropy)").choices(lossNames), // biome-ignore format: one option
    )
    .option(
      "--margin <distance>",
      "margin of the contrastive or triplet loss (default: from the file's metadata, else 1, triplet 0.2)",
      number,
    )
    .option(
      "--standardize",
      "standardize input: each picture's channels to mean 0 and variance 1 (default: from the file's metadata)",
    )
    .addOption(
      new Option(
        "--task <name>",
        "what the network predicts (default: from the file's metadata, else recognition)",
      ).choices(["recognition", "liveness"]),
    )
    .option("--license <text>", "license of the weights, stored in the model (default: the file's)");
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
  const model = /[/\\]$/.test(out) ? join(out, modelFile) : await modelFileOf(out); // the folder may not exist yet
  await writeOutput(model, imported.model, {
    ownerOnly: true,
    sources: [weights, ...(map === undefined ? [] : [map])],
  }); // as saveModel
  const { tensors, ignored, zeros } = imported;
  const { imageSize: square, batchNormEpsilon: epsilon, embeddingActivation: activation } = imported.assumed;
  const assumed = {
    ...(square && { "--image-size": `${square[0]}x${square[1]}` }),
    ...(epsilon !== undefined && { "--batch-norm-epsilon": epsilon }),
    ...(activation && { "--embedding-activation": activation }),
  };
  const options = Object.entries(assumed).map(([option, value]) => `${option} ${value}`);
  const notes = [
    ignored.length > 0 && `ignored: ${ignored.join(", ")}`,
    zeros.length > 0 && `zeros, since the file has no such biases: ${zeros.join(", ")}`,
    options.length > 0 && `assumed, since the file does not say: ${options.join(", ")}`,
  ].filter(Boolean);
  return {
    result: { model, tensors, ignored, zeros, assumed },
    text: [`${model}: ${tensors} tensors`, ...notes].join("\n"),
  };
}

async function readMap(path: string): Promise<Record<string, string | null>> {
  const text = await readText(path).catch((error: Error) => {
    throw diskError(path, "read", error);
  });
  let map: unknown;
  try {
    map = JSON.parse(text);
  } catch (error) {
    throw new TwingradError("BAD_INPUT", `${path}: invalid JSON: ${(error as Error).message}`);
  }
  const isName = (value: unknown) => typeof value === "string" || value === null;
  if (typeof map === "object" && map !== null && !Array.isArray(map) && Object.values(map).every(isName)) {
    return map as Record<string, string | null>;
  }
  throw new TwingradError("BAD_INPUT", `${path}: expected an object of names such as {"tower/dense/bias": "fc.bias"}`);
}
