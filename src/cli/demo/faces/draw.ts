// One picture: facesjs draws the face, resvg rasterises it, and light, blur and noise are added in plain arithmetic,
// so that the bytes are the same on every machine.

import { Resvg } from "@resvg/resvg-js";
import { faceToSvgString } from "facesjs";
import type { Random } from "../../../internal.ts";
import type { Appearance, Person } from "./people.ts";

/** Rasterised this many times larger on each side, then averaged down in integers: smooth edges, no resampler. */
const OVERSAMPLING = 2;
/** The window of facesjs' 400 x 600 canvas that holds a head with its hair: a square around (200, 300). */
const CENTRE = { x: 200, y: 300 };
const WINDOW = 405;

/** The face as facesjs understands it. Identity and the day's look meet here. */
export function faceConfig(who: Person, today: Appearance) {
  const { expression } = today;
  return {
    fatness: who.fatness,
    teamColors: today.teamColours,
    hairBg: { id: today.hairBehind },
    body: { id: "body", color: who.skin, size: 1 },
    jersey: { id: today.jersey },
    ear: who.ear,
    head: { id: who.head, shave: `rgba(0,0,0,${today.stubble.toFixed(2)})` },
    eyeLine: { id: who.eyeLine },
    smileLine: { id: expression.smileLine, size: 1 },
    miscLine: { id: expression.forehead },
    facialHair: { id: today.beard },
    eye: { ...who.eye, angle: who.eye.angle + expression.eyeAngle },
    eyebrow: { ...who.eyebrow, angle: who.eyebrow.angle + expression.browAngle },
    hair: { id: today.hair, color: who.hairColour, flip: today.hairFlip },
    mouth: { ...who.mouth, size: who.mouth.size * expression.mouthSize, angle: expression.mouthAngle },
    nose: who.nose,
    glasses: { id: today.glasses },
    accessories: { id: today.accessory },
  };
}

const inner = (svg: string) => svg.slice(svg.indexOf(">") + 1, svg.lastIndexOf("</svg>"));

/** The whole picture as SVG: background, then the face under its pose. */
export function pictureSvg(who: Person, today: Appearance): string {
  const { pose, background } = today;
  const left = CENTRE.x - WINDOW / 2;
  const top = CENTRE.y - WINDOW / 2;
  const shapes = background.shapes.map(({ x, y, width, height, round, colour }) => {
    const box = { x: left + x * WINDOW, y: top + y * WINDOW, width: width * WINDOW, height: height * WINDOW };
    const corner = round ? Math.min(box.width, box.height) / 2 : 0;
    return `<rect x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}" rx="${corner}" fill="${colour}"/>`;
  });
  const transform = [
    `translate(${CENTRE.x + pose.shiftX * WINDOW} ${CENTRE.y + pose.shiftY * WINDOW})`,
    `rotate(${pose.rotation})`,
    `scale(${pose.scale * pose.aspect} ${pose.scale / pose.aspect})`,
    `translate(${-CENTRE.x} ${-CENTRE.y})`,
  ].join(" ");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${left} ${top} ${WINDOW} ${WINDOW}" width="${WINDOW}" height="${WINDOW}">
<defs><linearGradient id="background" gradientTransform="rotate(${background.angle} 0.5 0.5)"><stop offset="0" stop-color="${background.from}"/><stop offset="1" stop-color="${background.to}"/></linearGradient></defs>
<rect x="${left}" y="${top}" width="${WINDOW}" height="${WINDOW}" fill="url(#background)"/>${shapes.join("")}
<g transform="${transform}">${inner(faceToSvgString(faceConfig(who, today)))}</g></svg>`;
}

/** Averages OVERSAMPLING x OVERSAMPLING squares of RGBA bytes into RGB levels, [size, size, 3]. */
function averageDown(pixels: Uint8Array, size: number): Float64Array {
  const result = new Float64Array(size * size * 3);
  const row = size * OVERSAMPLING;
  for (let y = 0; y < row; y++)
    for (let x = 0; x < row; x++) {
      const from = (y * row + x) * 4;
      const to = (((y / OVERSAMPLING) | 0) * size + ((x / OVERSAMPLING) | 0)) * 3;
      for (let c = 0; c < 3; c++) result[to + c] += pixels[from + c];
    }
  return result.map((sum) => sum / (OVERSAMPLING * OVERSAMPLING));
}

/** One axis of the binomial filter [1 2 1] / 4, mixed with the sharp picture; edges repeat. */
function blurAxis(levels: Float64Array, size: number, share: number, stride: number, across: number): Float64Array {
  return levels.map((level, index) => {
    const position = Math.floor(index / stride) % size;
    const before = position > 0 ? index - stride : index;
    const after = position < size - 1 ? index + stride : index;
    return level * (1 - share) + (share * (levels[before] + 2 * level + levels[after])) / across;
  });
}

/** Four bytes of one draw, summed and brought to mean 0 and deviation 1: near a normal, and exact everywhere. */
function noise(random: Random): number {
  const word = random.uint32();
  const sum = (word & 255) + ((word >>> 8) & 255) + ((word >>> 16) & 255) + (word >>> 24);
  return (sum - 510) / 147.8;
}

/** Draws one picture, RGB bytes [size, size, 3]; `random` gives the noise. */
export function drawPicture(who: Person, today: Appearance, size: number, random: Random): Uint8Array {
  const rendered = new Resvg(pictureSvg(who, today), {
    fitTo: { mode: "width", value: size * OVERSAMPLING },
    font: { loadSystemFonts: false },
  }).render();
  let levels = averageDown(rendered.pixels, size);
  const { light } = today;
  const radians = (light.direction * Math.PI) / 180;
  const [dx, dy] = [Math.cos(radians) * light.slope, Math.sin(radians) * light.slope];
  const warmth = [1 + light.warmth, 1, 1 - light.warmth];
  levels = levels.map((level, index) => {
    const x = (Math.floor(index / 3) % size) / (size - 1) - 0.5;
    const y = Math.floor(index / 3 / size) / (size - 1) - 0.5;
    return level * light.gain * warmth[index % 3] * (1 + 2 * (dx * x + dy * y)) + light.lift;
  });
  if (today.blur > 0) {
    levels = blurAxis(levels, size, today.blur, 3, 4);
    levels = blurAxis(levels, size, today.blur, 3 * size, 4);
  }
  return Uint8Array.from(levels, (level) =>
    Math.max(0, Math.min(255, Math.round(level + today.noise * noise(random)))),
  );
}
