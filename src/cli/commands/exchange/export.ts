// twingrad export: converts a model for other runtimes.
import { type Command, Option } from "commander";
import {
  exportOnnx,
  exportOnnxVerifier,
  exportWeights,
  type Framework,
  frameworks,
  type OnnxFile,
} from "../../../exchange/index.ts";
import { TwingradError } from "../../../index.ts";
import { modelFileOf, olderThanItsFolder, readModelFile, writeOutputs } from "../../../internal.ts";
import { givenFlag } from "../../options/givenFlag.ts";
import { imageSize, wholeNumber } from "../../options/values.ts";
import { action, type Outcome, warn } from "../../outcome.ts";

interface Flags {
  onnx?: string;
  verifier?: string;
  safetensors?: string;
  opset?: number;
  layout?: "NHWC" | "NCHW";
  bytes?: boolean;
  sourceSize?: number | [number, number];
  to: Framework;
  license?: string;
}

interface Written {
  file: string;
  bytes: number;
  inputs: object[];
  outputs: object[];
  /** Null for weights, which have no operators. */
  opset: number | null;
}

export function addExport(program: Command): void {
  const command = program
    .command("export")
    .description(
      "Exports a model for other runtimes: the embedder and the verifier as ONNX, the weights as safetensors.",
    )
    .argument("<model>", "a model file or the folder that contains it")
    .option("--onnx <file>", "write the embedder: pictures to embeddings")
    .option("--verifier <file>", "write the verifier as ONNX: two embeddings to a logit or distance")
    .option("--safetensors <file>", "write the weights in the layouts and with the names of --to")
    .option("--opset <number>", "ONNX opset, 17 to 21 (default: 17)", wholeNumber(1))
    .addOption(
      new Option("--layout <order>", "memory layout of the embedder's input (default: NHWC)").choices(["NHWC", "NCHW"]),
    )
    .option("--bytes", "the embedder takes bytes from 0 to 255 instead of floats from 0 to 1")
    .option(
      "--source-size <size>",
      "height and width of the embedder's input: the model's --source-size (default), or its --image-size",
      imageSize,
    )
    .addOption(
      new Option("--to <framework>", "framework that --safetensors is for").choices(frameworks).default("twingrad"),
    )
    .option("--license <text>", "license of the weights, stored in the metadata (default: the model's)");
  action(command, (path: string, flags: Flags) => {
    for (const [option, files] of Object.entries(appliesTo)) {
      const name = givenFlag(command, [option]);
      if (!name || files.some((file) => flags[file])) continue;
      const needed = files.map((file) => `--${file}`).join(" or ");
      command.error(`error: ${name} has no effect without ${needed}`, { exitCode: 2, code: "twingrad.export" });
    }
    return exportCommand(path, flags);
  });
}

/** The files that each option changes. */
const appliesTo = {
  opset: ["onnx", "verifier"],
  layout: ["onnx"],
  bytes: ["onnx"],
  sourceSize: ["onnx"],
  to: ["safetensors"],
} as const;

async function exportCommand(path: string, flags: Flags): Promise<Outcome> {
  const { onnx, verifier, safetensors, to, license, opset, layout, bytes: inBytes, sourceSize: size } = flags;
  if (!onnx && !verifier && !safetensors) {
    throw new TwingradError("BAD_INPUT", "nothing to write: give --onnx, --verifier or --safetensors with a file");
  }
  const model = new Uint8Array(await readModelFile(path));
  const source = await modelFileOf(path);
  const older = await olderThanItsFolder(source);
  if (older) warn(older);
  const sourceSize = typeof size === "number" ? ([size, size] as const) : size;
  const options = { opset, license };
  // All are encoded before any is written: an unsupported model leaves no partial export.
  const made: [file: string, made: OnnxFile | Awaited<ReturnType<typeof exportWeights>>][] = [];
  try {
    if (onnx) made.push([onnx, await exportOnnx(model, { ...options, layout, bytes: inBytes, sourceSize })]);
    if (verifier) made.push([verifier, await exportOnnxVerifier(model, options)]);
    if (safetensors) made.push([safetensors, await exportWeights(model, { to, license })]);
  } catch (error) {
    if (error instanceof TwingradError) error.message = `${path}: ${error.message}`;
    throw error;
  }
  await writeOutputs(
    made.map(([file, { bytes }]) => [file, bytes] as const),
    { sources: [source] },
  );
  const files = made.map(([file, { bytes, ...told }]): Written => {
    if ("outside" in told && told.outside.length > 0) {
      warn(`${file}: ${to} must compute these steps itself, since its layers do not: ${told.outside.join("; ")}`);
    }
    const { inputs, outputs, opset } = "opset" in told ? told : { inputs: [], outputs: told.tensors, opset: null };
    return { file, bytes: bytes.length, inputs: [...inputs], outputs: [...outputs], opset };
  });
  return { result: { files }, text: files.map(({ file, bytes }) => `${file}: ${bytes} bytes`).join("\n") };
}
