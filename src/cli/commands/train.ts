// twingrad train: a folder of pictures in, a model out.

import { type Command, Option } from "commander";
import { augmentationPresets, type Item, TwingradError } from "../../index.ts";
import { openDevice } from "../../node/index.ts";
import { interruptible } from "../interrupt.ts";
import {
  addDataOptions,
  type DataFlags,
  dataHelp,
  groupByHelp,
  groupedBy,
  splitDataFlags,
} from "../options/dataOptions.ts";
import { type InitialModel, readInitialModel, settingsOfModel } from "../options/initialModel.ts";
import { addLossOptions } from "../options/lossOptions.ts";
import { picturesOf } from "../options/pictureSettings.ts";
import { presetSettings, presetsInWords } from "../options/presets.ts";
import {
  defaults,
  parseSettings,
  readSettings,
  resolveSettings,
  resumeSettings,
  SettingsError,
} from "../options/settings.ts";
import { presetNames, type ResolvedSettings } from "../options/settingsSchema.ts";
import { groupOptions } from "../options/trainGroups.ts";
import { tunable, tuningOf } from "../options/tuneOption.ts";
import { imageSize, list, number } from "../options/values.ts";
import { action, digits, note, percent, warn } from "../outcome.ts";
import { compareData, type DataCheck, dataChecks, dataFingerprint } from "../run/dataFingerprint.ts";
import { Ranks, refuseAlone } from "../run/ranks.ts";
import { checkData, exists, kernelsOf, type SavedRun, savedRun, sharedRun } from "../run/resume.ts";
import { inRunFolder } from "../run/runFolder.ts";
import { peopleDigest } from "../run/runRecord.ts";
import { liveness } from "../run/tasks/livenessTask.ts";
import { recognition } from "../run/tasks/recognitionTask.ts";
import type { TrainingTask } from "../run/tasks/task.ts";
import { type TrainingResult, train } from "../run/training.ts";

type Flags = Record<string, unknown> &
  DataFlags & {
    out: string;
    config?: string;
    resume?: boolean;
    checkData: DataCheck;
    tune?: boolean;
    distributed?: boolean;
    device?: string[];
    json?: boolean;
    quiet?: boolean;
  };

