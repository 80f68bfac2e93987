// The cases computed by PyTorch in float64 (inputs are exact float32 values), in the form the tests use.

import { type NdArray, type NdArrays, ndarray } from "./reference/ndarray.ts";
import type { OperationName } from "./reference/operations.ts";

interface StoredArray {
  shape: number[];
  f32?: string;
  f64?: string;
}
interface StoredCase {
  name: string;
  op: OperationName;
  options: Record<string, unknown>;
  inputs: Record<string, StoredArray>;
  outputGradient: StoredArray | null;
  value: StoredArray;
  gradients: Record<string, StoredArray>;
}
interface StoredNetwork {
  imageSize: [number, number, number];
  filters: number[];
  embedding: number;
  batchSize: number;
  l2: number;
  learningRate: number;
  parameters: Record<string, StoredArray>;
  left: string;
  right: string;
  leftLabels: number[];
  rightLabels: number[];
  steps: { loss: number; gradients?: Record<string, StoredArray> }[];
}

export type FixtureCase = Omit<StoredCase, "inputs" | "outputGradient" | "value" | "gradients"> & {
  inputs: NdArrays;
  outputGradient: NdArray;
  value: NdArray;
  gradients: NdArrays;
};
export type FixtureNetwork = Omit<StoredNetwork, "parameters" | "left" | "right" | "steps"> & {
  parameters: NdArrays;
  left: Uint8Array<ArrayBuffer>;
  right: Uint8Array<ArrayBuffer>;
  losses: number[];
  gradients: NdArrays; // of the first step
};
export interface Fixtures {
  cases: FixtureCase[];
  network: FixtureNetwork;
}

const bytes = (base64: string) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));

const decode = ({ shape, f32, f64 }: StoredArray) =>
  ndarray(shape, f64 ? new Float64Array(bytes(f64).buffer) : new Float32Array(bytes(f32!).buffer));

const decodeAll = (stored: Record<string, StoredArray>): NdArrays =>
  Object.fromEntries(Object.entries(stored).map(([name, array]) => [name, decode(array)]));

/** The text of operations.json to cases and the network. */
export function parseFixtures(text: string): Fixtures {
  const stored = JSON.parse(text) as { cases: StoredCase[]; network: StoredNetwork };
  const { network } = stored;
  return {
    cases: stored.cases.map((c) => ({
      ...c,
      inputs: decodeAll(c.inputs),
      outputGradient: c.outputGradient ? decode(c.outputGradient) : ndarray([], [1]), // a loss
      value: decode(c.value),
      gradients: decodeAll(c.gradients),
    })),
    network: {
      ...network,
      parameters: decodeAll(network.parameters),
      left: bytes(network.left),
      right: bytes(network.right),
      losses: network.steps.map((step) => step.loss),
      gradients: decodeAll(network.steps[0].gradients!),
    },
  };
}
