// Named configurations of `train`; docs/recipes.md has measured results of each. Given settings override a preset's.
import { comparesAll } from "../../internal.ts";
import { type PartialSettings, type PresetName, presetNames } from "./settingsSchema.ts";

interface Preset {
  /** What data it is for, in one line of the help text. */
  readonly about: string;
  readonly settings: PartialSettings;
}

export const presets: Readonly<Record<PresetName, Preset>> = {
  article: {
    about: "the article's network and pairs: batches of 128 pairs of 224 x 224, in 4.1 GB of GPU memory",
    settings: {
      imageSize: 224,
      channels: 3,
      filters: [256, 128, 64, 32],
      embedding: 1024,
      loss: "cross-entropy",
      l2: 0.1,
      learningRate: 0.001,
      batchSize: 128,
      epochs: 20,
      sameProbability: 1,
      shuffleBuffer: 2000,
      recompute: true,
    },
  },
  faces: {
    about: "faces: some hundred people, a few thousand pictures",
    settings: {
      imageSize: 56,
      channels: 1,
      standardize: true,
      views: ["mirror"],
      filters: [16, 32, 64],
      embedding: 128,
      embeddingActivation: "linear",
      loss: "supervised-contrastive",
      temperature: 0.07,
      identitiesPerBatch: 16,
      picturesPerIdentity: 4,
      l2: 0,
      learningRate: 0.002,
      schedule: "cosine",
      warmUp: 50,
      steps: 2000,
      augment: { rotation: 10, scale: 0.16, translation: 0.05, flip: 0.5, gamma: 0.5, erasing: { probability: 0.25 } },
      keep: "last",
    },
  },
  few: {
    about: "centered upright faces: some tens of people, about ten pictures of each; six towers, 25 steps",
    settings: {
      sourceSize: [112, 92],
      imageSize: [56, 46],
      channels: 1,
      standardize: true,
      align: ["edges", "histograms"],
      views: ["mirror", "move", "zoom"],
      filters: [16, 32, 64],
      embedding: 128,
      embeddingActivation: "linear",
      towers: ["pixels", "pixels", "pixels", "edges", "histograms", "histograms"],
      whiten: 0.3,
      centre: 0.9,
      loss: "supervised-contrastive",
      temperature: 0.05,
      identitiesPerBatch: 16,
      picturesPerIdentity: 4,
      l2: 0,
      learningRate: 0.002,
      schedule: "cosine",
      warmUp: 5,
      steps: 25,
      augment: { rotation: 10, scale: 0.16, translation: 0.05, flip: 0.5 },
      keep: "last",
    },
  },
  characters: {
    about: "handwritten characters: some hundred classes, rotated by 90, 180 and 270 degrees as further classes",
    settings: {
      rotatedIdentities: true,
      sourceSize: 56,
      imageSize: 28,
      channels: 1,
      filters: [32, 32, 64],
      embedding: 128,
      embeddingActivation: "linear",
      loss: "supervised-contrastive",
      temperature: 0.07,
      identitiesPerBatch: 20,
      picturesPerIdentity: 4,
      l2: 0,
      learningRate: 0.004,
      schedule: "cosine",
      warmUp: 50,
      steps: 2400,
      augment: { rotation: 8, scale: 0.12, translation: 0.04 },
      keep: "last",
    },
  },
  liveness: {
    about: "bona fide pictures and presentation attacks (live/PERSON/..., spoof/PERSON/...) of cropped faces",
    settings: {
      task: "liveness",
      imageSize: 112,
      channels: 3,
      standardize: true,
      patch: 32,
      differences: 1,
      filters: [16, 32, 64],
      l2: 0,
      learningRate: 0.001,
      batchSize: 64,
      steps: 600,
      augment: {
        flip: 0.5,
        gamma: 0.8,
        gain: [0.4, 3],
        whiteBalance: 0.25,
        contrast: 0.4,
        blur: 0.6,
        noise: 0.006,
      },
    },
  },
};

type Names = readonly (keyof PartialSettings)[];

/** Settings of a preset that a given option replaces. */
const replaced: Partial<Record<keyof PartialSettings, Names>> = {
  batchSize: ["identitiesPerBatch"],
  identitiesPerBatch: ["batchSize"],
  steps: ["epochs"],
  epochs: ["steps"],
  towers: ["align"],
  imageSize: ["sourceSize"],
  balanced: ["sameProbability"],
};

/** The preset's settings without those that a given setting overrides, replaces or makes invalid. */
export function presetSettings(name: PresetName, given: PartialSettings): PartialSettings {
  const { settings } = presets[name];
  const { loss = "cross-entropy", mining = loss === "triplet" ? "batch-hard" : undefined } = { ...settings, ...given };
  const ofOtherLosses: Names = [
    ...(loss === "supervised-contrastive" ? [] : (["temperature"] as const)),
    ...(comparesAll({ loss, mining })
      ? (["sameProbability"] as const)
      : (["identitiesPerBatch", "picturesPerIdentity"] as const)),
  ];
  const out = [...Object.keys(given).flatMap((key) => replaced[key as keyof PartialSettings] ?? []), ...ofOtherLosses];
  const kept = Object.entries(settings).filter(
    ([key]) => !(key in given) && !out.includes(key as keyof PartialSettings),
  );
  const rest: PartialSettings = Object.fromEntries(kept);
  // A shortened run warms up for half of its steps at most: a longer warmup would be refused.
  if (rest.warmUp !== undefined && given.steps !== undefined) rest.warmUp = Math.min(rest.warmUp, given.steps >> 1);
  return rest;
}

/** One line each, for the help text. */
export function presetsInWords(): string {
  const width = Math.max(...presetNames.map(({ length }) => length));
  return presetNames.map((name) => `  ${name.padEnd(width)}  ${presets[name].about}`).join("\n");
}