export function addTrain(program: Command): void {
  const by = (value: unknown) => `(default: ${value})`;
  const command = program
    .command("train")
    .description(
      "Trains a network on pictures of people: a folder with one folder for each person (JPEG, PNG, WebP, PGM, PPM), or TFRecord files.",
    )
    .argument(
      "<data...>",
      `${dataHelp}; for liveness live/PERSON/... and spoof/PERSON/..., or records with the label live (1) or spoof (0) and the person as name`,
    )
    .requiredOption("--out <folder>", "where model.safetensors, checkpoints and log.csv go")
    .addOption(presetOption())
    .option(
      "--task <name>",
      `what is learned: recognition of people, or liveness, real or a picture of one ${by(defaults.task)}`,
    )
    .option(
      "--image-size <size>",
      `height and width that pictures are cropped to, as 56 or 112x92 ${by(defaults.imageSize)}`,
      imageSize,
    )
    .option(
      "--source-size <size>",
      "height and width that pictures are decoded to, for the GPU to resize to --image-size (default: --image-size)",
      imageSize,
    )
    .option(
      "--resize <method>",
      `of --source-size to --image-size: area means, or tf1 as TensorFlow 1's resize_images ${by(defaults.resize)}`,
    )
    .option(
      "--crop <part>",
      `centre: the largest centered part of each picture; box: the surroundings of the box that it comes with, see --boxes and --box-feature; face: the largest face that is found, turned upright by its landmarks ${by("centre")}`,
    )
    .option("--crop-margin <share>", `of the side of a box or face, added to it on every side ${by(0)}`, number)
    .option("--standardize", "bring each picture's channels to mean 0 and variance 1: light and tint tell nothing then")
    .option(
      "--align <list>",
      "towers of these kinds, as edges,histograms, see each picture moved and magnified so that its edges lie where those of the mean face of the people trained on do",
      list,
    )
    .option(
      "--views <list>",
      "an embedding is the mean over views of a picture: mirror (as it is and mirrored), move (as it is, a little larger, smaller and moved four ways), zoom (as it is, larger and smaller), or several: mirror,move",
      list,
    )
    .option("--channels <count>", `1 for gray, 3 for color ${by(defaults.channels)}`, number)
    .option(
      "--patch <side>",
      "for liveness: look at patches of so many pixels at full resolution, one of each picture in training, a grid of them in use",
      number,
    )
    .option(
      "--differences <theta>",
      "share of each filter's sum that is taken from its centre: 1 sees differences between pixels alone, 0 is plain",
      number,
    )
    .option("--filters <list>", `filters of each block ${by(defaults.filters)}`, numbers)
    .option("--embedding <length>", `length of an embedding ${by(defaults.embedding)}`, number);
  command
    .option(
      "--init <model>",
      "begin with the weights of this model, trained or imported: its network, and unless said otherwise its loss and what is done to pictures",
    )
    .option(
      "--freeze <layers>",
      "keep weights of --init: of the first so many blocks, or of a list, as tower/block1,tower/dense",
      (text) => (/^\d+$/.test(text) ? Number(text) : list(text)),
    );
  addLossOptions(command);
  command
    .option("--clip-norm <norm>", "shrink the gradients of a step whose norm, all together, is above this", number)
    .option(
      "--storage <dtype>",
      `of activations between the passes: float16 takes half the GPU's memory and rounds them to 11 bits ${by("float32")}`,
    )
    .option(
      "--recompute",
      "make the first block's activations again in the backward pass: less memory, a little slower",
    )
    .option(
      "--batch-size <pairs>",
      `pairs, triplets, or pictures for liveness and of batches compared as a whole, in a step ${by(defaults.batchSize)}`,
      number,
    )
    .option("--epochs <count>", `passes over the data ${by(`${defaults.epochs}, or as many as --steps takes`)}`, number)
    .option("--steps <count>", "stop after so many steps, those of a resumed run included", number)
    .option("--seed <number>", `of weights, split, pairs and augmentation ${by(defaults.seed)}`, number)
    .option(
      "--balanced",
      "pairs of one person and of two equally often, uniform over people (default, unless a probability is given)",
    )
    .option(
      "--same-probability <p>",
      `filter two shuffled passes: keep a pair of one person with this chance ${by(defaults.sameProbability)}`,
      number,
    )
    .option(
      "--different-probability <p>",
      "likewise for a pair of two people (default: what makes both kinds equally frequent)",
      number,
    )
    .option("--shuffle-buffer <pictures>", `of each pass ${by(defaults.shuffleBuffer)}`, number)
    .option("--prefetch <batches>", `decoded ahead of the step under way ${by(defaults.prefetch)}`, number)
    .option(
      "--image-cache <MiB>",
      `decoded pictures kept in memory, so that later epochs decode less; 0 for none ${by(defaults.imageCache)}`,
      number,
    )
    .option(
      "--augment",
      'mirror, turn, zoom, shift, brighten pictures a little, differently each time; in --config "augment" is true, a ' +
        `preset (${Object.keys(augmentationPresets).join(", ")}), or an object of ranges`,
    )
    .option("--augment-preset <name>", "--augment with another preset than standard")
    .option(
      "--validation <share>",
      `share of the people held out of training to judge the result; 0 for none ${by(defaults.validation)}`,
      number,
    )
    .option(
      "--fold <part>",
      "instead of --validation: hold out one part of so many, as 3/8, so that the runs 1/8 to 8/8 judge everybody once",
    )
    .option(
      "--group-by <regex>",
      `with --fold or --validation: hold out whole groups of pictures, such as recording sessions; ${groupByHelp}`,
    )
    .option(
      "--hold-out-groups",
      "hold out whole folders of people, as the alphabets of ALPHABET/CHARACTER/drawing.png, instead of single people",
    )
    .option(
      "--turned-identities",
      "train on each identity turned by 90, 180 and 270 degrees, too, as three more identities: for characters, not faces",
    )
    .option("--checkpoint-every <steps>", `judge and save on the way ${by(defaults.checkpointEvery)}`, number)
    .option("--patience <judgements>", "stop when so many in a row found no better AUC on people held out", number)
    .option(
      "--keep <which>",
      "the model at the end: best, of the greatest AUC on people held out, or last (default: best where people are held out)",
    )
    .option(
      "--keep-checkpoints <count>",
      `of the newest; the best is kept, too ${by(defaults.keepCheckpoints)}`,
      number,
    )
    .option("--recovery-every <steps>", `between states kept in memory, for when the GPU is lost ${by(100)}`, number)
    .option(
      "--recovery-losses <count>",
      `give up when the GPU is lost so often without a step between ${by(3)}`,
      number,
    )
    .option(
      "--debug-numerics",
      "replay a step whose loss or gradients are not finite, and name the tensor where that began",
    )
    .option("--resume", "go on from the newest checkpoint in --out, with its settings")
    .addOption(
      new Option(
        "--check-data <how>",
        "what tells --resume whether the data are those of the run: names, sizes and times of the files, or contents, which reads every picture once more at the start",
      )
        .choices(dataChecks)
        .default("times"),
    )
    .option("--config <file>", "JSON with any of these settings, as imageSize, learningRate, ...; flags come first");

  command
    .option(
      "--device <names>",
      "the GPU to train on, by a part of its name (twingrad devices tells them); of several, as A100,RTX, each process of a machine takes one in turn",
      list,
    )
    .option(
      "--distributed",
      "train with the other processes that an MPI launcher started, as mpirun -n 4 twingrad train ...: each takes --batch-size of every batch",
    )
    .option(
      "--sync-every <steps>",
      "with --distributed: 1 takes the mean of all gradients in each step; N lets each process step alone and takes the mean of parameters every N steps; auto begins with 1 and chooses N by what exchanging took of ten steps (default: 1)",
      (text: string) => (text === "auto" ? text : number(text)),
    )
    .option(
      "--outer-momentum <share>",
      "with --sync-every above 1: Nesterov momentum across those means, as 0.9 (DiLoCo)",
      number,
    );
  command.addHelpText("after", `\nPresets (--preset; any option that is given comes first):\n${presetsInWords()}`);
  action(groupOptions(addDataOptions(tunable(command))), async (data: string[], flags: Flags) => {
    try {
      const ranks = flags.distributed ? await Ranks.open() : undefined;
      const { result, status } = await run(data, flags, ranks);
      await ranks?.close();
      const silent = ranks && !ranks.first;
      return { result, text: silent ? "" : describe(result), status: result.interrupted && status, silent };
    } catch (error) {
      if (error instanceof SettingsError)
        command.error(`error: ${error.message}`, { exitCode: 2, code: "twingrad.settings" });
      throw error;
    }
  });
}

