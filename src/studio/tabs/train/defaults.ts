// Default settings of a run, and the shapes of stored ones.
import type { RunSettings } from "../../messages.ts";
import { isListOf, isNumber, isOneOf, type Shape } from "../../worker/shapes.ts";
import { augmentations, losses } from "./described.ts";

export const networks = {
  small: { filters: [8, 16, 32, 32], embedding: 128 },
  medium: { filters: [16, 32, 64, 64], embedding: 256 },
  large: { filters: [32, 64, 128, 128], embedding: 512 },
} as const;

export type NetworkName = keyof typeof networks;

export const defaultSettings: RunSettings = {
  imageSize: 32,
  channels: 3,
  ...networks.small,
  steps: 300,
  augmentation: "light",
  loss: "supervised-contrastive",
  identitiesPerBatch: 16,
  picturesPerIdentity: 3,
  learningRate: 0.01,
  warmUp: 20,
  schedule: "cosine",
  optimizer: "adam",
  l2: 0,
  evaluateEvery: 25,
  seed: 1,
};

const isNumbers: Shape = (value) => isListOf(isNumber)(value) && (value as unknown[]).length > 0;

/** Settings have the types of the defaults; a few are one of several words. */
export const settingShapes: Readonly<Record<string, Shape>> = {
  ...Object.fromEntries(
    Object.entries(defaultSettings).map(([name, value]) => [
      name,
      Array.isArray(value) ? isNumbers : (one: unknown) => typeof one === typeof value,
    ]),
  ),
  channels: isOneOf(1, 3),
  augmentation: isOneOf(...Object.keys(augmentations)),
  loss: isOneOf(...Object.keys(losses)),
  schedule: isOneOf("cosine", "constant"),
  optimizer: isOneOf("adam", "adamw"),
};

/** Stored settings, perhaps of another version of the page: the defaults in place of what has another shape. */
export function settingsFrom(stored: unknown): RunSettings {
  const given = Object.entries(stored ?? {}).filter(
    ([name, value]) => Object.hasOwn(settingShapes, name) && settingShapes[name](value),
  );
  return { ...defaultSettings, ...Object.fromEntries(given) };
}
