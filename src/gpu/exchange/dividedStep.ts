// A step in parts: its gradients leave the device between the backward pass and the update, and come back as whatever the
// exchange made of them. Those that are complete first leave first, while the rest of the backward pass computes.
import type { BufferRange, Dispatch, StepParts } from "../dispatch.ts";
import { submit } from "../dispatch.ts";
import { type Exchange, type Message, type MessageRing, messagesOf } from "./messages.ts";

export interface Division {
  readonly ring: MessageRing;
  /** Bytes of a message. */
  readonly most: number;
  /** What is exchanged beside the gradients, as the backward pass leaves it. */
  readonly kept: readonly BufferRange[];
  readonly exchange: Exchange;
}

/** The parts of a program's step, found once. */
export interface DividedStep {
  readonly messages: readonly Message[];
  /** Of each message the number of dispatches that come before it. */
  readonly before: readonly number[];
}

/**
 * The last parameters' gradients are complete first, so that the messages go from the end of each arena to its beginning, and
 * what is kept and the loss go last: an order that depends on no kernel, as it must be the same on every rank.
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

/** Submits the step, and resolves when all of it is submitted. What it reports as its loss is what the exchange made of it. */
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