async function run(
  data: string[],
  { out, config, resume, checkData: check, tune, distributed: _d, device: names, json: _, quiet: __, ...others }: Flags,
  ranks: Ranks | undefined,
) {
  const [dataFlags, values] = splitDataFlags(others);
  const { augmentPreset, ...named } = values;
  const flags = parseSettings(augmentPreset === undefined ? named : { ...named, augment: augmentPreset }, "--");
  const file = config === undefined ? {} : await readSettings(config);
  const said = { ...file, ...flags };
  const path = said.init;
  const initial = path === undefined ? undefined : await readInitialModel(path);
  if (initial) said.init = initial.fingerprint;
  let settings = resolveSettings(initial ? settingsOfModel(initial, said) : {}, said);
  if (ranks) await ranks.expectSame({ out, resume: resume === true, ...settings });
  else refuseAlone(settings);
  const writes = ranks?.first ?? true;
  if (settings.preset && !resume && writes)
    note(`--preset ${settings.preset}: ${JSON.stringify(presetSettings(settings.preset, said))}`);
  if (resume && writes && !(await exists(out)))
    throw new TwingradError("BAD_INPUT", `${out}: there is no such model to go on from`);
  const alone = <T>(work: () => Promise<T>) => (writes ? inRunFolder(out, warn, work) : work());
  return alone(async () => {
    const saved = !resume ? undefined : ranks ? await sharedRun(ranks, out, warn) : await savedRun(out, warn);
    if (saved) settings = resumeSettings(saved.record.settings, said);
    else if (resume) warn("No checkpoint found; starting from step 0.");
    if (initial && !saved && writes) note(`training begins with the weights of ${path}: ${inNetworkWords(settings)}`);
    const inputs = { data, dataFlags, settings, saved, initial, out, tune, check, ranks, names };
    return settings.task === "liveness" ? trained(liveness, inputs) : trained(recognition, inputs);
  });
}

function inNetworkWords({ imageSize, channels, filters, embedding, loss }: ResolvedSettings): string {
  return `pictures of ${[imageSize].flat().join(" x ")} x ${channels}, filters ${filters.join(", ")}, embedding ${embedding}, loss ${loss}`;
}

