// A dataset without the pictures that cannot be decoded. All are decoded once before the work begins, so that the set
// of pictures is known and does not depend on what is drawn later.
import { type ErrorCode, TwingradError } from "../errors.ts";
import { type Dataset, type Item, subset } from "./dataset.ts";
import type { ImageSize } from "./imageSize.ts";

/** How many pictures are decoded at a time. */
const together = 16;

const unreadable: ReadonlySet<ErrorCode> = new Set(["CORRUPT_FILE", "CORRUPT_RECORD", "DISK", "BAD_INPUT"]);

/** Whether the error concerns one unreadable picture, which may be skipped; other errors would affect every picture. */
export function isUnreadable(error: unknown): error is TwingradError {
  return error instanceof TwingradError && unreadable.has(error.code);
}

/**
 * The dataset without the pictures that cannot be decoded at this size: each is decoded once.
 * @param onUnreadable - is told of each picture that is left out, in the dataset's order; an identity without a picture
 * is left out with it.
 * @throws BAD_INPUT when no picture is left.
 * @example
 * ```ts
 * const readable = await readableItems(dataset, [56, 46, 1], (item, error) => console.warn(item.name, error.message));
 * ```
 */
export async function readableItems<I extends Item>(
  dataset: Dataset<I>,
  size: ImageSize,
  onUnreadable: (item: I, error: TwingradError) => void,
): Promise<Dataset<I>> {
  const items: I[] = [];
  for (let start = 0; start < dataset.items.length; start += together) {
    const chunk = dataset.items.slice(start, start + together);
    const outcomes = await Promise.allSettled(chunk.map((item) => item.decode(size)));
    for (const [position, outcome] of outcomes.entries()) {
      if (outcome.status === "fulfilled") items.push(chunk[position]);
      else if (isUnreadable(outcome.reason)) onUnreadable(chunk[position], outcome.reason);
      else throw outcome.reason;
    }
  }
  if (items.length === 0) throw new TwingradError("BAD_INPUT", "None of the pictures can be decoded.");
  if (items.length === dataset.items.length) return dataset;
  const present = new Set(items.map((item) => item.identity));
  const identities = dataset.identities.map((_, identity) => identity).filter((identity) => present.has(identity));
  return subset({ identities: dataset.identities, items }, identities);
}
