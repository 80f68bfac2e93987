// Pictures for the examples, under the names that they give them.
import { copyFile, cp, mkdir, writeFile } from "node:fs/promises";
import path from "node:path";
import sharp from "sharp";

const people = ["ada", "ben", "cleo", "dan", "eva", "finn", "gina", "hugo", "ida", "jan", "kim", "lea"];
const [width, height] = [92, 112];

/** People with four pictures each: stripes of their own, lit differently. */
export async function drawPeople(folder: string, format: "jpg" | "png" = "jpg", count = 8): Promise<void> {
  for (const [person, name] of people.slice(0, count).entries()) {
    await mkdir(path.join(folder, name), { recursive: true });
    for (let n = 1; n <= 4; n++) {
      const pixels = Uint8Array.from({ length: 3 * width * height }, (_, i) => {
        const [x, y] = [Math.floor(i / 3) % width, Math.floor(i / 3 / width)];
        return 100 + 60 * Math.sin((x * (person + 1)) / 30 + (y * (8 - person)) / 30) + 10 * n + (i % 3) * 5;
      });
      const picture = sharp(pixels, { raw: { width, height, channels: 3 } });
      await picture.toFile(path.join(folder, name, `${n}.${format}`));
    }
  }
}

/** All that the examples name. */
export async function drawFiles(folder: string): Promise<void> {
  const at = (...names: string[]) => path.join(folder, ...names);
  await drawPeople(at("people"), "jpg", people.length); // enough for the README's batches
  for (const [file, picture] of Object.entries({
    "ada-1.jpg": "ada/1.jpg",
    "ada-2.jpg": "ada/2.jpg",
    "somebody.jpg": "ada/3.jpg",
    "a.jpg": "ben/1.jpg",
    "b.jpg": "ben/2.jpg",
  })) {
    await copyFile(at("people", picture), at(file));
  }
  // What `twingrad draw` would have written.
  await mkdir(at("people/person-01"));
  for (const n of [1, 2, 3]) {
    await sharp(at("people", people[0], `${n}.jpg`))
      .negate()
      .toFile(at("people/person-01", `${n}.png`));
  }
  await drawPeople(at("faces/live"));
  await drawPeople(at("faces/spoof"));
  await drawPeople(at("photographs"));
  const boxes = people.slice(0, 8).flatMap((name) => [1, 2, 3, 4].map((n) => `${name}/${n}.jpg,20,30,70,80`));
  await writeFile(at("photographs/boxes.csv"), ["file,xmin,ymin,xmax,ymax", ...boxes, ""].join("\n"));
  await cp(path.resolve(import.meta.dirname, "../../../examples"), at("examples"), { recursive: true });
}
