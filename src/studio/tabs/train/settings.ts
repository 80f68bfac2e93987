// The settings of the next run, and their descriptions.
import { signal } from "@preact/signals";
import type { RunSettings } from "../../messages.ts";
import { defaultSettings, type NetworkName, networks } from "./defaults.ts";

/** As the user has set them; kept while the page is open. */
export const settings = signal<RunSettings>(defaultSettings);

export function change(fields: Partial<RunSettings>): void {
  settings.value = { ...settings.value, ...fields };
}

export function networkOf({ filters, embedding }: RunSettings): NetworkName | undefined {
  const same = (name: NetworkName) =>
    networks[name].embedding === embedding && networks[name].filters.join() === filters.join();
  return (Object.keys(networks) as NetworkName[]).find(same);
}

export const losses = {
  "supervised-contrastive": "Supervised contrastive",
  triplet: "Triplet, batch-hard",
  contrastive: "Contrastive, on pairs",
  "cross-entropy": "Cross-entropy, on pairs",
} as const;

export const augmentations = {
  none: "None",
  light: "Light",
  standard: "Standard: also mirrored",
  strong: "Strong: also partly erased",
} as const;

/** Descriptions of all settings, for the table that compares runs. */
export const described: Readonly<Record<string, (run: RunSettings) => string>> = {
  Network: (s) => `${s.filters.join(", ")} filters, embedding of ${s.embedding}`,
  "Picture size": (s) => `${s.imageSize} × ${s.imageSize}, ${s.channels === 1 ? "gray" : "color"}`,
  Steps: (s) => String(s.steps),
  Augmentation: (s) => augmentations[s.augmentation],
  Loss: (s) => losses[s.loss],
  Batch: (s) => `${s.identitiesPerBatch} people × ${s.picturesPerIdentity} pictures`,
  "Learning rate": (s) => `${s.learningRate}, ${s.schedule}, warmup ${s.warmUp}`,
  Optimizer: (s) => s.optimizer,
  "L2 penalty": (s) => String(s.l2),
  "Evaluate every": (s) => `${s.evaluateEvery} steps`,
  Seed: (s) => String(s.seed),
};
