// Drawn people, for users without pictures: the faces of `twingrad demo`, rasterized by the browser.
import { Random, streams } from "../../../data/random.ts";
import type { Context } from "../../worker/context.ts";
import { jpegOf } from "../../worker/data/jpeg.ts";
import type { NewPicture } from "../../worker/data/library.ts";
import { drawnName } from "./drawn.ts";

const side = 96;
/** How many are rasterized at a time: enough that neither the page nor the worker idles. */
const together = 4;
/** The same drawn people for everybody. */
const seed = 1;

/**
 * Draws these pictures of each of these people, both numbered from 0.
 * @param told receives the number of pictures drawn.
 */
export async function drawnPictures(
  { rasterize }: Context,
  people: readonly number[],
  pictures: readonly number[],
  told: (done: number) => void,
): Promise<NewPicture[]> {
  const [{ appearance, MOST_PICTURES, person }, { pictureSvg }, { finishPicture, OVERSAMPLING }] = await Promise.all([
    import("../../../faces/people.ts"),
    import("../../../faces/pictureSvg.ts"),
    import("../../../faces/finish.ts"),
  ]);
  const numbers = (use: "person" | "appearance" | "noise", index: number) => new Random(seed, streams[use], index);
  const raster = side * OVERSAMPLING;
  const canvas = new OffscreenCanvas(raster, raster);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  const at = (index: number) => [people[Math.floor(index / pictures.length)], pictures[index % pictures.length]];
  const draw = async (index: number): Promise<Uint8Array> => {
    const [number, picture] = at(index);
    const who = person(numbers, number);
    const today = appearance(numbers, number, picture, who);
    const bitmap = await rasterize(pictureSvg(who, today), raster);
    context.clearRect(0, 0, raster, raster);
    context.drawImage(bitmap, 0, 0);
    bitmap.close();
    const { data } = context.getImageData(0, 0, raster, raster);
    const noise = numbers("noise", number * MOST_PICTURES + picture);
    const blob = await jpegOf(finishPicture(data, today, side, noise), side, 0.92);
    return new Uint8Array(await blob.arrayBuffer());
  };
  const total = people.length * pictures.length;
  const drawn: Uint8Array[] = new Array(total);
  let next = 0;
  let done = 0;
  const work = async () => {
    while (next < total) {
      const index = next++;
      drawn[index] = await draw(index);
      told(++done);
    }
  };
  await Promise.all(Array.from({ length: together }, work));
  return drawn.map((bytes, index) => ({
    person: drawnName(at(index)[0]),
    name: `picture ${at(index)[1] + 1}`,
    bytes: async () => bytes,
  }));
}
