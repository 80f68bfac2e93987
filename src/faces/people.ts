// The synthetic people: identity (the same in every picture) and appearance (sampled for each picture).

import { svgsIndex } from "facesjs";

/** A sequence of random numbers: the interface of the library's `Random`, which this room may not import. */
export interface RandomNumbers {
  uint32(): number;
  uniform(): number;
  integer(n: number): number;
}

/** The random numbers for one use; each index has its own sequence. */
export type NumbersFor = (use: "person" | "appearance" | "noise", index: number) => RandomNumbers;

type Color = [number, number, number];

class Draw {
  constructor(private readonly numbers: RandomNumbers) {}

  uniform(): number {
    return this.numbers.uniform();
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  chance(probability: number): boolean {
    return this.uniform() < probability;
  }

  pick<T>(choices: readonly T[]): T {
    return choices[this.numbers.integer(choices.length)];
  }
}

/** The largest number of pictures of one person, so that no two pictures share random numbers. */
export const MOST_PICTURES = 1 << 20;

/** Identity: everything that distinguishes a person from others. */
export interface Person {
  feminine: boolean;
  fatness: number;
  skin: string;
  hairColor: string;
  head: string;
  ear: { id: string; size: number };
  eye: { id: string; angle: number; size: number };
  eyebrow: { id: string; angle: number; size: number };
  nose: { id: string; flip: boolean; size: number };
  mouth: { id: string; flip: boolean; size: number };
  eyeLine: string;
  /** Habits rather than features: what the person usually, but not always, shows. */
  habit: { hair: string; hairBehind: string; beard: string; glasses: string };
}

/** Appearance: what changes between pictures. Angles in degrees; shifts as shares of the picture's side. */
export interface Appearance {
  hair: string;
  hairBehind: string;
  hairFlip: boolean;
  beard: string;
  stubble: number;
  glasses: string;
  accessory: string;
  jersey: string;
  teamColors: [string, string, string];
  expression: {
    eyeAngle: number;
    browAngle: number;
    mouthAngle: number;
    mouthSize: number;
    smileLine: string;
    forehead: string;
  };
  pose: { rotation: number; scale: number; aspect: number; shiftX: number; shiftY: number };
  background: { from: string; to: string; angle: number; shapes: BackgroundShape[] };
  light: { gain: number; slope: number; direction: number; warmth: number; lift: number };
  /** Share of a binomial blur mixed in, and standard deviation of the noise in 8-bit levels. */
  blur: number;
  noise: number;
}

export interface BackgroundShape {
  x: number;
  y: number;
  width: number;
  height: number;
  round: boolean;
  color: string;
}

const SKIN: Color[] = [
  [250, 224, 208],
  [238, 198, 168],
  [222, 170, 132],
  [196, 140, 100],
  [160, 108, 76],
  [122, 78, 56],
  [98, 62, 46],
];

const HAIR: Color[] = [
  [24, 20, 18],
  [58, 36, 22],
  [106, 66, 36],
  [160, 74, 34],
  [206, 140, 62],
  [236, 208, 132],
  [150, 150, 152],
  [228, 226, 222],
];

const DYED: Color[] = [
  [36, 128, 136],
  [118, 62, 150],
  [222, 104, 150],
  [196, 36, 44],
];

const TEAM: Color[] = [
  [200, 40, 40],
  [30, 70, 160],
  [20, 120, 70],
  [240, 190, 30],
  [240, 240, 240],
  [30, 30, 34],
  [120, 50, 140],
  [235, 120, 40],
];

const FOREHEAD = svgsIndex.miscLine.filter((id) => id.startsWith("forehead"));
const HATS = ["hat", "hat2", "hat3", "headband", "headband-high"];
const GLASSES = svgsIndex.glasses.filter((id) => id !== "none" && id !== "facemask");
const BEARDS = svgsIndex.facialHair.filter((id) => id !== "none");
/** Caricature shapes are excluded: they would identify a person at a glance. */
const CARICATURES = new Set(["pinocchio", "honker"]);

/** The ids of a feature for one presentation: names that start with "female" belong to one, the rest to the other. */
function ids(feature: "eye" | "eyebrow" | "hair" | "head", feminine: boolean): string[] {
  const own = svgsIndex[feature].filter((id) => id.startsWith("female") === feminine);
  return own.length > 0 ? own : [...svgsIndex[feature]];
}

const hex = (color: Color) =>
  `#${color
    .map((c) =>
      Math.max(0, Math.min(255, Math.round(c)))
        .toString(16)
        .padStart(2, "0"),
    )
    .join("")}`;

/** A color between two neighbors of a palette, so that nearly every person has a different one. */
function shade(random: Draw, palette: Color[]): string {
  const at = random.uniform() * (palette.length - 1);
  const low = Math.floor(at);
  const color = palette[low].map((c, channel) => c + (palette[low + 1][channel] - c) * (at - low));
  return hex(color as Color);
}

const anyColor = (random: Draw): string =>
  hex([random.between(10, 250), random.between(10, 250), random.between(10, 250)]);

/** The person with this number, from 0; it depends on the seed alone, not on what else is drawn. */
export function person(numbers: NumbersFor, index: number): Person {
  const random = new Draw(numbers("person", index));
  const feminine = random.chance(0.5);
  return {
    feminine,
    fatness: random.between(-0.4, 1.2),
    skin: shade(random, SKIN),
    hairColor: random.chance(0.15) ? hex(random.pick(DYED)) : shade(random, HAIR),
    head: random.pick(ids("head", feminine && random.chance(0.5))),
    ear: { id: random.pick(svgsIndex.ear), size: random.between(0.5, feminine ? 1 : 1.5) },
    eye: { id: random.pick(ids("eye", feminine)), angle: random.between(-12, 16), size: random.between(0.8, 1.5) },
    eyebrow: {
      id: random.pick(ids("eyebrow", feminine)),
      angle: random.between(-16, 20),
      size: random.between(0.7, 1.4),
    },
    nose: {
      id: random.pick(svgsIndex.nose.filter((id) => !CARICATURES.has(id))),
      flip: random.chance(0.5),
      size: random.between(0.6, 1.5),
    },
    mouth: { id: random.pick(svgsIndex.mouth), flip: random.chance(0.5), size: random.between(0.75, 1.45) },
    eyeLine: random.chance(0.6) ? random.pick(svgsIndex.eyeLine) : "none",
    habit: {
      hair: random.pick(ids("hair", feminine)),
      hairBehind: random.pick(feminine ? svgsIndex.hairBg : ["none", "none", "none", "longHair", "shaggy"]),
      beard: !feminine && random.chance(0.5) ? random.pick(BEARDS) : "none",
      glasses: random.chance(0.3) ? random.pick(GLASSES) : "none",
    },
  };
}

/**
 * How much pictures of one person differ. Chosen so that the distance of raw pixels is a poor guide to the identity,
 * while a human viewer is rarely in doubt (the bound is tested).
 */
export const VARIATION = {
  otherHair: 0.05,
  otherBeard: 0.04,
  otherGlasses: 0.04,
  hat: 0.015,
  /** In degrees, in both directions. */
  expression: { eye: 4, brow: 8, mouth: 7 },
  /** In degrees, shares of the scale, and shares of the picture's side; in both directions. */
  pose: { rotation: 8, scale: 0.07, aspect: 0.02, shift: 0.05 },
  light: { gain: [0.86, 1.1], slope: 0.2, warmth: 0.025, lift: [-3, 7] },
  blurred: 0.35,
  blur: 0.6,
  noise: [1, 5],
} as const;

/** The appearance of the person in the picture with this number. */
export function appearance(numbers: NumbersFor, personIndex: number, picture: number, who: Person): Appearance {
  const random = new Draw(numbers("appearance", personIndex * MOST_PICTURES + picture));
  const { habit } = who;
  const otherHair = random.chance(VARIATION.otherHair);
  const within = (range: number) => random.between(-range, range);
  return {
    hair: otherHair ? random.pick(ids("hair", who.feminine)) : habit.hair,
    hairBehind: otherHair && who.feminine ? random.pick(svgsIndex.hairBg) : habit.hairBehind,
    hairFlip: random.chance(0.5),
    beard: random.chance(VARIATION.otherBeard) && !who.feminine ? random.pick(["none", ...BEARDS]) : habit.beard,
    stubble: who.feminine ? 0 : random.between(0, 0.15),
    glasses: random.chance(VARIATION.otherGlasses) ? random.pick(["none", ...GLASSES]) : habit.glasses,
    accessory: random.chance(VARIATION.hat) ? random.pick(HATS) : "none",
    jersey: random.pick(svgsIndex.jersey),
    teamColors: [hex(random.pick(TEAM)), hex(random.pick(TEAM)), hex(random.pick(TEAM))],
    expression: {
      eyeAngle: within(VARIATION.expression.eye),
      browAngle: within(VARIATION.expression.brow),
      mouthAngle: within(VARIATION.expression.mouth),
      mouthSize: random.between(0.85, 1.2),
      smileLine: random.chance(0.5) ? random.pick(svgsIndex.smileLine) : "none",
      forehead: random.chance(0.3) ? random.pick(FOREHEAD) : "none",
    },
    pose: {
      rotation: within(VARIATION.pose.rotation),
      scale: 1 + within(VARIATION.pose.scale),
      aspect: 1 + within(VARIATION.pose.aspect),
      shiftX: within(VARIATION.pose.shift),
      shiftY: within(VARIATION.pose.shift),
    },
    background: {
      from: anyColor(random),
      to: anyColor(random),
      angle: random.between(0, 360),
      shapes: Array.from({ length: Math.floor(random.between(0, 4)) }, () => ({
        x: random.between(-0.1, 0.9),
        y: random.between(-0.1, 0.9),
        width: random.between(0.1, 0.5),
        height: random.between(0.1, 0.7),
        round: random.chance(0.5),
        color: anyColor(random),
      })),
    },
    light: {
      gain: random.between(...VARIATION.light.gain),
      slope: random.between(0, VARIATION.light.slope),
      direction: random.between(0, 360),
      warmth: within(VARIATION.light.warmth),
      lift: random.between(...VARIATION.light.lift),
    },
    blur: random.chance(VARIATION.blurred) ? random.between(0, VARIATION.blur) : 0,
    noise: random.between(...VARIATION.noise),
  };
}
