// Exports a model's embedder and verifier to ONNX.

import { TwingradError } from "../../errors.ts";
import { float32 } from "../../formats/safetensors.ts";
import { centeringOf } from "../../model/centering.ts";
import { fingerprintOf } from "../../model/fingerprint.ts";
import { initialShare, withoutInitial } from "../../model/initialAverages.ts";
import { openSaved, type SavedModel } from "../../model/modelFile.ts";
import { givenSize } from "../../model/pictures.ts";
import { whiteningOf } from "../../model/whitening.ts";
import { embeddingLength } from "../../nn/network.ts";
import { checkOptions } from "../../options.ts";
import { livenessThresholdOf } from "../../recognition/livenessModel.ts";
import { readOperatingPoint } from "../../recognition/recognitionModel.ts";
import { version } from "../version.ts";
import { licenseKey } from "../weights/weightMetadata.ts";
import { DataType, type Extent, OnnxGraph, opsets, type Value } from "./graph.ts";
import { Operators } from "./operators.ts";
import { centered, meanOfViews, whitened } from "./postprocessing.ts";
import { towerOf } from "./tower.ts";
import { towerInput } from "./towerInput.ts";

/** Options of `exportOnnx` and `exportOnnxVerifier`. */
export interface OnnxOptions {
  /** The version of ONNX's operators, from 17 to 21. @default 17 */
  readonly opset?: number;
  /** The license of the model's weights. @default that of the model file */
  readonly license?: string;
}

/** Options of `exportOnnx`. */
export interface OnnxEmbedderOptions extends OnnxOptions {
  /** The layout of the input pictures. @default "NHWC" */
  readonly layout?: "NHWC" | "NCHW";
  /**
   * Whether the input is bytes (uint8, from 0 to 255), which the graph scales; else float32 in [0, 1]. @default false
   */
  readonly bytes?: boolean;
  /**
   * Height and width of the input pictures: the model's source size, which the graph resizes to the network's input size,
   * or the network's input size, and the caller resizes.
   * @default the model's source size
   */
  readonly sourceSize?: readonly [height: number, width: number];
}

/** An input or output of a graph. */
export interface OnnxValue {
  /** Its name in the graph. */
  readonly name: string;
  /** Its dimensions: numbers, or names of dynamic dimensions. */
  readonly shape: readonly Extent[];
  /** The type of its elements. */
  readonly dtype: "float32" | "uint8";
}

/** An ONNX model with its inputs and outputs. */
export interface OnnxFile {
  /** The bytes of the file. */
  readonly bytes: Uint8Array;
  /** The inputs. */
  readonly inputs: readonly OnnxValue[];
  /** The outputs. */
  readonly outputs: readonly OnnxValue[];
  /** The version of ONNX's operators. */
  readonly opset: number;
}

/**
 * Exports the embedder, from pictures [N, H, W, C] to embeddings [N, length] as `Model.embed`: input `images`, output
 * `embedding`, and `logit` for liveness models. Towers with aligned input (`fitAlignment`) have a second input
 * `aligned` for the pictures after `aligned()`: the alignment's search is not part of the graph.
 * @param bytes the bytes of a model file.
 * @throws BAD_INPUT for a model or option that cannot be expressed in ONNX; the message names it.
 * @example
 * ```ts
 * import { writeFile } from "node:fs/promises";
 * import { exportOnnx } from "twingrad/exchange";
 *
 * const { bytes: onnx } = await exportOnnx(await trainer.save(), { layout: "NCHW" });
 * await writeFile("embedder.onnx", onnx);
 * ```
 */
