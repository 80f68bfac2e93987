// What a training run can be told, by flags, by a configuration file and by the run that it resumes; one set of rules.

import { defaultPrefetch, diskError, inBytes, largestPicture, readText } from "../../internal.ts";
import { resolveBatch } from "./lossSettings.ts";
import { checkOptimizer } from "./optimizerSettings.ts";
import { presetSettings } from "./presets.ts";
import { checkSchedule } from "./scheduleSettings.ts";
import { SettingsError } from "./settingsError.ts";
import { type PartialSettings, type ResolvedSettings, resolved, schema } from "./settingsSchema.ts";

export { SettingsError } from "./settingsError.ts";

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
  "syncEvery",
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
    text = await readText(path);
  } catch (error) {
    throw diskError(path, "read", error as Error);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new SettingsError(`${path}: this is no JSON: ${(error as Error).message}`);
  }
  return parseSettings(json, path);
}

/** Flags over file over preset over defaults. A number of steps stands alone, unless epochs are asked for as well. */
export function resolveSettings(file: PartialSettings, flags: PartialSettings): ResolvedSettings {
  const said = { ...file, ...flags };
  if (said.preset === undefined) return resolveGiven(said);
  const preset = presetSettings(said.preset, said);
  try {
    return resolveGiven({ ...preset, ...said });
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    throw new SettingsError(`${error.message} (--preset ${said.preset} sets ${JSON.stringify(preset)})`);
  }
}

function resolveGiven(given: PartialSettings): ResolvedSettings {
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
  const { holdOutGroups, turnedIdentities, align, patch, groupBy } = given;
  if (given.freeze !== undefined && given.init === undefined) {
    throw new SettingsError("--freeze keeps the weights of a model: it needs --init");
  }
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
  if (given.task !== "liveness" && patch !== undefined) {
    throw new SettingsError("--patch is for --task liveness: two pictures are compared as wholes");
  }
  if (patch !== undefined && given.embedding !== undefined) {
    throw new SettingsError("--embedding says nothing with --patch: the last block's filters are averaged");
  }
  if (groupBy !== undefined && (given.keep === "best" || given.patience !== undefined || holdOutGroups)) {
    const flag = holdOutGroups ? "--hold-out-groups" : given.patience === undefined ? "--keep best" : "--patience";
    throw new SettingsError(`${flag} does not go with --group-by: the groups held out are there to test the model`);
  }
  if (given.cropMargin !== undefined && given.crop !== "box" && given.crop !== "face") {
    throw new SettingsError("--crop-margin is about boxes and faces: it needs --crop box or face");
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

/** Before anything is opened: every picture would be refused, one by one, as if it were its fault. */
function checkSize(name: string, size: number | [number, number] | undefined, channels: number = defaults.channels) {
  if (size === undefined) return;
  const [height, width] = typeof size === "number" ? [size, size] : size;
  if (height * width <= largestPicture) return;
  const bytes = inBytes(height * width * channels);
  const most = Math.sqrt(largestPicture);
  throw new SettingsError(
    `${flagOf(name)} ${height}x${width}: one picture would take ${bytes} decoded, and many times that in a training step; at most ${most}x${most} pixels are decoded`,
  );
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
