// Augmentation: random changes that keep the identity recognizable. Each picture draws its own parameters from these
// ranges. Without augmentation a network memorizes a small training set.
import { TwingradError } from "../../errors.ts";

/** Low and high, or one number r that stands for a range; each option says for which. */
export type Range = number | readonly [low: number, high: number];

/** The range of each augmentation; an absent one is not applied. */
export interface AugmentationRanges {
  /** Crops at random: drops this share of each side, at a random place; r: 0 to r. */
  readonly crop?: Range;
  /** Scale factor; r: 1 - r to 1 + r. */
  readonly scale?: Range;
  /** Counter-clockwise, about the center, in degrees; r: -r to r. */
  readonly rotation?: Range;
  /** Down and to the right, as a share of height and width, each drawn independently; r: -r to r. */
  readonly translation?: Range;
  /** The probability of a left-right mirror image. */
  readonly flip?: number;
  /** Standard deviation of a Gaussian blur, in pixels of the network's image; r: 0 to r. */
  readonly blur?: Range;
  /** Added to each pixel, as a share of full scale; r: -r to r. */
  readonly brightness?: Range;
  /** Factor of the distance from mid gray; r: 1 - r to 1 + r. */
  readonly contrast?: Range;
  /** Exponent of each pixel, uniform in its logarithm; r: 1 / (1 + r) to 1 + r. */
  readonly gamma?: Range;
  /** Exposure: factor of each pixel, clipped at full scale as by a camera; drawn and given as `gamma`. */
  readonly gain?: Range;
  /** Factors of red and blue relative to green, drawn independently; drawn and given as `gamma`. */
  readonly whiteBalance?: Range;
  /** Standard deviation of the noise of each pixel and channel, as a share of full scale; r: 0 to r. */
  readonly noise?: Range;
  /** Replaces a rectangle with noise (Zhong et al. 2017, "Random Erasing Data Augmentation"). */
  readonly erasing?: {
    /** The probability of erasing. */
    readonly probability: number;
    /** Share of the picture; 0.02 to 0.2 by default; r: 0 to r. */
    readonly area?: Range;
    /** Height over width, uniform in its logarithm; 0.3 to 1 / 0.3 by default; r: 1 / r to r. */
    readonly aspect?: Range;
  };
}

/** `standard`: what varies between two photographs of a face. `strong`: for few identities or long training. */
export const augmentationPresets = {
  light: { rotation: 3, scale: 0.02, translation: 0.01, brightness: 0.04, contrast: 0.05 },
  standard: { flip: 0.5, rotation: 5, scale: 0.05, translation: 0.02, brightness: 0.06, contrast: 0.1 },
  strong: {
    flip: 0.5,
    crop: 0.15,
    rotation: 15,
    scale: 0.12,
    translation: 0.08,
    brightness: 0.15,
    contrast: 0.3,
    blur: 0.8,
    noise: 0.04,
    erasing: { probability: 0.25 },
  },
} satisfies Record<string, AugmentationRanges>;

/** The name of a preset. */
export type AugmentationPreset = keyof typeof augmentationPresets;

export type Bounds = readonly [low: number, high: number];

/** Every range as low and high; a range that is not given is the identity. */
export interface ResolvedRanges {
  readonly crop: Bounds;
  readonly scale: Bounds;
  readonly rotation: Bounds;
  readonly translation: Bounds;
  readonly flip: number;
  readonly blur: Bounds;
  readonly brightness: Bounds;
  readonly contrast: Bounds;
  readonly noise: Bounds;
  readonly gamma: Bounds;
  readonly gain: Bounds;
  readonly whiteBalance: Bounds;
  readonly erasing: { readonly probability: number; readonly area: Bounds; readonly aspect: Bounds };
}

/** For factors and exponents: symmetric in the logarithm. */
const factor = { of: (r: number): Bounds => [1 / (1 + r), 1 + r], none: 1, least: 0.01, most: 100 };

/** What one number r stands for, the value that changes nothing, and the bounds of low and high. */
const kinds = {
  crop: { of: (r) => [0, r], none: 0, least: 0, most: 0.9 },
  scale: { of: (r) => [1 - r, 1 + r], none: 1, least: 0.1, most: 10 },
  rotation: { of: (r) => [-r, r], none: 0, least: -180, most: 180 },
  translation: { of: (r) => [-r, r], none: 0, least: -1, most: 1 },
  blur: { of: (r) => [0, r], none: 0, least: 0, most: 5 },
  brightness: { of: (r) => [-r, r], none: 0, least: -1, most: 1 },
  contrast: { of: (r) => [1 - r, 1 + r], none: 1, least: 0, most: 10 },
  noise: { of: (r) => [0, r], none: 0, least: 0, most: 1 },
  gamma: factor,
  gain: factor,
  whiteBalance: factor,
} satisfies Record<string, Kind>;

interface Kind {
  of(r: number): Bounds;
  none: number;
  least: number;
  most: number;
}

const area: Kind = { of: (r) => [0, r], none: 0, least: 0, most: 1 };
const aspect: Kind = { of: (r) => [1 / r, r], none: 1, least: 0.01, most: 100 };

/** @throws BAD_INPUT that names the first invalid range. */
export function resolveRanges(ranges: AugmentationRanges): ResolvedRanges {
  const record = object("augmentation", ranges, [...Object.keys(kinds), "flip", "erasing"]);
  const bounds = Object.fromEntries(
    Object.entries(kinds).map(([name, kind]) => [name, range(name, record[name] ?? [kind.none, kind.none], kind)]),
  ) as Record<keyof typeof kinds, Bounds>;
  const erasing = object("erasing", record.erasing ?? { probability: 0 }, ["probability", "area", "aspect"]);
  return {
    ...bounds,
    flip: probability("flip", record.flip ?? 0),
    erasing: {
      probability: probability("erasing.probability", erasing.probability),
      area: range("erasing.area", erasing.area ?? [0.02, 0.2], area),
      aspect: range("erasing.aspect", erasing.aspect ?? [0.3, 1 / 0.3], aspect),
    },
  };
}

function range(name: string, value: unknown, { of, least, most }: Kind): Bounds {
  const bounds = typeof value === "number" ? of(value) : value;
  const pair = Array.isArray(bounds) && bounds.length === 2 && bounds.every(Number.isFinite);
  const [low, high] = pair ? (bounds as unknown as Bounds) : [Number.NaN, Number.NaN];
  if (low >= least && low <= high && high <= most) return [low, high];
  throw invalid(name, value, `a number or [low, high] within ${least} to ${most}`);
}

function probability(name: string, value: unknown): number {
  if (typeof value === "number" && value >= 0 && value <= 1) return value;
  throw invalid(name, value, "a probability from 0 to 1");
}

function object(name: string, value: unknown, known: readonly string[]): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw invalid(name, value, `an object with any of ${known.join(", ")}`);
  }
  const unknown = Object.keys(value).find((key) => !known.includes(key));
  if (unknown === undefined) return value as Record<string, unknown>;
  throw new TwingradError("BAD_INPUT", `Unknown key "${unknown}" in ${name}: expected any of ${known.join(", ")}.`);
}

function invalid(name: string, value: unknown, expected: string): TwingradError {
  return new TwingradError("BAD_INPUT", `Invalid ${name} ${JSON.stringify(value)}: expected ${expected}.`);
}