export async function exportOnnx(bytes: Uint8Array, options: OnnxEmbedderOptions = {}): Promise<OnnxFile> {
  checkOptions("exportOnnx", options, { layout: 1, bytes: 1, sourceSize: 1, opset: 1, license: 1 });
  const { layout = "NHWC", bytes: inBytes = false, opset = 17 } = options;
  checkOpset(opset);
  if (layout !== "NHWC" && layout !== "NCHW") refuse(`layout is ${JSON.stringify(layout)}; expected NHWC or NCHW`);
  const saved = await openSaved(bytes);
  const { file, description } = saved;
  const { network, loss, pictures = {}, task } = description;
  const { alignment, views } = pictures;
  const own = givenSize(network, pictures);
  const [height, width] = options.sourceSize ?? own;
  if (![height, width].every((side) => Number.isInteger(side) && side > 0)) {
    refuse(`sourceSize is ${JSON.stringify(options.sourceSize)}; expected [height, width] in whole pixels`);
  }
  // Decoders resize pictures to the model's own size by another filter than the graph's: from any other size, the graph
  // would embed them differently. Views and alignments are of pictures in the own size as well.
  const isNetworks = height === network.imageSize[0] && width === network.imageSize[1];
  if ((height !== own[0] || width !== own[1]) && !(isNetworks && !alignment && !views)) {
    const size = `${own[0]}x${own[1]}`;
    refuse(
      `sourceSize (--source-size) is ${height}x${width}, but the model is for pictures decoded to ${size}, and would embed others differently. ` +
        `Omit it and resize pictures to ${size} first (docs/exchange.md, "Pictures"), or train with --source-size ${height}x${width}`,
    );
  }

  const graph = new OnnxGraph();
  const to = new Operators(graph);
  const channels = own[2];
  const extents = layout === "NHWC" ? [height, width, channels] : [channels, height, width];
  const inputs = network.towers.map((kind) => (alignment?.towers.includes(kind) ? "aligned" : "images"));
  const towerInputs = new Map(
    [...new Set(inputs)].map((name) => {
      let x: Value = graph.input(name, ["batch", ...extents], inBytes ? DataType.UINT8 : DataType.FLOAT);
      if (inBytes) x = to.binary("Mul", to.cast(x, DataType.FLOAT), 1 / 255, "scaled");
      if (layout === "NHWC") x = to.transpose(x, [0, 3, 1, 2]);
      return [name, towerInput(to, x, network, pictures)] as const;
    }),
  );

  const share = initialShare(description);
  const weights = (name: string) => withoutInitial(name, float32(file, name), share);
  const unit = loss !== "cross-entropy";
  const towers = network.towers.map((_, index) => {
    const tower = towerOf(to, towerInputs.get(inputs[index])!.x, network, index, weights);
    return unit ? to.unitLength(tower, 1e-12) : tower;
  });
  let embedding = to.concat(towers, 1);
  if (towers.length > 1) embedding = to.binary("Mul", embedding, 1 / Math.sqrt(towers.length), "towers");
  const { parts } = towerInputs.get(inputs[0])!;
  if (parts > 1) embedding = meanOfViews(to, embedding, parts, unit);
  const whitening = whiteningOf(file, { towers: towers.length, length: network.embedding });
  if (whitening) embedding = whitened(to, embedding, whitening);
  const centering = centeringOf(file, embeddingLength(network));
  if (centering) embedding = centered(to, embedding, centering);
  graph.output(embedding, "embedding");
  if (task === "liveness") graph.output(logitOf(to, embedding, saved), "logit");

  const range = inBytes ? "bytes from 0 to 255" : "floats from 0 to 1";
  const name = "twingrad embedder";
  const text = `Pictures (${layout}, ${range}) to embeddings of ${embeddingLength(network)} values.`;
  return finished(graph, { name, description: text, opset }, {
    ...(await about(saved, options)),
    layout,
    range: inBytes ? "0..255" : "0..1",
    image_size: JSON.stringify([height, width, channels]),
    ...(inputs.includes("aligned") && { aligned: "pictures aligned to the mean face by twingrad's aligned()" }),
    ...(pictures.crop && { crop: JSON.stringify(pictures.crop) }),
  }); // biome-ignore format: one call
}

