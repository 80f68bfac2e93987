// Checked by the compiler alone (npm run check): a step's results are typed by the program's outputs. Each line with an
// expected error fails the check if it compiles.
import { adam, type Program, type StepResult, type Tape, type Tensor } from "../../src/index.ts";
import type { CompileOptions } from "../../src/tape/plan.ts";

export async function inference(tape: Tape, embedding: Tensor): Promise<Float32Array> {
  const program = await tape.compile({ outputs: { embedding } });
  const result = await program.run();
  // @ts-expect-error: no loss was requested
  result.loss;
  // @ts-expect-error: there is no optimizer
  result.step;
  // @ts-expect-error: there is no such output
  result.embeddings;
  return result.embedding;
}

export async function training(tape: Tape, loss: Tensor, logits: Tensor): Promise<[number, number, boolean]> {
  const program = await tape.compile({ loss, optimizer: adam(), outputs: { logits } });
  const { result } = await program.start();
  const found = await result;
  found.logits.subarray(1);
  // @ts-expect-error: the loss is a number
  found.loss.subarray(1);
  return [found.loss, found.step, found.finite];
}

export async function reported(tape: Tape, loss: Tensor): Promise<number> {
  const result = await (await tape.compile({ loss })).run();
  // @ts-expect-error: there is no optimizer
  result.finite;
  return result.loss;
}

/** Outputs under names that are known only when it runs. */
export async function named(tape: Tape, outputs: Record<string, Tensor>): Promise<Float32Array> {
  return (await (await tape.compile({ outputs })).run())["tower 1"];
}

export async function kept(tape: Tape, loss: Tensor): Promise<StepResult> {
  return (await tape.compile({ loss, optimizer: adam() })).run();
}

/** Code that names no outputs: any program, whose results may be present, of unknown type. */
export async function untyped(tape: Tape, options: CompileOptions, y: Tensor): Promise<StepResult> {
  const programs: Program[] = [await tape.compile(options), await tape.compile({ outputs: { y } })];
  const { loss, step, finite, ...others } = await programs[0].run();
  const values: Float32Array | number | boolean = others.y;
  return { ...others, loss: loss + step, step, finite: finite && values !== 0 };
}
