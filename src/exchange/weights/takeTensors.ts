// A network's tensors from a file of weights, in our layouts; whatever does not fit is reported at once.

import { TwingradError } from "../../errors.ts";
import type { Safetensors, StoredTensor } from "../../formats/safetensors.ts";
import type { ModelDescription } from "../../model/description.ts";
import { nearest } from "../../options.ts";
import { type Framework, floats, fromPytorch, pytorchShape } from "./layouts.ts";
import type { Assignment } from "./names.ts";
import { parametersOf } from "./parameters.ts";
import { nameIn } from "./theirNames.ts";
import { type InvalidTensor, WeightsError, type WrongTensor } from "./weightsError.ts";

interface TakeOptions {
  readonly from: Framework;
  /** As in `ImportOptions`. */
  readonly map?: Readonly<Record<string, string | null>>;
  /** Tensors that are no parameters, such as whitening: they stay as they are. */
  readonly kept: readonly string[];
  /** Whether a missing bias is an error, since the file is of a whole model. */
  readonly complete: boolean;
}

interface TakenTensors {
  /** By our names. */
  readonly taken: ReadonlyMap<string, { dtype: "F32"; shape: readonly number[]; data: Float32Array }>;
  /** The file's names of biases that it lacks, which are zeros. */
  readonly zeros: readonly string[];
}

/** @throws WeightsError with all that does not fit; BAD_INPUT for a map that names no parameter of the network. */
export function takeTensors(
  file: Safetensors,
  { network, loss }: Pick<ModelDescription, "network" | "loss">,
  names: Assignment,
  { from, map = {}, kept, complete }: TakeOptions,
): TakenTensors {
  const expected = parametersOf(network, { head: loss === "cross-entropy" });
  const missing: string[] = [];
  const zeros: string[] = [];
  const wrong: WrongTensor[] = [];
  const invalid: InvalidTensor[] = [];
  const taken = new Map<string, { dtype: "F32"; shape: readonly number[]; data: Float32Array }>();

  /** @param theirs its name in the file; @param shape its shape there. */
  const valuesOf = (name: string, theirs: string, tensor: StoredTensor, shape: readonly number[]) => {
    const values = floats(tensor);
    if (!values || `${tensor.shape}` !== `${shape}`) {
      wrong.push({ name: theirs, found: `${tensor.dtype} [${tensor.shape}]`, expected: `floats [${shape}]` });
      return undefined;
    }
    const reason = invalidity(name, values);
    if (reason) invalid.push({ name: theirs, reason });
    return values;
  };

  for (const [name, layout] of expected) {
    const theirs = names.tensors.get(name);
    const tensor = theirs === undefined ? undefined : file.tensors.get(theirs);
    if (theirs !== undefined && tensor) {
      const isPytorch = from === "pytorch";
      const values = valuesOf(name, theirs, tensor, isPytorch ? pytorchShape(layout) : layout.shape);
      const data = values && (isPytorch ? fromPytorch(values, layout) : values);
      if (data) taken.set(name, { dtype: "F32", shape: layout.shape, data });
      continue;
    }
    // Before batch-norm a bias changes nothing, so that most networks of PyTorch have none.
    const isNeedless = theirs === undefined && names.tensors.has(name.replace(/conv\/bias$/, "conv/kernel"));
    if (isNeedless && !complete) {
      zeros.push(nameIn(from, name));
      taken.set(name, { dtype: "F32", shape: layout.shape, data: new Float32Array(layout.shape[0]) });
    } else missing.push(name);
  }
  checkMap(map, names, [...expected.keys()]);
  for (const name of kept) {
    const tensor = file.tensors.get(name)!;
    const data = valuesOf(name, name, tensor, tensor.shape);
    if (data) taken.set(name, { dtype: "F32", shape: tensor.shape, data });
  }
  const unexpected = [...names.tensors].filter(([ours, theirs]) => !expected.has(ours) && file.tensors.has(theirs));
  const unused = [...names.unused, ...unexpected.map(([, theirs]) => theirs)].sort();
  if (missing.length + unused.length + wrong.length + invalid.length > 0) {
    const useMap = "Use a map for names that are not found by rule, null ignores a tensor. ";
    const advice = `${missing.length + unused.length > 0 ? useMap : ""}The network is ${inWords(network, loss)}.`;
    throw new WeightsError({ missing, unused, wrong, invalid }, advice, from);
  }
  return { taken, zeros };
}

function checkMap(map: NonNullable<TakeOptions["map"]>, names: Assignment, parameters: readonly string[]): void {
  const inMap = new Set(Object.entries(map).flat());
  const misnamed = [...names.tensors.keys()].find((ours) => inMap.has(ours) && !parameters.includes(ours));
  if (misnamed === undefined) return;
  const near = nearest(misnamed, parameters);
  const meant = near ? `; did you mean "${near}"?` : ".";
  throw new TwingradError("BAD_INPUT", `The map: "${misnamed}" is no parameter of the network${meant}`);
}

/** What no trained network has: values that are not finite as float32, and negative variances. */
function invalidity(name: string, values: Float32Array): string | undefined {
  const infinite = values.reduce((count, value) => count + (Number.isFinite(value) ? 0 : 1), 0);
  if (infinite > 0) return `${infinite} of ${values.length} values that are not finite`;
  const isNegative = name.endsWith("/moving_variance") && values.some((value) => value < 0);
  return isNegative ? "negative variances" : undefined;
}

const inWords = ({ imageSize, filters, embedding }: ModelDescription["network"], loss: string) =>
  `pictures of ${imageSize.join(" x ")}, filters ${filters.join(", ")}, embedding ${embedding}, loss ${loss}`;
