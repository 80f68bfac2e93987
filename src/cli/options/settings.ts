// The settings of a training run from options, a configuration file, a preset and a resumed run, validated alike.

import { defaultPrefetch, diskError, inBytes, largestPicture, readText, withPresentNames } from "../../internal.ts";
import { warn } from "../outcome.ts";
import { resolveBatch } from "./lossSettings.ts";
import { checkOptimizer } from "./optimizerSettings.ts";
import { presetSettings } from "./presets.ts";
import { checkSchedule } from "./scheduleSettings.ts";
import { SettingsError } from "./settingsError.ts";
import { type PartialSettings, type ResolvedSettings, resolved, schema } from "./settingsSchema.ts";

export { SettingsError } from "./settingsError.ts";

/** The defaults, also shown in the help text. */
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

/** Settings that a resumed run may change: they do not affect earlier steps. */
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
  "syncEvery",
  "overlap",
]);

/** @param where their source in messages: "--" for options, or a file's name. */
export function parseSettings(given: unknown, where: string): PartialSettings {
  const keyOf = (key: string) => (where === "--" ? flagOf(key) : key);
  const named = (key: string) => (where === "--" ? keyOf(key) : `${where}: ${key}`);
  const isObject = typeof given === "object" && given !== null && !Array.isArray(given);
  const value = !isObject
    ? given
    : withPresentNames(given, (former, present) => {
        if (present in given)
          throw new SettingsError(`${named(former)} is the former name of ${keyOf(present)}: remove one of them`);
        warn(`${named(former)} was renamed: use ${keyOf(present)}`);
      });
  const parsed = schema.partial().safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const key = issue.path.join(".");
  if (key === "") {
    const expected = 'expected an object of settings, such as {"steps": 100}';
    throw new SettingsError(`${where}: ${issue.code === "invalid_type" ? expected : issue.message}`);
  }
  throw new SettingsError(`${named(key)}: ${issue.message}`);
}