/**
 * Exports the verifier, which scores pairs of embeddings as `Model.scores`: inputs `a` and `b` [N, length]; output [N]:
 * `logit` for models trained with cross-entropy, larger for the same person, else `distance`, smaller for the same
 * person. The metadata's `output_threshold` is the decision threshold.
 * @throws BAD_INPUT for a liveness model, which compares no pairs.
 * @example
 * ```ts
 * import { exportOnnxVerifier } from "twingrad/exchange";
 *
 * const { bytes: onnx, outputs } = await exportOnnxVerifier(await trainer.save());
 * ```
 */
export async function exportOnnxVerifier(bytes: Uint8Array, options: OnnxOptions = {}): Promise<OnnxFile> {
  checkOptions("exportOnnxVerifier", options, { opset: 1, license: 1 });
  const { opset = 17 } = options;
  checkOpset(opset);
  const saved = await openSaved(bytes);
  const { description, file } = saved;
  if (description.task === "liveness") refuse("a liveness model has no verifier, since it does not compare pictures");
  const length = embeddingLength(description.network);
  const graph = new OnnxGraph();
  const to = new Operators(graph);
  const [a, b] = ["a", "b"].map((name) => graph.input(name, ["batch", length]));
  const difference = to.binary("Sub", a, b);
  const { threshold } = readOperatingPoint(file, description);
  const isLogit = description.loss === "cross-entropy";
  if (isLogit) graph.output(logitOf(to, to.unary("Abs", difference), saved), "logit");
  else graph.output(to.unary("Sqrt", to.sum(to.square(difference), [1], { keep: false })), "distance");
  const text = isLogit
    ? "The logit that two embeddings are of the same person: larger is more similar."
    : "The Euclidean distance of two embeddings: smaller is more similar.";
  return finished(graph, { name: "twingrad verifier", description: text, opset }, {
    ...(await about(saved, options)),
    // The distance of a logit z is ln(1 + exp(-z)).
    output_threshold: `${isLogit ? -Math.log(Math.expm1(threshold)) : threshold}`,
    same_when: isLogit ? "logit >= output_threshold" : "distance <= output_threshold",
  }); // biome-ignore format: one call
}

function refuse(what: string): never {
  throw new TwingradError("BAD_INPUT", `export to ONNX: ${what}.`);
}

function checkOpset(opset: number): void {
  if (!opsets.includes(opset)) refuse(`opset is ${opset}; expected ${opsets.join(", ")}`);
}

/** The head's logit of each row of features [N, E]: [N]. */
function logitOf(to: Operators, features: Value, { file, description }: SavedModel): Value {
  const { embedding } = description.network;
  const kernel = to.graph.constant("head/kernel", [1, embedding], float32(file, "head/kernel"));
  const weighed = to.sum(to.binary("Mul", features, kernel), [1], { keep: false });
  return to.binary("Add", weighed, float32(file, "head/bias")[0]);
}

async function about({ file, description }: SavedModel, { license = file.metadata[licenseKey] }: OnnxOptions) {
  const { task, loss, network } = description;
  const threshold = task === "liveness" ? livenessThresholdOf(file) : readOperatingPoint(file, description).threshold;
  return {
    task,
    loss,
    embedding: `${embeddingLength(network)}`,
    threshold: `${threshold}`,
    fingerprint: await fingerprintOf(file, description),
    ...(license !== undefined && { license }),
  };
}

function finished(
  graph: OnnxGraph,
  { name, description, opset }: { readonly name: string; readonly description: string; readonly opset: number },
  metadata: Readonly<Record<string, string>>,
): OnnxFile {
  const described = ({ name, shape, type }: Value) => ({ name, shape, dtype: type === DataType.UINT8 ? "uint8" : "float32" }) as const; // biome-ignore format: one value
  const bytes = graph.toBytes({ name, description, version, opset }, metadata);
  return { bytes, inputs: graph.inputs.map(described), outputs: graph.outputs.map(described), opset };
}
