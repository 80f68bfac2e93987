// twingrad calibrate: sets a model's threshold for a target false-accept rate.

import { type Command, InvalidArgumentError } from "commander";
import { scorePairs } from "../../exchange/index.ts";
import {
  allPairs,
  type CalibratedRate,
  type Calibration,
  type Dataset,
  evaluateModel,
  fitCalibration,
  type Interval,
  labelsOf,
  pairsPerIdentity,
  type ScoredPair,
  TwingradError,
  thresholdAt,
  withOperatingPoint,
} from "../../index.ts";
import { type EvaluationPair, fingerprintOfModel, modelFileOf, updateFile, writeOutput } from "../../internal.ts";
import { addDataOptions, type DataFlags, dataHelp } from "../options/dataOptions.ts";
import { wholeNumber } from "../options/values.ts";
import { action, digits, type Outcome, percent, warn } from "../outcome.ts";
import { chooseUnseen } from "./evaluate/evaluate.ts";
import { addEmbeddingOptions, type EmbeddingFlags, metricText, openEmbeddings } from "./exchange/embeddingFiles.ts";
import { picturesFor, showing, withModel } from "./models.ts";

interface Options extends DataFlags, EmbeddingFlags {
  far: number;
  pairsPerIdentity?: number | "all";
  seed: number;
  resamples: number;
  unseen?: boolean;
  out?: string;
}

/** Up to this count every pair is used: more take long and hardly change the result. */
const mostPairs = 1_000_000;
const perIdentityBeyond = 100;

export function addCalibrate(program: Command): void {
  const command = program
    .command("calibrate")
    .description(
      "Sets a model's threshold for a target false-accept rate, fits the calibration from distance to probability, and stores both in the model file, with the measured rate and its confidence interval.",
    )
    .argument("[model]", "a model file or the folder that contains it, which is rewritten; omitted with --embeddings")
    .argument("[data...]", `${dataHelp}; with identities unseen in training`)
    .requiredOption("--far <rate>", "target false-accept rate: the share of impostor pairs accepted, e.g. 0.001", rate)
    .option(
      "--pairs-per-identity <count>",
      `as for evaluate (default: every pair, or ${perIdentityBeyond} if there are more than ${mostPairs.toLocaleString("en-GB")} pairs)`,
      (text) => (text === "all" ? text : wholeNumber(1)(text)),
    )
    .option("--seed <number>", "seed of the pairs and the bootstrap", wholeNumber(0), 1)
    .option(
      "--resamples <count>",
      "bootstrap resamples of the people for the confidence intervals",
      wholeNumber(1),
      1000,
    )
    .option("--unseen", "use only the people of this data that the model's training held out")
    .option("--out <file>", "for --embeddings: JSON file for the threshold and the calibration");
  addEmbeddingOptions(command);
  action(addDataOptions(command), async (modelPath: string | undefined, data: string[], options: Options) => {
    const wrong = (text: string) => command.error(`error: ${text}`, { exitCode: 2, code: "twingrad.embeddings" });
    if (options.embeddings !== undefined) {
      if (modelPath !== undefined || options.unseen)
        wrong("--embeddings cannot be combined with model or data arguments or --unseen");
      return calibrateEmbeddings(options);
    }
    if (modelPath === undefined || data.length === 0) return wrong("missing required argument 'model' or 'data'");
    if (options.out !== undefined)
      wrong("--out needs --embeddings: with a model, the threshold is stored in the model file");
    return withModel(modelPath, async (model) => {
      const dataset = await chooseUnseen(modelPath, data, options, picturesFor(model));
      const labels = labelsOf(dataset);
      const { far, seed, resamples } = options;
      const pairs = pairsOf(dataset, options);
      const { scored } = await showing(dataset, (onProgress) =>
        evaluateModel(model, dataset, pairs, undefined, onProgress),
      );
      const { threshold, rate } = thresholdAt(scored, pairs, labels, far, { seed, resamples });
      checkReachable(far, rate);
      const calibration = calibrationOf(scored, rate, (distance) => model.calibrationScore(distance));
      const file = await modelFileOf(modelPath);
      await updateFile(file, async (bytes) => {
        if (!bytes || (await fingerprintOfModel(bytes)) !== model.fingerprint) {
          throw new TwingradError(
            "CHECKPOINT_MISMATCH",
            `${file}: another process replaced the model during calibration; nothing is stored: calibrate again`,
          );
        }
        return withOperatingPoint(bytes, { threshold, calibration, rate });
      });
      warnOfFew(far, rate);
      return {
        result: { threshold, before: model.threshold, ...rate, calibration, model: file },
        text: [
          `threshold ${digits(threshold)}, previously ${digits(model.threshold)}`,
          ...inWords(rate),
          `stored in ${file}`,
        ].join("\n"),
      };
    });
  });
}

