// The schema of the settings of a training run: their names and valid values.

import { z } from "zod";
import { type AugmentationPreset, type AugmentationRanges, augmentationPresets, type Fold } from "../../index.ts";
import {
  areViews,
  embeddingActivations,
  groupRule,
  isFold,
  lossNames,
  minings,
  nearest,
  resolveRanges,
  scheduleKinds,
  towerKinds,
  viewKinds,
} from "../../internal.ts";

const positive = z.number().int().min(1);
const probability = z.number().min(0).max(1);

/** One side of a square, or height and width. */
const size = z.union([positive, z.tuple([positive, positive])]);

/** True stands for the preset "standard". */
export type AugmentSetting = boolean | AugmentationPreset | AugmentationRanges;

/** A boolean, a preset's name, or an object of augmentation ranges. */
const augment = z.custom<AugmentSetting>().superRefine((value, { addIssue }) => {
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

/** Parses a fold such as 3/8. */
export function foldOf(text: string): Fold {
  const [number, of] = text.split("/").map(Number);
  return { number, of };
}

const fold = z
  .string()
  .refine(
    (text) => /^\d+\/\d+$/.test(text) && isFold(foldOf(text)),
    "expected a fold such as 3/8, with at least two folds",
  );

/** Their settings are in presets.ts. */
export const presetNames = ["article", "faces", "few", "characters", "liveness"] as const;
export type PresetName = (typeof presetNames)[number];

const preset = z.custom<PresetName>().superRefine((value: unknown, { addIssue }) => {
  if (presetNames.includes(value as PresetName)) return;
  const near = nearest(String(value), presetNames);
  const meant = near === undefined ? `expected ${presetNames.join(", ")}` : `did you mean "${near}"?`;
  addIssue(`unknown preset "${value}"; ${meant}`);
});

export const schema = z.strictObject({
  preset,
  task: z.enum(["recognition", "liveness"]),
  imageSize: size,
  sourceSize: size,
  resize: z.enum(["area", "tf1"]),
  standardize: z.boolean(),
  crop: z.enum(["centre", "box", "face"]),
  cropMargin: z.number().min(0).max(10),
  align: z.array(z.enum(towerKinds)).min(1),
  views: z.array(z.enum(viewKinds)).min(1).refine(areViews, "expected each view at most once"),
  channels: z.union([z.literal(1), z.literal(3)]),
  patch: positive,
  differences: z.number().min(0).max(1),
  filters: z.array(positive).min(1),
  embedding: positive,
  towers: z.array(z.enum(towerKinds)).min(1),
  /** The initial model: its path as given, its fingerprint once it is read. */
  init: z.string().min(1),
  freeze: z.union([z.number().int().min(0), z.array(z.string().min(1)).min(1)]),
  embeddingActivation: z.enum(embeddingActivations),
  batchNormEpsilon: z.number().positive().max(1),
  batchNormMomentum: z.number().min(0).lt(1),
  whiten: z.number().positive(),
  centre: z.number().positive().max(1),
  loss: z.enum(lossNames),
  mining: z.enum(minings),
  margin: z.union([z.number().positive(), z.literal("soft")]),
  temperature: z.number().positive(),
  identitiesPerBatch: z.number().int().min(2),
  picturesPerIdentity: z.number().int().min(2),
  l2: z.number().min(0),
  learningRate: z.number().positive(),
  schedule: z.enum(scheduleKinds),
  warmUp: z.number().int().min(0),
  finalRate: z.number().min(0),
  decayEvery: positive,
  decayRate: z.number().positive().max(1),
  scheduleSteps: positive,
  optimizer: z.enum(["adam", "adamw", "sgd"]),
  momentum: z.number().min(0).lt(1),
  weightDecay: z.number().min(0),
  clipNorm: z.number().positive(),
  storage: z.enum(["float32", "float16"]),
  recompute: z.boolean(),
  batchSize: positive,
  epochs: positive,
  steps: positive,
  seed: z.number().int().min(0).max(Number.MAX_SAFE_INTEGER),
  sameProbability: probability,
  differentProbability: probability,
  balanced: z.boolean(),
  shuffleBuffer: positive,
  prefetch: z.number().int().min(0),
  imageCache: z.number().min(0),
  augment,
  validation: z.number().min(0).lt(1),
  fold,
  groupBy: z.string().superRefine((rule, { addIssue }) => {
    try {
      groupRule(rule);
    } catch (error) {
      addIssue((error as Error).message);
    }
  }),
  holdOutGroups: z.boolean(),
  rotatedIdentities: z.boolean(),
  patience: positive,
  keep: z.enum(["best", "last"]),
  checkpointEvery: positive,
  keepCheckpoints: positive,
  recoveryEvery: positive,
  recoveryLosses: positive,
  debugNumerics: z.boolean(),
  syncEvery: z.union([positive, z.literal("auto")]),
  outerMomentum: z.number().min(0).lt(1),
  overlap: z.boolean(),
});

const optional = {
  preset: true,
  epochs: true,
  steps: true,
  differentProbability: true,
  embeddingActivation: true,
  batchNormEpsilon: true,
  batchNormMomentum: true,
  towers: true,
  init: true,
  freeze: true,
  whiten: true,
  centre: true,
  mining: true,
  margin: true,
  temperature: true,
  identitiesPerBatch: true,
  picturesPerIdentity: true,
  schedule: true,
  warmUp: true,
  finalRate: true,
  decayEvery: true,
  decayRate: true,
  scheduleSteps: true,
  optimizer: true,
  momentum: true,
  weightDecay: true,
  clipNorm: true,
  storage: true,
  recompute: true,
  sourceSize: true,
  resize: true,
  standardize: true,
  crop: true,
  cropMargin: true,
  align: true,
  views: true,
  fold: true,
  groupBy: true,
  patch: true,
  differences: true,
  holdOutGroups: true,
  rotatedIdentities: true,
  patience: true,
  keep: true,
  recoveryEvery: true,
  recoveryLosses: true,
  debugNumerics: true,
  syncEvery: true,
  outerMomentum: true,
  overlap: true,
} as const;
export const resolved = schema.partial(optional);

export type ResolvedSettings = z.infer<typeof resolved>;

export type PartialSettings = Partial<z.infer<typeof schema>>;
