// twingrad augment: shows augmented versions of a picture on a contact sheet.

import type { Command } from "commander";
import { augmentationPresets } from "../../index.ts";
import { type Augmentation, checkOutputs, writeOutput } from "../../internal.ts";
import { openDevice } from "../../node/index.ts";
import { contactSheet, specimens } from "../contactSheet.ts";
import { addBoxesOption } from "../options/dataOptions.ts";
import { imageSizeOf, picturesOf } from "../options/pictureSettings.ts";
import { defaults, parseSettings, readSettings, resolveSettings, SettingsError } from "../options/settings.ts";
import { imageSize, wholeNumber } from "../options/values.ts";
import { action, digits, note, type Outcome } from "../outcome.ts";
import { type PictureFlags, readPictures } from "./models.ts";

interface Flags extends PictureFlags {
  out: string;
  count: number;
  config?: string;
  seed?: number;
  imageSize?: number | [number, number];
  augmentPreset?: string;
  json?: boolean;
}

export function addAugment(program: Command): void {
  const command = program
    .command("augment")
    .description("Writes a contact sheet of a picture and augmented versions of it, as training would see them.")
    .argument("<image>", "a picture: JPEG, PNG, WebP, PGM, PPM")
    .requiredOption("--out <file>", "the contact sheet, a PNG file")
    .option("--count <pictures>", "number of augmented versions", wholeNumber(1), 24)
    .option("--seed <number>", `seed of the augmentation (default: ${defaults.seed})`, wholeNumber(0))
    .option("--image-size <size>", `height and width, as for train (default: ${defaults.imageSize})`, imageSize)
    .option("--augment-preset <name>", `${Object.keys(augmentationPresets).join(", ")} (default: standard)`)
    .option(
      "--config <file>",
      'JSON with training settings: "augment", imageSize, sourceSize, crop, resize, channels, seed',
    );
  action(addBoxesOption(command), async (image: string, flags: Flags) => {
    try {
      return await run(image, flags);
    } catch (error) {
      if (error instanceof SettingsError)
        command.error(`error: ${error.message}`, { exitCode: 2, code: "twingrad.settings" });
      throw error;
    }
  });
}

async function run(
  image: string,
  { out, count, config, seed, imageSize, augmentPreset, ...pictureFlags }: Flags,
): Promise<Outcome> {
  const given = Object.entries({ seed, imageSize, augment: augmentPreset }).filter(([, value]) => value !== undefined);
  const flags = parseSettings(Object.fromEntries(given), "--");
  const file = config === undefined ? {} : await readSettings(config);
  const settings = resolveSettings({ augment: true, ...file }, flags);
  const { decoded: source, crop, augmentation } = picturesOf(settings);
  if (!augmentation) throw new SettingsError(`${config}: augment is false; set it to true, a preset or ranges`);
  const picture = await readPictures([image], { imageSize: source, crop }, pictureFlags);
  await checkOutputs([out], { sources: [image] });
  const device = await openDevice({ tell: note });
  try {
    const options = { source, size: imageSizeOf(settings), method: settings.resize ?? "area", augmentation, count };
    const made = await specimens(device, picture, options);
    await writeOutput(out, await contactSheet(made), { sources: [image] });
    const lines = made.augmentations.map((a, n) => `${String(n + 1).padStart(3)}  ${inWords(a)}`);
    return {
      result: { sheet: out, count, augmentations: made.augmentations },
      text: [`${out}: the original picture, then ${count} augmented versions`, ...lines].join("\n"),
    };
  } finally {
    device.dispose();
  }
}

/** The changes that an augmentation makes, in words. */
function inWords(augmentation: Augmentation): string {
  const { window, scale, rotation, translation, flip, blur, brightness, contrast, noise, erased } = augmentation;
  const { gamma, gain, whiteBalance } = augmentation;
  const share = (value: number) => `${digits(Math.round(1000 * value) / 10)} %`;
  const round = (value: number) => (Math.round(100 * value) / 100).toString();
  const way = (value: number, positive: string, negative: string) =>
    `${share(Math.abs(value))} ${value < 0 ? negative : positive}`;
  const words = [
    window.side < 1 && `cropped to ${share(window.side)}`,
    scale !== 1 && `scaled ${round(scale)}`,
    rotation !== 0 && `turned ${round(rotation)}°`,
    (translation.y !== 0 || translation.x !== 0) &&
      `moved ${way(translation.y, "down", "up")} and ${way(translation.x, "right", "left")}`,
    flip && "mirrored",
    blur > 0 && `blurred by ${round(blur)} pixels`,
    brightness !== 0 && way(brightness, "brighter", "darker"),
    contrast !== 1 && `contrast ${round(contrast)}`,
    gamma !== 1 && `gamma ${round(gamma)}`,
    gain !== 1 && `gain ${round(gain)}`,
    (whiteBalance.red !== 1 || whiteBalance.blue !== 1) &&
      `red ${round(whiteBalance.red)} and blue ${round(whiteBalance.blue)} of green`,
    noise > 0 && `noise ${share(noise)}`,
    erased && `erased ${share(erased.height * erased.width)}`,
  ];
  return words.filter(Boolean).join(", ");
}
