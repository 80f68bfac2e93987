// What a training run can be told, by flags, by a configuration file and by the run that it resumes; one set of rules.
import { readFile } from "node:fs/promises";
import { z } from "zod";
import { defaultPrefetch } from "../../data/batches.ts";
import { type Fold, isFold } from "../../data/split.ts";
import { TwingradError } from "../../errors.ts";
import { lossNames, minings } from "../../model/description.ts";
import { areViews, viewKinds } from "../../model/views.ts";
import { towerKinds } from "../../nn/towers.ts";
import { scheduleKinds } from "../../optim/schedule.ts";
import { resolveBatch } from "./lossSettings.ts";
import { augment, size } from "./pictureSettings.ts";
import { checkSchedule } from "./scheduleSettings.ts";
import { SettingsError } from "./settingsError.ts";

export { SettingsError } from "./settingsError.ts";

const positive = z.number().int().min(1);
const probability = z.number().min(0).max(1);

/** The number of a part and of all parts, as 3/8. */
export function foldOf(text: string): Fold {
  const [number, of] = text.split("/").map(Number);
  return { number, of };
}

const fold = z
  .string()
  .refine((text) => /^\d+\/\d+$/.test(text) && isFold(foldOf(text)), "a part of at least two was expected, as 3/8");

const schema = z.strictObject({
  task: z.enum(["recognition", "liveness"]),
  imageSize: size,
  sourceSize: size,
  resize: z.enum(["area", "tf1"]),
  standardize: z.boolean(),
  crop: z.enum(["centre", "box"]),
  cropMargin: z.number().min(0).max(10),
  align: z.array(z.enum(towerKinds)).min(1),
  views: z.array(z.enum(viewKinds)).min(1).refine(areViews, "each of them once was expected"),
  channels: z.union([z.literal(1), z.literal(3)]),
  filters: z.array(positive).min(1),
  embedding: positive,
  towers: z.array(z.enum(towerKinds)).min(1),
  embeddingActivation: z.enum(["sigmoid", "linear"]),
  whiten: z.number().positive(),
  centre: z.number().positive().max(1),
  loss: z.enum(lossNames),
  mining: z.enum(minings),
  margin: z.union([z.number().positive(), z.literal("soft")]),
  temperature: z.number().positive(),
  peoplePerBatch: z.number().int().min(2),
  picturesPerPerson: z.number().int().min(2),
  l2: z.number().min(0),
  learningRate: z.number().positive(),
  schedule: z.enum(scheduleKinds),
  warmUp: z.number().int().min(0),
  finalRate: z.number().min(0),
  decayEvery: positive,
  decayRate: z.number().positive().max(1),
  scheduleSteps: positive,
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
  holdOutGroups: z.boolean(),
  turnedIdentities: z.boolean(),
  patience: positive,
  keep: z.enum(["best", "last"]),
  checkpointEvery: positive,
  keepCheckpoints: positive,
  recoveryEvery: positive,
  recoveryLosses: positive,
  debugNumerics: z.boolean(),
});

const optional = {
  epochs: true,
  steps: true,
  differentProbability: true,
  embeddingActivation: true,
  towers: true,
  whiten: true,
  centre: true,
  mining: true,
  margin: true,
  temperature: true,
  peoplePerBatch: true,
  picturesPerPerson: true,
  schedule: true,
  warmUp: true,
  finalRate: true,
  decayEvery: true,
  decayRate: true,
  scheduleSteps: true,
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
  holdOutGroups: true,
  turnedIdentities: true,
  patience: true,
  keep: true,
  recoveryEvery: true,
  recoveryLosses: true,
  debugNumerics: true,
} as const;
export const resolved = schema.partial(optional);

export type ResolvedSettings = z.infer<typeof resolved>;

export type PartialSettings = Partial<z.infer<typeof schema>>;

/** What applies where nothing was said; the help text tells the same. */
export const defaults = {
  task: "recognition" as const,
  imageSize: 56,
  resize: "area" as const,
  channels: 3 as const,
  filters: [64, 64, 64, 32],
  embedding: 1024,
  loss: "cross-entropy" as const,
  l2: 0.1,
  learningRate: 0.001,
  batchSize: 16,
  epochs: 20,
  seed: 1,
  sameProbability: 1,
  shuffleBuffer: 2000,
  prefetch: defaultPrefetch,
  imageCache: 1024,
  augment: false,
  validation: 0.2,
  checkpointEvery: 500,
  keepCheckpoints: 3,
} satisfies PartialSettings;

