// What a training run is told about pictures: their sizes, how they are resized, and how they are augmented.

import { z } from "zod";
import {
  type AugmentationPreset,
  type AugmentationRanges,
  augmentationPresets,
  type CropOptions,
  type ImageSize,
} from "../../index.ts";
import { resolveRanges } from "../../internal.ts";
import type { ResolvedSettings } from "./settings.ts";

const positive = z.number().int().min(1);

/** One side of a square, or height and width. */
export const size = z.union([positive, z.tuple([positive, positive])]);

/** True stands for the preset "standard". */
export type AugmentSetting = boolean | AugmentationPreset | AugmentationRanges;

/** The ranges of a setting; undefined where pictures stay as they are. */
export function augmentationRanges(setting: AugmentSetting): AugmentationRanges | undefined {
  if (typeof setting === "boolean") return setting ? augmentationPresets.standard : undefined;
  return typeof setting === "string" ? augmentationPresets[setting] : setting;
}

/** Either of two flags' worth of words, or an object whose ranges are judged where they are used. */
export const augment = z.custom<AugmentSetting>().superRefine((value, { addIssue }) => {
  if (typeof value === "boolean") return;
  if (typeof value === "string") {
    if (Object.hasOwn(augmentationPresets, value)) return;
    const presets = Object.keys(augmentationPresets).join(", ");
    addIssue(`got "${value}"; expected true, false, a preset (${presets}), or an object of ranges`);
    return;
  }
  try {
    resolveRanges(value);
  } catch (error) {
    addIssue((error as Error).message);
  }
});

export function imageSizeOf({ imageSize, channels }: Pick<ResolvedSettings, "imageSize" | "channels">): ImageSize {
  return [...square(imageSize), channels];
}

const square = (size: number | [number, number]): [number, number] => (typeof size === "number" ? [size, size] : size);

/** What pictures come to the GPU as, and what it does to them. */
export function picturesOf(settings: ResolvedSettings) {
  const { channels, seed } = settings;
  const sourceSize = settings.sourceSize === undefined ? undefined : square(settings.sourceSize);
  const ranges = augmentationRanges(settings.augment);
  const decoded: ImageSize = sourceSize ? [...sourceSize, channels] : imageSizeOf(settings);
  const crop: CropOptions | undefined =
    settings.crop === "box" ? { mode: "box", margin: settings.cropMargin ?? 0 } : undefined;
  return { sourceSize, decoded, crop, augmentation: ranges && { ...ranges, seed } };
}
