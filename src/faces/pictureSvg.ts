// One picture as SVG: facesjs draws the face; pose and background are added.
import { faceToSvgString } from "facesjs";
import type { Appearance, Person } from "./people.ts";

/** The window of facesjs' 400 x 600 canvas that contains a head with its hair: a square around (200, 300). */
const CENTER = { x: 200, y: 300 };
const WINDOW = 405;

/** The face in facesjs' format, from identity and appearance. */
export function faceConfig(who: Person, today: Appearance) {
  const { expression } = today;
  return {
    fatness: who.fatness,
    teamColors: today.teamColors,
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
    hair: { id: today.hair, color: who.hairColor, flip: today.hairFlip },
    mouth: { ...who.mouth, size: who.mouth.size * expression.mouthSize, angle: expression.mouthAngle },
    nose: who.nose,
    glasses: { id: today.glasses },
    accessories: { id: today.accessory },
  };
}

const inner = (svg: string) => svg.slice(svg.indexOf(">") + 1, svg.lastIndexOf("</svg>"));

/** The whole picture as SVG: the background, then the face in its pose. */
export function pictureSvg(who: Person, today: Appearance): string {
  const { pose, background } = today;
  const left = CENTER.x - WINDOW / 2;
  const top = CENTER.y - WINDOW / 2;
  const shapes = background.shapes.map(({ x, y, width, height, round, color }) => {
    const box = { x: left + x * WINDOW, y: top + y * WINDOW, width: width * WINDOW, height: height * WINDOW };
    const corner = round ? Math.min(box.width, box.height) / 2 : 0;
    return `<rect x="${box.x}" y="${box.y}" width="${box.width}" height="${box.height}" rx="${corner}" fill="${color}"/>`;
  });
  const transform = [
    `translate(${CENTER.x + pose.shiftX * WINDOW} ${CENTER.y + pose.shiftY * WINDOW})`,
    `rotate(${pose.rotation})`,
    `scale(${pose.scale * pose.aspect} ${pose.scale / pose.aspect})`,
    `translate(${-CENTER.x} ${-CENTER.y})`,
  ].join(" ");
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="${left} ${top} ${WINDOW} ${WINDOW}" width="${WINDOW}" height="${WINDOW}">
<defs><linearGradient id="background" gradientTransform="rotate(${background.angle} 0.5 0.5)"><stop offset="0" stop-color="${background.from}"/><stop offset="1" stop-color="${background.to}"/></linearGradient></defs>
<rect x="${left}" y="${top}" width="${WINDOW}" height="${WINDOW}" fill="url(#background)"/>${shapes.join("")}
<g transform="${transform}">${inner(faceToSvgString(faceConfig(who, today)))}</g></svg>`;
}