/** Calibrates the vectors of any model: prints the operating point, and writes it to --out. */
async function calibrateEmbeddings(options: Options): Promise<Outcome> {
  const { far, seed, resamples, out, metric } = options;
  const { table, dataset, recognizer } = await openEmbeddings(options);
  const pairs = pairsOf(dataset, options);
  const scored = scorePairs(recognizer(0), table.values, pairs);
  const { threshold, rate } = thresholdAt(scored, pairs, labelsOf(dataset), far, { seed, resamples });
  checkReachable(far, rate);
  const calibration = calibrationOf(scored, rate, (distance) => distance);
  warnOfFew(far, rate);
  const operatingPoint = { metric, length: table.length, threshold, calibration };
  if (out !== undefined) {
    const sources = [options.embeddings!];
    await writeOutput(out, `${JSON.stringify({ ...operatingPoint, rate }, null, 2)}\n`, { sources });
  }
  const stored = out === undefined ? [] : [`stored in ${out}`];
  return {
    result: { ...operatingPoint, ...rate, ...(out !== undefined && { file: out }) },
    text: [`threshold ${digits(threshold)}`, ...inWords(rate), metricText(metric, table.length), ...stored].join("\n"),
  };
}

/** Impostor pairs far outnumber genuine ones; probabilities assume even prior odds (G. King and L. Zeng 2001). */
function calibrationOf(
  scored: readonly ScoredPair[],
  { pairs: { same, different } }: CalibratedRate,
  score: (distance: number) => number,
): Calibration {
  const fitted = fitCalibration(scored.map((pair) => ({ same: pair.same, distance: score(pair.distance) })));
  return { slope: fitted.slope, intercept: fitted.intercept + Math.log(different / same) };
}

function warnOfFew(far: number, { pairs: { different } }: CalibratedRate): void {
  if (far * different >= 1) return;
  const needed = Math.ceil(1 / far).toLocaleString("en-GB");
  warn(
    `a false-accept rate of ${far} needs at least ${needed} impostor pairs; with ${different}, the threshold accepts none of them`,
  );
}

function inWords(rate: CalibratedRate): string[] {
  const within = ([lower, upper]: Interval) => `[${percent(lower)}, ${percent(upper)}]`;
  return [
    `false accepts ${percent(rate.falseAccept)} ${within(rate.falseAcceptInterval)} of ${rate.pairs.different} impostor pairs`,
    `true accepts ${percent(rate.trueAccept)} ${within(rate.trueAcceptInterval)} of ${rate.pairs.same} genuine pairs`,
    `in brackets: ${100 * rate.level} % bootstrap intervals over ${rate.identities} people`,
  ];
}

/** A threshold that accepts no genuine pair recognizes nobody: it is not stored. */
export function checkReachable(far: number, { trueAccept, pairs }: Pick<CalibratedRate, "trueAccept" | "pairs">): void {
  if (trueAccept > 0) return;
  throw new TwingradError(
    "BAD_INPUT",
    `--far ${far} cannot be reached: with ${pairs.different} impostor pairs its threshold accepts none of ${pairs.same} genuine pairs. ` +
      "Use more identities or pictures, or a larger rate; the model is unchanged.",
  );
}

function pairsOf(dataset: Dataset, { pairsPerIdentity: perIdentity, seed }: Options): EvaluationPair[] {
  const labels = labelsOf(dataset);
  const every = (labels.length * (labels.length - 1)) / 2;
  if (perIdentity === "all" || (perIdentity === undefined && every <= mostPairs)) return allPairs(labels);
  return pairsPerIdentity(labels, { perIdentity: perIdentity ?? perIdentityBeyond, seed });
}

function rate(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !(value > 0 && value < 1)) {
    throw new InvalidArgumentError("Expected a rate between 0 and 1, such as 0.001.");
  }
  return value;
}
