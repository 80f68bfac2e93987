// twingrad draw: writes a data set of synthetic faces, for a first try without own pictures.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import sharp from "sharp";
import { diskError, writeAtomic } from "../../../internal.ts";
import { drawFaces } from "../../demo/faces/index.ts";
import { fillFolder, interrupted, refuseFull } from "../../newFolder.ts";
import { wholeNumber } from "../../options/values.ts";
import { action, type Outcome } from "../../outcome.ts";
import { Progress } from "../../progress.ts";

interface Flags {
  identities: number;
  pictures: number;
  size: number;
  seed: number;
}

export function addDraw(program: Command): void {
  const command = program
    .command("draw")
    .description("Draws a data set of synthetic faces: one folder of PNG files for each identity.")
    .argument("<folder>", "a new folder for the pictures")
    .option("--identities <count>", "number of identities", wholeNumber(2), 60)
    .option("--pictures <count>", "number of pictures of each identity", wholeNumber(1), 8)
    .option("--size <pixels>", "width and height of a picture", wholeNumber(8), 64)
    .option("--seed <number>", "seed of the identities and their pictures", wholeNumber(0), 1);
  action(command, run);
}

async function run(folder: string, { identities, pictures, size, seed }: Flags): Promise<Outcome> {
  await refuseFull(folder);
  const digits = String(identities).length;
  const people = Array.from({ length: identities }, (_, n) => `person-${String(n + 1).padStart(digits, "0")}`);
  const { result, status } = await fillFolder(folder, people, async (signal) => {
    const progress = new Progress(identities * pictures, 0, "picture");
    try {
      for (const [number, name] of people.entries()) {
        if (signal.aborted) break;
        const person = join(folder, name);
        await mkdir(person).catch((error) => {
          throw diskError(person, "made", error);
        });
        const drawn = await drawFaces({ people: 1, pictures, size, seed, firstPerson: number });
        for (let picture = 0; picture < pictures && !signal.aborted; picture++) {
          const pixels = drawn.subarray(picture * 3 * size * size, (picture + 1) * 3 * size * size);
          const png = await sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
            .png()
            .toBuffer();
          await writeAtomic(join(person, `${picture + 1}.png`), png);
        }
        progress.update((number + 1) * pictures);
      }
    } finally {
      progress.stop();
    }
    return people.length;
  });
  if (result === undefined) return { ...interrupted, status };
  return {
    result: { folder, identities, pictures: identities * pictures },
    text: `${folder}: ${identities * pictures} pictures of ${identities} identities, ${size} x ${size} pixels`,
  };
}