export const flagOf = (key: string) => `--${key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;

export async function readSettings(path: string): Promise<PartialSettings> {
  let text: string;
  try {
    text = await readText(path);
  } catch (error) {
    throw diskError(path, "read", error as Error);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new SettingsError(`${path}: invalid JSON: ${(error as Error).message}`);
  }
  return parseSettings(json, path);
}

/** Options override the file, the file overrides the preset. With `steps`, `epochs` has no default. */
export function resolveSettings(file: PartialSettings, flags: PartialSettings): ResolvedSettings {
  const given = { ...file, ...flags };
  if (given.preset === undefined) return resolveGiven(given);
  const preset = presetSettings(given.preset, given);
  try {
    return resolveGiven({ ...preset, ...given });
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    throw new SettingsError(`${error.message} (--preset ${given.preset} sets ${JSON.stringify(preset)})`);
  }
}

function resolveGiven(given: PartialSettings): ResolvedSettings {
  const filtered = given.sameProbability !== undefined || given.differentProbability !== undefined;
  if (given.balanced && filtered) {
    throw new SettingsError(
      "--balanced cannot be combined with probabilities: it draws genuine and impostor pairs equally often",
    );
  }
  if ((given.loss === "triplet" || given.loss === "supervised-contrastive") && filtered) {
    throw new SettingsError(
      `--loss ${given.loss} cannot be combined with pair probabilities: it does not sample pairs`,
    );
  }
  if (given.fold !== undefined && given.validation !== undefined) {
    throw new SettingsError("--fold and --validation both set the held-out identities: use one of them");
  }
  const { holdOutGroups, rotatedIdentities, align, patch, groupBy } = given;
  if (given.freeze !== undefined && given.init === undefined) {
    throw new SettingsError("--freeze requires --init");
  }
  if (given.task === "liveness") {
    for (const [name, value] of Object.entries({ holdOutGroups, rotatedIdentities, align })) {
      if (value) throw new SettingsError(`${flagOf(name)} requires --task recognition, not liveness`);
    }
    if (given.loss !== undefined && given.loss !== "cross-entropy") {
      throw new SettingsError(`--task liveness requires --loss cross-entropy, not ${given.loss}`);
    }
    if (filtered || given.balanced === false) {
      throw new SettingsError(
        "--task liveness cannot be combined with pair sampling options: its batches alternate bona fide pictures and attacks",
      );
    }
  }
  if (given.task !== "liveness" && patch !== undefined) {
    throw new SettingsError("--patch requires --task liveness");
  }
  if (patch !== undefined && given.embedding !== undefined) {
    throw new SettingsError(
      "--embedding cannot be combined with --patch: the last entry of --filters is the embedding's length",
    );
  }
  if (groupBy !== undefined && (given.keep === "best" || given.patience !== undefined || holdOutGroups)) {
    const flag = holdOutGroups ? "--hold-out-groups" : given.patience === undefined ? "--keep best" : "--patience";
    throw new SettingsError(
      `${flag} cannot be combined with --group-by: held-out groups are for testing, not for model selection`,
    );
  }
  if (given.cropMargin !== undefined && given.crop !== "box" && given.crop !== "face") {
    throw new SettingsError("--crop-margin requires --crop box or --crop face");
  }
  if (given.validation === 0 && (given.patience !== undefined || given.keep === "best")) {
    const flag = given.patience === undefined ? "--keep best" : "--patience";
    throw new SettingsError(`${flag} needs held-out identities; --validation 0 holds out none`);
  }
  if (align && rotatedIdentities) {
    throw new SettingsError("--align needs upright pictures: it cannot be combined with --rotated-identities");
  }
  const { towers = ["pixels"] } = given;
  const missing = align?.find((kind) => !towers.includes(kind));
  if (missing) throw new SettingsError(`--align ${missing}: no such tower; expected one of ${towers.join(", ")}`);
  for (const name of ["imageSize", "sourceSize"] as const) checkSize(name, given[name], given.channels);
  const batch = resolveBatch(given);
  checkSchedule(given);
  checkOptimizer(given);
  const epochs = given.epochs ?? (given.steps === undefined ? defaults.epochs : undefined);
  const { filters = defaults.filters } = given;
  const more = {
    ...(patch && { embedding: filters[filters.length - 1] }),
    ...(groupBy !== undefined && { keep: "last" }),
  };
  return resolved.parse({ ...defaults, balanced: !filtered, ...given, ...batch, ...more, epochs });
}

/** Checks the size up front: otherwise each picture would be refused, as if the picture were invalid. */
function checkSize(name: string, size: number | [number, number] | undefined, channels: number = defaults.channels) {
  if (size === undefined) return;
  const [height, width] = typeof size === "number" ? [size, size] : size;
  if (height * width <= largestPicture) return;
  const bytes = inBytes(height * width * channels);
  const most = Math.sqrt(largestPicture);
  throw new SettingsError(
    `${flagOf(name)} ${height}x${width}: too large: a decoded picture would take ${bytes}, and a training step many times that; expected at most ${most}x${most}`,
  );
}

/**
 * The settings of a resumed run: the saved ones, with changeable settings replaced by those given now.
 * @throws SettingsError if a given setting that cannot change differs from the saved one.
 */
export function resumeSettings(saved: ResolvedSettings, given: PartialSettings): ResolvedSettings {
  for (const [key, value] of Object.entries(given)) {
    const before = saved[key as keyof ResolvedSettings];
    if (!changeable.has(key) && JSON.stringify(before) !== JSON.stringify(value)) {
      throw new SettingsError(
        `${key} is ${JSON.stringify(before)} in the run to resume; it cannot change to ${JSON.stringify(value)}`,
      );
    }
  }
  const { epochs, steps, ...rest } = saved;
  const limitGiven = given.epochs !== undefined || given.steps !== undefined;
  return resolved.parse(limitGiven ? { ...rest, ...given } : { ...saved, ...given });
}
