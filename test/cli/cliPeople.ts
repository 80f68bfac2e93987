// What tests of the command line share: the program, built into a folder of each test file's own, and twelve drawn people.
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll } from "vitest";
import { Random, streams } from "../../src/data/random.ts";
import { buildCli, type Ended, testFolder } from "./builtCli.ts";

/** Twelve people with five pictures each: a pattern of their own, in changing light, with noise. */
async function drawPeople(data: string): Promise<void> {
  for (let person = 0; person < 12; person++) {
    const own = new Random(1, streams.trials, person);
    const pattern = Array.from({ length: 16 }, () => 40 + own.integer(170));
    await mkdir(join(data, `person ${person}`), { recursive: true });
    for (let picture = 0; picture < 5; picture++) {
      const noise = new Random(2, streams.trials, person * 100 + picture);
      const light = noise.integer(30) - 15;
      const pixels = Uint8Array.from({ length: 256 }, (_, i) => {
        const block = Math.floor(i / 64) * 4 + Math.floor((i % 16) / 4);
        return pattern[block] + light + noise.integer(20);
      });
      await sharp(pixels, { raw: { width: 16, height: 16, channels: 1 } })
        .png()
        .toFile(join(data, `person ${person}`, `${picture}.png`));
    }
  }
}

/** Builds before the file's first test and clears up after its last. `run` takes any outcome, `json` insists on success. */
export function cliWithPeople(name: string) {
  const folder = testFolder(name);
  const data = join(folder, "people");
  const at = (...parts: string[]) => join(folder, ...parts);
  let built: Awaited<ReturnType<typeof buildCli>>;
  beforeAll(async () => {
    built = await buildCli(folder, { XDG_CACHE_HOME: at("cache") });
    await drawPeople(data);
  });
  afterAll(() => rm(folder, { recursive: true }));
  return {
    data,
    at,
    picture: (person: number, number: number) => join(data, `person ${person}`, `${number}.png`),
    twingrad: (...parameters: string[]): Promise<Ended> => built.run(...parameters),
    json: (...parameters: string[]) => built.json(...parameters),
  };
}

export const small = [
  "--image-size",
  "16",
  "--channels",
  "1",
  "--filters",
  "4,4",
  "--embedding",
  "8",
  "--batch-size",
  "4",
];
export const tiny = [...small, "--no-tune"];
// Four people of the twelve are held out.
export const training = [
  ...tiny,
  "--filters",
  "8,8",
  "--embedding",
  "32",
  "--batch-size",
  "8",
  "--l2",
  "0",
  "--validation",
  "0.3",
];
export const learning = [...training, "--learning-rate", "0.01", "--augment"];