/** Settings that a resumed run may change: they do not alter what the steps before would have been. */
export const changeable: ReadonlySet<string> = new Set([
  "epochs",
  "steps",
  "prefetch",
  "imageCache",
  "patience",
  "keep",
  "checkpointEvery",
  "keepCheckpoints",
  "recoveryEvery",
  "recoveryLosses",
  "debugNumerics",
]);

/** @param where what the message calls their source: "--" for flags, or a file's name. */
export function parseSettings(value: unknown, where: string): PartialSettings {
  const parsed = schema.partial().safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = issue.path.join(".");
  const name = where === "--" ? flagOf(key) : `${where}: ${key}`;
  throw new SettingsError(`${name}: ${issue.message}`);
}

const flagOf = (key: string) => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

export async function readSettings(path: string): Promise<PartialSettings> {
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    throw new TwingradError("BAD_INPUT", `${path}: cannot be read: ${(error as Error).message}`, { cause: error });
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new SettingsError(`${path}: this is no JSON: ${(error as Error).message}`);
  }
  return parseSettings(json, path);
}

/** Flags over file over defaults. A number of steps stands alone, unless epochs are asked for as well. */
export function resolveSettings(file: PartialSettings, flags: PartialSettings): ResolvedSettings {
  const given = { ...file, ...flags };
  const filtered = given.sameProbability !== undefined || given.differentProbability !== undefined;
  if (given.balanced && filtered) {
    throw new SettingsError("--balanced takes no probabilities: it draws same and different pairs equally often");
  }
  if ((given.loss === "triplet" || given.loss === "supervised-contrastive") && filtered) {
    throw new SettingsError(`--loss ${given.loss} takes no probabilities: it draws no pairs`);
  }
  if (given.fold !== undefined && given.validation !== undefined) {
    throw new SettingsError("--fold and --validation both say who is held out: give one of them");
  }
  const { holdOutGroups, turnedIdentities, align } = given;
  if (given.task === "liveness") {
    for (const [name, value] of Object.entries({ holdOutGroups, turnedIdentities, align })) {
      if (value) throw new SettingsError(`${flagOf(name)} is for recognition, not for --task liveness`);
    }
    if (given.loss !== undefined && given.loss !== "cross-entropy") {
      throw new SettingsError(`--task liveness takes the cross-entropy loss, not ${given.loss}`);
    }
    if (filtered || given.balanced === false) {
      throw new SettingsError("--task liveness draws no pairs: it takes live people and pictures of people in turn");
    }
  }
  if (given.cropMargin !== undefined && given.crop !== "box") {
    throw new SettingsError("--crop-margin is about boxes: it needs --crop box");
  }
  if (given.validation === 0 && (given.patience !== undefined || given.keep === "best")) {
    const flag = given.patience === undefined ? "--keep best" : "--patience";
    throw new SettingsError(`${flag} looks at people held out; --validation 0 holds nobody out`);
  }
  if (align && turnedIdentities) {
    throw new SettingsError("--align is for pictures that are upright: it does not go with --turned-identities");
  }
  const { towers = ["pixels"] } = given;
  const stranger = align?.find((kind) => !towers.includes(kind));
  if (stranger) throw new SettingsError(`--align ${stranger}: there is no such tower among ${towers.join(", ")}`);
  const batch = resolveBatch(given);
  checkSchedule(given);
  const epochs = given.epochs ?? (given.steps === undefined ? defaults.epochs : undefined);
  return resolved.parse({ ...defaults, balanced: !filtered, ...given, ...batch, epochs });
}

/**
 * The settings of a resumed run: those of the saved one, with what may change taken from what is said now.
 * @throws SettingsError when something is said that the saved steps were not made with.
 */
export function resumeSettings(saved: ResolvedSettings, said: PartialSettings): ResolvedSettings {
  for (const [key, value] of Object.entries(said)) {
    const before = saved[key as keyof ResolvedSettings];
    if (!changeable.has(key) && JSON.stringify(before) !== JSON.stringify(value)) {
      throw new SettingsError(
        `${key} was ${JSON.stringify(before)} in the run to resume and cannot become ${JSON.stringify(value)}`,
      );
    }
  }
  const { epochs, steps, ...rest } = saved;
  const limitSaid = said.epochs !== undefined || said.steps !== undefined;
  return resolved.parse(limitSaid ? { ...rest, ...said } : { ...saved, ...said });
}