interface Inputs {
  data: string[];
  dataFlags: DataFlags;
  settings: ResolvedSettings;
  saved: SavedRun | undefined;
  initial: InitialModel | undefined;
  out: string;
  tune?: boolean;
  check: DataCheck;
  ranks: Ranks | undefined;
  /** Of adapters: each process of a machine takes one in turn. */
  names: string[] | undefined;
}

async function trained<I extends Item>(
  task: TrainingTask<I>,
  { data, dataFlags, settings, saved, initial, out, tune, check: asked, ranks, names }: Inputs,
) {
  const pictures = picturesOf(settings);
  const opened = await task.open(data, dataFlags, note, { size: pictures.decoded, crop: pictures.crop });
  const dataset = groupedBy(opened, settings.groupBy, data);
  await ranks?.expectSame({ people: peopleDigest(dataset), pictures: dataset.items.length });
  if (ranks) note(await ranks.inWords());
  if (saved) checkData(saved, { path: data.join(" "), dataset });
  const writes = ranks?.first ?? true;
  const begun = saved?.run?.data;
  const check = begun?.contents === undefined ? asked : "contents";
  const fingerprint = writes ? await dataFingerprint(data, dataset, { check, boxes: dataFlags.boxes }) : undefined;
  if (fingerprint) compareData(data.join(" "), begun, fingerprint, warn);
  note(task.describe(dataset));
  return interruptible(async (signal) => {
    const name = names?.[((await ranks?.place()) ?? 0) % names.length];
    const device = await openDevice({ name, ...(saved ? kernelsOf(saved, warn) : tuningOf({ tune })), tell: note });
    try {
      return await train(device, task, dataset, settings, {
        folder: out,
        resume: saved,
        initial,
        data: fingerprint,
        warn,
        signal,
        ranks,
      });
    } finally {
      device.dispose();
    }
  }, note);
}

function describe({
  steps,
  epochs,
  firstLoss,
  lastLoss,
  validation,
  stepsPerSecond,
  waitingForData,
  checkpoint,
  interrupted,
  stopped,
  kept,
  ranks,
  syncEvery,
  communication,
  samplesPerSecond,
  slowest,
}: TrainingResult): string {
  const losses =
    firstLoss === null || lastLoss === null ? "" : `; loss ${digits(firstLoss)} at first, ${digits(lastLoss)} at last`;
  const pace = `${digits(stepsPerSecond)} a second, ${percent(waitingForData)} of the time waiting for pictures`;
  const lines = [`${steps} steps (${epochs} epochs), ${pace}${losses}`];
  if (ranks !== undefined && slowest) {
    const exchanges = syncEvery === 1 ? "gradients each step" : `parameters every ${syncEvery} steps`;
    const rates = `${digits(samplesPerSecond!)} samples a second, ${percent(communication!)} of the time exchanging ${exchanges}`;
    lines.push(`${ranks} ranks: ${rates}; the slowest is rank ${slowest.rank} on ${slowest.host}`);
  }
  if (interrupted) {
    const saved = checkpoint === null ? "nothing could be saved" : `${checkpoint}: --resume goes on from it`;
    return [...lines, `stopped early: ${saved}`].join("\n");
  }
  if (stopped) lines.push(`stopped: ${stopped}`);
  if (validation) lines.push(`on people held out: ${inWords(validation)}`);
  return [...lines, `${checkpoint!}: ${keptInWords(kept!)}`].join("\n");
}

function keptInWords({ which, step, auc }: NonNullable<TrainingResult["kept"]>): string {
  const evaluated = auc === null ? "" : `, of AUC ${digits(auc)} on people held out when it was judged on the way`;
  return `the ${which} state, of step ${step}${evaluated}`;
}

function inWords(figures: Readonly<Record<string, number>>): string {
  const { accuracy, auc, eer, threshold, hter, apcer, bpcer } = figures;
  const first =
    hter === undefined
      ? `accuracy ${percent(accuracy)}`
      : `HTER ${percent(hter)} (APCER ${percent(apcer)}, BPCER ${percent(bpcer)})`;
  return `${first}, AUC ${digits(auc)}, EER ${percent(eer)}, threshold ${digits(threshold)}`;
}

/** Its names are completed; the settings' own rules say what is wrong with another. */
function presetOption(): Option {
  const option = new Option("--preset <name>", `a named configuration: ${presetNames.join(", ")}; see below`);
  option.argChoices = [...presetNames];
  return option;
}

const numbers = (text: string) => list(text).map(number);
