// Settings of a run in words, for the page and for the report.
import type { RunSettings } from "../../messages.ts";

export const losses = {
  "supervised-contrastive": "Compare all pictures of a batch (supervised contrastive)",
  triplet: "Learn from the hardest mix-ups (triplet, batch-hard)",
  contrastive: "Move pairs together or apart (contrastive)",
  "cross-entropy": "Same or different, as a probability (cross-entropy)",
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
