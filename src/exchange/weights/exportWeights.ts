// Exports a model's weights with another framework's layouts and names.

import { TwingradError } from "../../errors.ts";
import { encode, float32 } from "../../formats/safetensors.ts";
import { encodeSealed } from "../../formats/seal.ts";
import { initialShare, withoutInitial } from "../../model/initialAverages.ts";
import { isFurther, openSaved } from "../../model/modelFile.ts";
import { checkOptions } from "../../options.ts";
import { type Framework, frameworks, pytorchShape, toPytorch } from "./layouts.ts";
import { parametersOf } from "./parameters.ts";
import { nameIn } from "./theirNames.ts";
import { licenseKey, outsideOfLayers, weightMetadata } from "./weightMetadata.ts";

/** Options of `exportWeights`. */
export interface WeightsOptions {
  /** The framework whose names and layouts the file gets. */
  readonly to: Framework;
  /** The license of the weights, for the file's metadata. @default that of the model file */
  readonly license?: string;
}

/** Weights with another framework's names and layouts. */
export interface ExportedWeights {
  /** The bytes of a safetensors file. */
  readonly bytes: Uint8Array;
  /** The tensors of the file. */
  readonly tensors: readonly {
    /** Its name in the file. */
    readonly name: string;
    /** Its shape in the other framework's layout. */
    readonly shape: readonly number[];
  }[];
  /**
   * The steps from a picture to its embedding that the other framework's layers do not compute, in words: the program
   * that uses the weights there must. The metadata have their options, and `importWeights` takes them again.
   */
  readonly outside: readonly string[];
}

/**
 * Exports the weights of a model with another framework's names and layouts, as a safetensors file.
 * @param bytes - the bytes of a model file.
 * @throws BAD_INPUT for a network with layers that the other framework does not have.
 * @example
 * ```ts
 * import { exportWeights } from "twingrad/exchange";
 *
 * const { bytes: weights } = await exportWeights(await trainer.save(), { to: "pytorch" });
 * ```
 */
export async function exportWeights(bytes: Uint8Array, options: WeightsOptions): Promise<ExportedWeights> {
  checkOptions("exportWeights", options, { to: 1, license: "string" });
  const { to, license } = options;
  if (!frameworks.includes(to)) {
    throw new TwingradError("BAD_INPUT", `export: to is "${to}"; expected ${frameworks.join(", ")}.`);
  }
  const saved = await openSaved(bytes);
  const { file, description } = saved;
  const { network, loss } = description;
  const share = to === "twingrad" ? 0 : initialShare(description); // which the model itself takes out when it is opened
  const other = network.towers.filter((kind) => kind !== "pixels");
  if (to !== "twingrad" && (other.length > 0 || network.towers.length > 1)) {
    const what = `this network has towers of ${network.towers.join(", ")}`;
    throw new TwingradError("BAD_INPUT", `export: ${what}; expected one tower of pixels for ${to}.`);
  }
  if (to !== "twingrad" && (network.patch > 0 || network.differences > 0)) {
    const what = "this network uses patches or central differences (--patch, --differences)";
    throw new TwingradError("BAD_INPUT", `export: ${what}; ${to}'s layers would ignore them.`);
  }
  const tensors = new Map<string, { dtype: "F32"; shape: readonly number[]; data: Float32Array }>();
  for (const [name, layout] of parametersOf(network, { head: loss === "cross-entropy" })) {
    const values = withoutInitial(name, float32(file, name), share);
    const ofPytorch = to === "pytorch";
    const [shape, data] = ofPytorch ? [pytorchShape(layout), toPytorch(values, layout)] : [layout.shape, values];
    tensors.set(nameIn(to, name), { dtype: "F32", shape, data });
  }
  for (const [name, { shape }] of file.tensors) {
    if (isFurther(name)) tensors.set(name, { dtype: "F32", shape, data: float32(file, name) });
  }
  const own = to === "twingrad";
  const licensed: Record<string, string> = license === undefined ? {} : { [licenseKey]: license };
  const metadata = { format: to === "pytorch" ? "pt" : "tf", ...weightMetadata(saved), ...licensed };
  return {
    bytes: own ? await encodeSealed(tensors, { ...file.metadata, ...licensed }) : encode(tensors, metadata),
    tensors: [...tensors].map(([name, { shape }]) => ({ name, shape })),
    outside: own ? [] : outsideOfLayers(saved),
  };
}
