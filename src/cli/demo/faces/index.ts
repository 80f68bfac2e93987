// The demo's pictures: a dataset of synthetic faces, generated from a seed and cached for the next run.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { appearance, MOST_PICTURES, type NumbersFor, person } from "../../../faces/people.ts";
import { type Dataset, TwingradError } from "../../../index.ts";
import { diskError, makeFolder, Random, streams, writeAtomic } from "../../../internal.ts";
import { drawPicture } from "./draw.ts";

/** The random numbers of a seed, by what they are for. */
export const numbersOf =
  (seed: number): NumbersFor =>
  (use, index) =>
    new Random(seed, streams[use], index);

/** Number of cached pictures that are redrawn to validate the cache. */
const SAMPLES = 16;

export interface FacesOptions {
  /** How many people, and pictures of each. */
  people: number;
  pictures: number;
  /** Side of a picture in pixels; three channels. */
  size: number;
  seed: number;
  /** Number of the first person: people of different numbers are different people. */
  firstPerson?: number;
  /** Folder that caches the pictures. @default no cache */
  cache?: string;
  /** Called if the cache cannot be read or written; the pictures are then drawn again in each run. */
  warn?: (text: string) => void;
  /** Called now and then with the number of pictures drawn. */
  onProgress?: (drawn: number) => void;
}

/** All pictures, [people * pictures, size, size, 3], the pictures of a person in a row. */
export async function drawFaces(options: FacesOptions): Promise<Uint8Array> {
  const { people, pictures, size, seed, firstPerson = 0, cache, warn, onProgress } = options;
  if (pictures >= MOST_PICTURES || !Number.isInteger(pictures) || pictures < 1) {
    throw new TwingradError("BAD_INPUT", `${pictures} pictures of each person; expected 1 to ${MOST_PICTURES - 1}`);
  }
  const name = `faces-seed${seed}-from${firstPerson}-${people}x${pictures}-${size}px`;
  const bytes = size * size * 3;
  const count = people * pictures;
  const numbers = numbersOf(seed);
  const draw = (index: number) => {
    const number = firstPerson + Math.floor(index / pictures);
    const picture = index % pictures;
    const who = person(numbers, number);
    const noise = numbers("noise", number * MOST_PICTURES + picture);
    return drawPicture(who, appearance(numbers, number, picture, who), size, noise);
  };
  const unkept = (error: TwingradError) => {
    if (!warn) throw error;
    warn(`${error.message}; the pictures are drawn again in the next run`);
    return undefined;
  };
  const kept = cache && (await readKept(join(cache, name)).catch(unkept));
  if (kept && kept.length === count * bytes && asDrawn(kept, bytes, draw)) return kept;
  const images = new Uint8Array(count * bytes);
  for (let index = 0; index < count; index++) {
    images.set(draw(index), index * bytes);
    if (index % 64 === 63) onProgress?.(index + 1);
  }
  if (cache) await keep(cache, name, images).catch(unkept);
  return images;
}

/** The pictures as a dataset; `firstPerson` as they were drawn, for the names. */
export function facesDataset(images: Uint8Array, { people, pictures, size, firstPerson = 0 }: FacesOptions): Dataset {
  const bytes = size * size * 3;
  return {
    identities: Array.from({ length: people }, (_, index) => personName(firstPerson + index)),
    items: Array.from({ length: people * pictures }, (_, index) => {
      const identity = Math.floor(index / pictures);
      const name = `${personName(firstPerson + identity)}, picture ${(index % pictures) + 1}`;
      return {
        identity,
        name,
        decode: async ([height, width, channels]) => {
          if (height !== size || width !== size || channels !== 3) {
            const wanted = [height, width, channels].join(" x ");
            throw new TwingradError("BAD_INPUT", `${name} is drawn as ${size} x ${size} x 3, not as ${wanted}`);
          }
          return images.slice(index * bytes, (index + 1) * bytes);
        },
      };
    }),
  };
}

const personName = (index: number) => `person ${index + 1}`;

/**
 * Whether cached pictures equal those drawn now: another version of this code, or of resvg, may have written them.
 */
function asDrawn(kept: Uint8Array, bytes: number, draw: (index: number) => Uint8Array): boolean {
  const last = kept.length / bytes - 1;
  const indices = Array.from({ length: SAMPLES }, (_, sample) => Math.round((last * sample) / (SAMPLES - 1)));
  return [...new Set(indices)].every(
    (index) => Buffer.compare(kept.subarray(index * bytes, (index + 1) * bytes), draw(index)) === 0,
  );
}

/** The cached pictures; undefined if the file is missing or damaged. */
async function readKept(path: string): Promise<Uint8Array | undefined> {
  const file = await readFile(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw diskError(path, "read", error);
  });
  if (!file || file.length < 32) return undefined;
  const images = new Uint8Array(file.subarray(32));
  return digest(images).equals(file.subarray(0, 32)) ? images : undefined;
}

/** Writes the pictures after their SHA-256, to detect damage. @throws DISK */
async function keep(folder: string, name: string, images: Uint8Array): Promise<void> {
  await makeFolder(folder);
  await writeAtomic(join(folder, name), Buffer.concat([digest(images), images]));
}

const digest = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
