// twingrad export: a model for other runtimes.
import { mkdir } from "node:fs/promises";
import { dirname } from "node:path";
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
import { modelFileOf, olderThanItsFolder, readModelFile, updateFile } from "../../../internal.ts";
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
    .description("Writes a model for other runtimes: the embedder and the verifier as ONNX, weights as safetensors.")
    .argument("<model>", "what `twingrad train` wrote: the file or its folder")
    .option("--onnx <file>", "the embedder: pictures to embeddings")
    .option("--verifier <file>", "the verifier, ONNX as well: two embeddings to the logit or distance")
    .option("--safetensors <file>", "the weights, in the layouts and by the names of --to")
    .option("--opset <number>", "of ONNX, from 17 to 21 (default: 17)", wholeNumber(1))
    .addOption(new Option("--layout <order>", "of the embedder's pictures (default: NHWC)").choices(["NHWC", "NCHW"]))
    .option("--bytes", "the embedder takes bytes from 0 to 255 instead of floats from 0 to 1")
    .option(
      "--source-size <size>",
      "height and width of the pictures that the embedder takes and resizes, as 224 or 112x92 (default: the model's own)",
      imageSize,
    )
    .addOption(new Option("--to <framework>", "whom --safetensors is for").choices(frameworks).default("twingrad"))
    .option("--license <text>", "of the weights, for the metadata (default: what the model says)");
  action(command, exportCommand);
}

async function exportCommand(path: string, flags: Flags): Promise<Outcome> {
  const { onnx, verifier, safetensors, to, license, opset, layout, bytes: inBytes, sourceSize: size } = flags;
  if (!onnx && !verifier && !safetensors) {
    throw new TwingradError("BAD_INPUT", "nothing to write: give --onnx, --verifier or --safetensors with a file");
  }
  const model = new Uint8Array(await readModelFile(path));
  const older = await olderThanItsFolder(await modelFileOf(path));
  if (older) warn(older);
  const sourceSize = typeof size === "number" ? ([size, size] as const) : size;
  const options = { opset, license };
  // All are made before any is written: what cannot be expressed leaves no half of an export behind.
  const made: [file: string, made: OnnxFile | Awaited<ReturnType<typeof exportWeights>>][] = [];
  if (onnx) made.push([onnx, await exportOnnx(model, { ...options, layout, bytes: inBytes, sourceSize })]);
  if (verifier) made.push([verifier, await exportOnnxVerifier(model, options)]);
  if (safetensors) made.push([safetensors, await exportWeights(model, { to })]);
  const files: Written[] = [];
  for (const [file, { bytes, ...told }] of made) {
    await mkdir(dirname(file), { recursive: true });
    await updateFile(file, async () => bytes);
    const { inputs, outputs, opset } = "opset" in told ? told : { inputs: [], outputs: told.tensors, opset: null };
    files.push({ file, bytes: bytes.length, inputs: [...inputs], outputs: [...outputs], opset });
  }
  return { result: { files }, text: files.map(({ file, bytes }) => `${file}: ${bytes} bytes`).join("\n") };
}
