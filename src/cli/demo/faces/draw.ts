// Draws one picture with resvg, so that the bytes are the same on every machine.
import { Resvg } from "@resvg/resvg-js";
import { finishPicture, OVERSAMPLING } from "../../../faces/finish.ts";
import type { Appearance, Person, RandomNumbers } from "../../../faces/people.ts";
import { pictureSvg } from "../../../faces/pictureSvg.ts";

/** Draws one picture, RGB bytes [size, size, 3]; `random` gives the noise. */
export function drawPicture(who: Person, today: Appearance, size: number, random: RandomNumbers): Uint8Array {
  const { pixels } = new Resvg(pictureSvg(who, today), {
    fitTo: { mode: "width", value: size * OVERSAMPLING },
    font: { loadSystemFonts: false },
  }).render();
  return finishPicture(pixels, today, size, random);
}
