// Robustness of a liveness model: its AUC under changed light, colors and compression, and its scores under small shifts.
import sharp from "sharp";
import {
  type ImageSize,
  type LivenessDataset,
  type LivenessModel,
  livenessReport,
  type Presentation,
} from "../../../index.ts";
import { changed, livenessLogits } from "../../../internal.ts";
import { digits, percent } from "../../outcome.ts";

export interface Robustness {
  /** Number of pictures of each class that were changed, and the AUC on the originals. */
  readonly live: number;
  readonly spoof: number;
  readonly auc: number;
  readonly changes: readonly { readonly name: string; readonly auc: number; readonly fall: number }[];
  readonly shifts: {
    /** Standard deviation of a picture's logit over shifts by 5 %, root mean square over the pictures. */
    readonly deviation: number;
    /** Mean distance of a picture's logit from the threshold. */
    readonly margin: number;
    /** Share of the pictures whose decision changes under some shift. */
    readonly flipped: number;
  };
}

type Change = (pixels: Uint8Array, size: ImageSize) => Uint8Array | Promise<Uint8Array>;

/** Maps each value in [0, 1], and clamps the result. */
const valueByValue =
  (of: (value: number, channel: number) => number): Change =>
  (pixels, [, , channels]) =>
    Uint8ClampedArray.from(pixels, (value, i) => 255 * of(value / 255, i % channels)) as unknown as Uint8Array;

const gain = (factor: number) => valueByValue((value) => factor * value);
const gamma = (exponent: number) => valueByValue((value) => value ** exponent);
const contrast = (factor: number) => valueByValue((value) => factor * (value - 0.5) + 0.5);
const balance = (...factors: number[]) => valueByValue((value, channel) => value * factors[channel]);
const jpeg =
  (quality: number): Change =>
  async (pixels, [height, width, channels]) => {
    const file = await sharp(pixels, { raw: { height, width, channels: channels as 1 | 3 } })
      .jpeg({ quality })
      .toBuffer();
    return sharp(file)
      .toColorspace(channels === 1 ? "b-w" : "srgb")
      .raw()
      .toBuffer();
  };

const inColor: Record<string, Change> = {
  "white balance warm": balance(1.2, 1, 0.8),
  "white balance cool": balance(0.8, 1, 1.2),
};
const changes: Record<string, Change> = {
  "gain 0.5": gain(0.5),
  "gain 2": gain(2),
  "gamma 0.6": gamma(0.6),
  "gamma 1.7": gamma(1.7),
  ...inColor,
  "contrast 0.6": contrast(0.6),
  "contrast 1.5": contrast(1.5),
  "JPEG 90": jpeg(90),
  "JPEG 70": jpeg(70),
  "JPEG 50": jpeg(50),
};

/** Shifts down and right by these shares of the side; the border is repeated. */
export const shifted =
  (down: number, right: number): Change =>
  (pixels, [height, width, channels]) => {
    const [rows, columns] = [Math.round(down * height), Math.round(right * width)];
    const within = (place: number, side: number) => Math.min(Math.max(place, 0), side - 1);
    return pixels.map((_, i) => {
      const pixel = Math.floor(i / channels);
      const [y, x] = [Math.floor(pixel / width) - rows, (pixel % width) - columns];
      return pixels[(within(y, height) * width + within(x, width)) * channels + (i % channels)];
    });
  };

const steps = [-0.05, 0, 0.05];
const shifts = steps.flatMap((down) =>
  steps.filter((right) => down !== 0 || right !== 0).map((right) => shifted(down, right)),
);

/**
 * @param perClass number of pictures of each class to change, at regular intervals in the data set.
 * @param threshold as a logit.
 * @param onProgress called after each change.
 */
export async function robustness(
  model: LivenessModel,
  dataset: LivenessDataset,
  {
    perClass,
    threshold,
    onProgress,
  }: { perClass: number; threshold: number; onProgress?: (done: number, of: number) => void },
): Promise<Robustness> {
  const some = evenly(dataset, perClass);
  const taken = Object.entries(changes).filter(([name]) => model.imageSize[2] === 3 || !(name in inColor));
  let done = 0;
  const logitsOf = async (change?: Change) => {
    const found = await livenessLogits(model, change ? changedBy(some, change) : some);
    onProgress?.(++done, 1 + taken.length + shifts.length);
    return found;
  };
  const plain = await logitsOf();
  const { live, spoof, auc } = livenessReport(plain, threshold);
  const found = [];
  for (const [name, change] of taken) {
    const own = livenessReport(await logitsOf(change), threshold).auc;
    found.push({ name, auc: own, fall: auc - own });
  }
  const perShift = [plain];
  for (const shift of shifts) perShift.push(await logitsOf(shift));
  return { live, spoof, auc, changes: found, shifts: shiftStability(perShift, threshold) };
}

/** @param perShift the presentations of all pictures for each shift, the originals first. */
export function shiftStability(
  perShift: readonly (readonly Presentation[])[],
  threshold: number,
): Robustness["shifts"] {
  const each = perShift[0].map((_, i) => perShift.map((presentations) => presentations[i].score));
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = (values: readonly number[]) => mean(values.map((value) => (value - mean(values)) ** 2));
  return {
    deviation: Math.sqrt(mean(each.map(variance))),
    margin: mean(each.map(([first]) => Math.abs(first - threshold))),
    flipped: mean(each.map((scores) => Number(scores.some((score) => score >= threshold !== scores[0] >= threshold)))),
  };
}

export function robustnessText({ live, spoof, auc, changes, shifts }: Robustness): string {
  const width = Math.max(...changes.map(({ name }) => name.length));
  return [
    `on ${live} bona fide pictures and ${spoof} attacks (AUC ${digits(auc)} unchanged):`,
    ...changes.map(
      ({ name, auc: own, fall }) =>
        `  ${name.padEnd(width)}  AUC ${digits(own)}${fall > 0.01 ? ", falls by more than 0.01" : ""}`,
    ),
    `shifted by 5 %: logits vary by ${digits(shifts.deviation)} (standard deviation) at a mean distance of ${digits(shifts.margin)} from the threshold; ${percent(shifts.flipped)} of the decisions change`,
  ].join("\n");
}

function changedBy({ identities, items }: LivenessDataset, change: Change): LivenessDataset {
  const altered = (item: LivenessDataset["items"][number]) =>
    changed(item, { decode: async (size: ImageSize) => change(await item.decode(size), size) });
  return { identities, items: items.map(altered) };
}

function evenly({ identities, items }: LivenessDataset, perClass: number): LivenessDataset {
  const some = [true, false].flatMap((kind) => {
    const own = items.filter(({ live }) => live === kind);
    const step = Math.max(1, own.length / perClass);
    return Array.from({ length: Math.min(own.length, perClass) }, (_, n) => own[Math.floor(n * step)]);
  });
  return { identities, items: some };
}
