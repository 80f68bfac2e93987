// A step in parts: between the backward pass and the update, the gradients are read back, exchanged and written to the
// device again. Gradients that are complete first are sent first, while the rest of the backward pass is computed.
import type { BufferRange, Dispatch, StepParts } from "../dispatch.ts";
import { submit } from "../dispatch.ts";
import { type Exchange, type Message, type MessageRing, messagesOf } from "./messages.ts";

export interface Division {
  readonly ring: MessageRing;
  /** Bytes of a message. */
  readonly most: number;
  /** Values to exchange besides the gradients, as the backward pass leaves them. */
  readonly kept: readonly BufferRange[];
  readonly exchange: Exchange;
}

/** The parts of a program's step, computed once. */
export interface DividedStep {
  readonly messages: readonly Message[];
  /** For each message, the number of dispatches before it. */
  readonly before: readonly number[];
}

/**
 * The gradients of the last parameters are complete first, so the messages go from the end of each arena to its
 * beginning; `kept` and the loss come last. The order must be the same on every rank, so it does not depend on the
 * chosen kernels.
 */
export function divideStep({ dispatches, gradients, loss }: StepParts, { most, kept }: Division): DividedStep {
  const arenas = new Set(gradients.map(({ buffer }) => buffer));
  const update = dispatches.findIndex(({ operands }) => operands.some((o) => !o.written && arenas.has(o.range.buffer)));
  const backward = update < 0 ? dispatches.length : update;
  const reversed = [...gradients].reverse().flatMap(({ buffer, offset, size }) => {
    const pieces = messagesOf([{ buffer, offset, size }], most).flatMap(({ ranges }) => ranges);
    return pieces.reverse();
  });
  const messages = messagesOf([...reversed, ...kept, { ...loss, size: 4 }], most);
  let reached = 0;
  const before = messages.map(({ ranges }) => {
    const writes = (dispatch: Dispatch) =>
      dispatch.operands.some((o) => o.written && ranges.some((range) => overlap(o.range, range)));
    reached = Math.max(reached, dispatches.slice(0, backward).findLastIndex(writes) + 1);
    return reached;
  });
  return { messages, before };
}

function overlap(a: BufferRange, b: BufferRange): boolean {
  return a.buffer === b.buffer && a.offset < b.offset + b.size && b.offset < a.offset + a.size;
}

/** Submits the step, and resolves when all of it is submitted. The reported loss is the exchanged one. */
export async function submitDivided(
  { device, dispatches, results }: StepParts,
  { messages, before }: DividedStep,
  { ring, exchange }: Division,
): Promise<void> {
  let submitted = 0;
  await ring.pass(messages, exchange, (number, copy) => {
    submit(device, dispatches.slice(submitted, before[number]), copy);
    submitted = before[number];
  });
  submit(device, dispatches.slice(submitted), results);
}
