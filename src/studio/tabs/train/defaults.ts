// Default settings of a run.
import type { RunSettings } from "../../messages.ts";

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

/** Stored settings, perhaps of another version of the page: the defaults in place of what has another type. */
export function settingsFrom(stored: unknown): RunSettings {
  const given = Object.entries(stored ?? {}).filter(([name, value]) => {
    const usual: unknown = defaultSettings[name as keyof RunSettings];
    if (Array.isArray(usual)) return Array.isArray(value) && value.length > 0 && value.every(Number.isFinite);
    return typeof value === typeof usual;
  });
  return { ...defaultSettings, ...Object.fromEntries(given) };
}
