// The preprocessing of a training run: picture sizes, resizing and augmentation.

import { type AugmentationRanges, augmentationPresets, type CropOptions, type ImageSize } from "../../index.ts";
import type { AugmentSetting, ResolvedSettings } from "./settingsSchema.ts";

/** The augmentation ranges of a setting; undefined without augmentation. */
export function augmentationRanges(setting: AugmentSetting): AugmentationRanges | undefined {
  if (typeof setting === "boolean") return setting ? augmentationPresets.standard : undefined;
  return typeof setting === "string" ? augmentationPresets[setting] : setting;
}

export function imageSizeOf({ imageSize, channels }: Pick<ResolvedSettings, "imageSize" | "channels">): ImageSize {
  return [...square(imageSize), channels];
}

const square = (size: number | [number, number]): [number, number] => (typeof size === "number" ? [size, size] : size);

/** The size of decoded pictures, and the preprocessing on the GPU. */
export function picturesOf(settings: ResolvedSettings) {
  const { channels, seed } = settings;
  const sourceSize = settings.sourceSize === undefined ? undefined : square(settings.sourceSize);
  const ranges = augmentationRanges(settings.augment);
  const decoded: ImageSize = sourceSize ? [...sourceSize, channels] : imageSizeOf(settings);
  const crop: CropOptions | undefined =
    settings.crop === "box" || settings.crop === "face"
      ? { mode: settings.crop, margin: settings.cropMargin ?? 0 }
      : undefined;
  return { sourceSize, decoded, crop, augmentation: ranges && { ...ranges, seed } };
}
