// The measured operations: the layers of the configurations, each pass separately.
import { type Configuration, convLayers, flattened } from "./configurations.ts";

interface Case<Kind extends string> {
  readonly kind: Kind;
  readonly name: string;
  /** A multiply-add counts as two; 0 if the operation is bound by memory. */
  readonly operations: number;
}

/** 3x3, stride 1, SAME, no bias; x [batch, height, width, input], filter [3, 3, input, output]. */
export interface ConvolutionCase extends Case<"conv2d"> {
  readonly pass: "forward" | "input gradient" | "filter gradient";
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly input: number;
  readonly output: number;
}

/**
 * Max-pool 2x2 VALID, or batch-norm with statistics of its own for each half of the batch; x [batch, height, width,
 * channels].
 */
export interface LayerCase extends Case<"maxPool2d" | "batchNorm"> {
  /** "training": forward and the gradients of all inputs. */
  readonly pass: "forward" | "training";
  readonly batch: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** x [batch, input], kernel [input, output], no bias. */
export interface DenseCase extends Case<"dense"> {
  readonly pass: "forward" | "input gradient" | "kernel gradient";
  readonly batch: number;
  readonly input: number;
  readonly output: number;
}

export type OperationCase = ConvolutionCase | LayerCase | DenseCase;

/** Every layer of a configuration, both branches in one batch. */
export function operationCases(c: Configuration): OperationCase[] {
  const batch = 2 * c.pairs;
  const cases: OperationCase[] = [];
  for (const { height, width, input, output } of convLayers(c)) {
    const operations = 2 * batch * height * width * 9 * input * output;
    const name = `conv2d ${batch}x${height}x${width}x${input} -> ${output}`;
    for (const pass of ["forward", "input gradient", "filter gradient"] as const) {
      if (pass === "input gradient" && input === c.image[2]) continue; // a training step never needs the image's gradient
      cases.push({ kind: "conv2d", name: `${name}, ${pass}`, operations, pass, batch, height, width, input, output });
    }
    for (const pass of ["forward", "training"] as const) {
      const at = { pass, operations: 0, batch, channels: output };
      const halves = { height: Math.floor(height / 2), width: Math.floor(width / 2) };
      const pooled = `maxPool2d ${batch}x${height}x${width}x${output}, ${pass}`;
      const normed = `batchNorm ${batch}x${halves.height}x${halves.width}x${output}, ${pass}`;
      cases.push({ kind: "maxPool2d", name: pooled, height, width, ...at });
      cases.push({ kind: "batchNorm", name: normed, ...halves, ...at });
    }
  }
  const [input, output] = [flattened(c), c.embedding];
  for (const pass of ["forward", "input gradient", "kernel gradient"] as const) {
    const name = `dense ${batch}x${input} -> ${output}, ${pass}`;
    cases.push({ kind: "dense", name, operations: 2 * batch * input * output, pass, batch, input, output });
  }
  return cases;
}

/** Shapes of a case's tensors, in the layouts above; `gradient` is that of the output. */
export function shapesOf(c: OperationCase): Record<string, number[]> {
  if (c.kind === "dense") {
    return { x: [c.batch, c.input], kernel: [c.input, c.output], gradient: [c.batch, c.output] };
  }
  const channels = c.kind === "conv2d" ? c.input : c.channels;
  const x = [c.batch, c.height, c.width, channels];
  if (c.kind === "conv2d") {
    return { x, filter: [3, 3, c.input, c.output], gradient: [c.batch, c.height, c.width, c.output] };
  }
  if (c.kind === "batchNorm") return { x, gamma: [channels], beta: [channels], gradient: x };
  return { x, gradient: [c.batch, Math.floor(c.height / 2), Math.floor(c.width / 2), channels] };
}

/** Those of the tensors that the case's pass reads. */
export function operandShapes(c: OperationCase): Record<string, number[]> {
  const unread: Record<OperationCase["pass"], string[]> = {
    forward: ["gradient"],
    training: [],
    "input gradient": ["x"],
    "filter gradient": ["filter"],
    "kernel gradient": ["kernel"],
  };
  return Object.fromEntries(Object.entries(shapesOf(c)).filter(([name]) => !unread[c.pass].includes(name)));
}
