// A video of drawn faces, for Chrome's fake camera.
import { mkdir, writeFile } from "node:fs/promises";
import sharp from "sharp";
import { drawFaces } from "../../src/cli/demo/faces/index.ts";

const side = 96;
/** A drawn person beyond those that the studio adds, so never trained on. */
export const filmed = { person: 100, seed: 1 };
/** Pictures of that person in the video, and the number of frames of each. */
const [pictures, frames] = [3, 8];

/** Chrome's arguments for a camera that every page may use, which shows this video, or Chrome's own picture. */
export const cameraArguments = (video?: string): string[] => [
  "--use-fake-ui-for-media-stream",
  "--use-fake-device-for-media-stream",
  ...(video === undefined ? [] : [`--use-file-for-fake-video-capture=${video}`]),
];

async function drawn(person: number, count: number): Promise<Uint8Array[]> {
  const all = await drawFaces({ people: 1, pictures: count, size: side, seed: filmed.seed, firstPerson: person });
  const bytes = side * side * 3;
  return Array.from({ length: count }, (_, n) => all.subarray(n * bytes, (n + 1) * bytes));
}

/** Picture files of a drawn person. */
export async function pictureFiles(person: number, count: number, path: (n: number) => string): Promise<string[]> {
  const files: string[] = [];
  for (const [n, pixels] of (await drawn(person, count)).entries()) {
    await sharp(pixels, { raw: { width: side, height: side, channels: 3 } }).toFile(path(n));
    files.push(path(n));
  }
  return files;
}

/** Folders `person N` of drawn people, from the number `first` on. */
export async function peopleFolders(
  path: (name: string) => string,
  { first, count, each }: { first: number; count: number; each: number },
): Promise<void> {
  for (let person = first; person < first + count; person++) {
    await mkdir(path(`person ${person}`), { recursive: true });
    await pictureFiles(person, each, (n) => path(`person ${person}/${n}.png`));
  }
}

/** One person, 640 x 480, the face in the middle square. */
export async function film(file: string): Promise<void> {
  const shown: Buffer[] = [];
  for (const pixels of await drawn(filmed.person, pictures)) {
    const face = await sharp(pixels, { raw: { width: side, height: side, channels: 3 } })
      .resize(480, 480)
      .toBuffer({ resolveWithObject: true });
    const frame = await sharp({ create: { width: 640, height: 480, channels: 3, background: "#888888" } })
      .composite([{ input: face.data, raw: { width: 480, height: 480, channels: 3 }, left: 80, top: 0 }])
      .jpeg({ quality: 95 })
      .toBuffer();
    for (let n = 0; n < frames; n++) shown.push(frame);
  }
  await writeFile(file, Buffer.concat(shown));
}
