// twingrad recapture: simulates presentation attacks from any set of faces.

import { dirname, join, relative } from "node:path";
import type { Command } from "commander";
import sharp from "sharp";
import { type ImageSize, type Item, TwingradError } from "../../index.ts";
import { isUnreadable, makeFolder, pictureSize, writeAtomic, writeOutput } from "../../internal.ts";
import { decodePicture, imageFolder } from "../../node/index.ts";
import { contactSheet } from "../contactSheet.ts";
import { fillFolder, interrupted, refuseFull } from "../newFolder.ts";
import { addSkipCorrupt, refuse, Skipped } from "../options/dataOptions.ts";
import { wholeNumber } from "../options/values.ts";
import { action, note, type Outcome, warn } from "../outcome.ts";
import { Progress } from "../progress.ts";
import { fromBytes, type Raster, toBytes } from "../recapture/effects.ts";
import { live, recapture } from "../recapture/recapture.ts";

interface Flags {
  seed: number;
  largest: number;
  contactSheet?: string;
  skipCorrupt?: boolean;
}

/** Pictures on the contact sheet, each next to its simulated attack. */
const shown = 16;
/** JPEG quality as cameras use it; the same for both classes, so that compression does not tell them apart. */
const quality = 92;

export function addRecapture(program: Command): void {
  const command = program
    .command("recapture")
    .description(
      "Simulates data for `train --task liveness` from any set of faces: each picture as a bona fide capture in live/, and as a print or replay attack in spoof/.",
    )
    .argument("<folder>", "a folder with one folder for each person")
    .argument("<out>", "a new folder, for live/PERSON/... and spoof/PERSON/...")
    .option("--seed <number>", "seed of all random choices", wholeNumber(0), 1)
    .option(
      "--largest <pixels>",
      "largest length of a picture's longer side; larger pictures are downscaled",
      wholeNumber(16),
      512,
    )
    .option("--contact-sheet <file>", "also write a PNG with some of the pictures next to their simulated attacks");
  action(addSkipCorrupt(command), run);
}

async function run(folder: string, out: string, flags: Flags): Promise<Outcome> {
  const { seed, largest, contactSheet: sheet, skipCorrupt } = flags;
  const skipped = new Skipped(warn);
  const onUnreadable = skipCorrupt ? (error: TwingradError) => skipped.tell(error) : refuse;
  const { items } = await imageFolder(folder, { warn, onUnreadable });
  await refuseFull(out);
  const tiles: Raster[] = [];
  const every = Math.max(1, items.length / shown);
  const media = { print: 0, screen: 0 };
  const taken = new Set<string>();
  const { result: made, status } = await fillFolder(out, ["live", "spoof"], async (signal) => {
    const progress = new Progress(items.length, 0, "picture");
    try {
      for (const [index, item] of items.entries()) {
        if (signal.aborted) break;
        const picture = await rasterOf(item, largest).catch((error) => {
          if (!isUnreadable(error)) throw error;
          const { code, message } = error;
          const named = message.startsWith(item.name) ? message : `${item.name}: ${message}`;
          onUnreadable(new TwingradError(code, named, { cause: error }));
        });
        if (!picture) continue;
        const { picture: spoof, how } = recapture(picture, seed, index);
        const kinds = { live: live(picture, seed, index), spoof };
        media[how.medium]++;
        const path = newName(relative(folder, item.name), taken);
        for (const [kind, raster] of Object.entries(kinds)) {
          await save(join(out, kind, path), raster);
          if (Math.floor(index % every) === 0) tiles.push(raster);
        }
        progress.update(index + 1);
      }
    } finally {
      progress.stop();
    }
    const made = media.print + media.screen;
    if (made === 0 && !signal.aborted) {
      skipped.summary();
      throw new TwingradError("BAD_INPUT", `${folder}: none of the pictures can be decoded`);
    }
    return made;
  });
  if (made === undefined) return { ...interrupted, status };
  skipped.summary();
  if (sheet !== undefined) await writeOutput(sheet, await sheetOf(tiles));
  note("these attacks are simulated: evaluate the model on real presentation attacks before you rely on it");
  const result = { live: made, spoof: made, ...media, out, contactSheet: sheet ?? null };
  return {
    result,
    text: `${out}: ${made} bona fide pictures in live/, ${made} attacks in spoof/: ${media.print} prints, ${media.screen} replays`,
  };
}

/** In its own aspect ratio, at most `largest` pixels a side. */
async function rasterOf(item: Item, largest: number): Promise<Raster> {
  const stored = await item.stored!();
  const whole = await pictureSize(stored);
  const scale = Math.min(1, largest / Math.max(whole.height, whole.width));
  const [height, width] = [whole.height, whole.width].map((side) => Math.max(1, Math.round(side * scale)));
  return fromBytes(await item.decode([height, width, 3]), [height, width]);
}

/** The picture's path with the ending .jpg; numbered if two pictures differ only in their endings. */
function newName(path: string, taken: Set<string>): string {
  const bare = path.replace(/\.[^.]*$/, "");
  let name = `${bare}.jpg`;
  for (let n = 2; taken.has(name); n++) name = `${bare}-${n}.jpg`;
  taken.add(name);
  return name;
}

const asSharp = (raster: Raster) =>
  sharp(toBytes(raster), { raw: { width: raster.width, height: raster.height, channels: 3 } });

async function save(path: string, raster: Raster): Promise<void> {
  await makeFolder(dirname(path));
  await writeAtomic(path, await asSharp(raster).jpeg({ quality, chromaSubsampling: "4:4:4" }).toBuffer());
}

/** All pictures in the size of the first. */
async function sheetOf(tiles: readonly Raster[]): Promise<Buffer> {
  const [{ height, width }] = tiles;
  const size: ImageSize = [height, width, 3];
  const pixels = new Uint8Array(tiles.length * height * width * 3);
  for (const [n, tile] of tiles.entries()) {
    pixels.set(await decodePicture(await asSharp(tile).png().toBuffer(), size), n * height * width * 3);
  }
  return contactSheet({ pixels, size }, 8);
}
