// A simulated bona fide capture and a simulated print or replay attack of a picture. Each picture has its own random stream,
// so that the same seed gives the same pictures.
import { Random, streams } from "../../internal.ts";
import {
  blur,
  type Color,
  camera,
  glare,
  halftone,
  moire,
  type Point,
  perspective,
  type Raster,
  tint,
} from "./effects.ts";

/** Applied to both classes: the camera must not tell them apart. */
interface Camera {
  readonly blur: number;
  readonly gain: Color;
  readonly noise: number;
}

export interface Recapture {
  readonly medium: "print" | "screen";
  readonly tint: Parameters<typeof tint>[1];
  /** For prints. */
  readonly halftone?: Parameters<typeof halftone>[1];
  /** For screens. */
  readonly moire?: Parameters<typeof moire>[1];
  readonly sheet: Parameters<typeof perspective>[1];
  readonly glare: Parameters<typeof glare>[1];
  /** Standard deviation in pixels: a recaptured picture is less sharp. */
  readonly blur: number;
}

const within = (random: Random, low: number, high: number) => low + (high - low) * random.uniform();

function drawCamera(random: Random): Camera {
  const light = within(random, 0.85, 1.1);
  const gain = [0, 1, 2].map(() => light * within(random, 0.95, 1.05)) as unknown as Color;
  return { blur: within(random, 0.2, 0.7), gain, noise: within(random, 0.004, 0.015) };
}

/** Draws all numbers, whether the medium uses them or not, so that the random stream stays in step. */
export function drawRecapture(random: Random): Recapture {
  const medium = random.uniform() < 0.5 ? "print" : "screen";
  const between = (low: number, high: number) => within(random, low, high);
  const warm = between(0, 0.12);
  const dark = between(0.03, 0.12);
  const paper = { white: [0.97, 0.97 - 0.4 * warm, 0.97 - warm], black: [dark, dark, 0.9 * dark] } as const;
  const glow = { white: [0.97 - warm, 0.98 - 0.5 * warm, 1], black: [0.7 * dark, 0.75 * dark, dark] } as const;
  const dots = { period: between(2.2, 4), angle: between(0, 90), strength: between(0.1, 0.35) };
  const sign = random.uniform() < 0.5 ? -1 : 1;
  const beat = { period: 1 + sign * between(0.03, 0.12), angle: between(-4, 4), strength: between(0.06, 0.2) };
  const sheet = drawSheet(random);
  const radius = between(0.08, 0.3);
  const spot: Recapture["glare"] = {
    x: between(0, 1),
    y: between(0, 1),
    radii: [radius, radius * between(1, 3)],
    angle: between(0, 180),
    strength: between(0, 0.6),
  };
  const own = medium === "print" ? { tint: paper, halftone: dots } : { tint: glow, moire: beat };
  return { medium, ...own, sheet, glare: spot, blur: between(0.3, 1.1) };
}

/** Held nearly straight, filling the frame or a little less. */
function drawSheet(random: Random): Recapture["sheet"] {
  const between = (low: number, high: number) => within(random, low, high);
  const angle = (between(-5, 5) / 180) * Math.PI;
  const scale = between(0.9, 1.12);
  const [cosine, sine] = [Math.cos(angle) * scale, Math.sin(angle) * scale];
  const center = [0.5 + between(-0.02, 0.02), 0.5 + between(-0.02, 0.02)];
  const square: Point[] = [
    [-0.5, -0.5],
    [0.5, -0.5],
    [0.5, 0.5],
    [-0.5, 0.5],
  ];
  const corners = square.map(([x, y]): Point => {
    const [atX, atY] = [center[0] + cosine * x - sine * y, center[1] + sine * x + cosine * y];
    return [atX + between(-0.03, 0.03), atY + between(-0.03, 0.03)];
  });
  const gray = between(0.75, 0.95);
  const behind = between(0.15, 0.6);
  return {
    corners,
    border: between(0, 0.06),
    borderColor: [gray, gray, 0.96 * gray],
    background: [behind, behind * between(0.85, 1), behind * between(0.7, 1)],
  };
}

/** Picture number `index` of the run, as a bona fide capture. */
export function live(picture: Raster, seed: number, index: number): Raster {
  const random = new Random(seed, streams.recapture, 2 * index);
  return photographed(picture, drawCamera(random), random);
}

/** Picture number `index` of the run, as a print or replay attack. */
export function recapture(picture: Raster, seed: number, index: number): { picture: Raster; how: Recapture } {
  const random = new Random(seed, streams.recapture, 2 * index + 1);
  const lens = drawCamera(random);
  const how = drawRecapture(random);
  let shown = tint(picture, how.tint);
  if (how.halftone) shown = halftone(shown, how.halftone);
  shown = perspective(blur(shown, how.blur), how.sheet);
  if (how.moire) shown = moire(shown, how.moire);
  return { picture: photographed(glare(shown, how.glare), lens, random), how };
}

const photographed = (picture: Raster, { blur: sigma, gain, noise }: Camera, random: Random) =>
  camera(blur(picture, sigma), { gain, noise }, random);
