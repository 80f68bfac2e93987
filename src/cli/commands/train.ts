// twingrad train: trains a model on a folder of pictures.

import { type Command, Option } from "commander";
import { augmentationPresets, type Item, TwingradError } from "../../index.ts";
import { comparesAll } from "../../internal.ts";
import { openDevice } from "../../node/index.ts";
import { interruptible, statusOf } from "../interrupt.ts";
import {
  addDataOptions,
  type DataFlags,
  dataHelp,
  groupByHelp,
  groupedBy,
  splitDataFlags,
} from "../options/dataOptions.ts";
import { type InitialModel, notKept, readInitialModel, settingsOfModel } from "../options/initialModel.ts";
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
import { acceptFormerNames, groupOptions } from "../options/trainGroups.ts";
import { tunable, tuningOf } from "../options/tuneOption.ts";
import { imageSize, list, number } from "../options/values.ts";
import { action, note, warn } from "../outcome.ts";
import { compareData, type DataCheck, dataChecks, dataFingerprint } from "../run/dataFingerprint.ts";
import { Ranks, refuseAlone, refuseExact } from "../run/ranks.ts";
import { resultInWords } from "../run/resultInWords.ts";
import { checkData, exists, kernelsOf, type SavedRun, savedRun, sharedRun } from "../run/resume.ts";
import { inRunFolder } from "../run/runFolder.ts";
import { peopleDigest } from "../run/runRecord.ts";
import { liveness } from "../run/tasks/livenessTask.ts";
import { recognition } from "../run/tasks/recognitionTask.ts";
import type { TrainingTask } from "../run/tasks/task.ts";
import { train } from "../run/training.ts";

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
      "Trains a network on pictures of people: a folder with one subfolder for each person (JPEG, PNG, WebP, PGM, PPM), or TFRecord files.",
    )
    .argument(
      "<data...>",
      `${dataHelp}; for --task liveness: live/PERSON/... and spoof/PERSON/..., or records with the label live (1) or spoof (0) and the person as name`,
    )
    .requiredOption("--out <folder>", "output folder for model.safetensors, checkpoints and log.csv")
    .addOption(presetOption())
    .option(
      "--task <name>",
      `what to learn: recognition of people, or liveness, to detect presentation attacks ${by(defaults.task)}`,
    )
    .option(
      "--image-size <size>",
      `height and width of the network's input, e.g. 56 or 112x92 ${by(defaults.imageSize)}`,
      imageSize,
    )
    .option(
      "--source-size <size>",
      "height and width of decoded pictures, which the GPU resizes to --image-size (default: --image-size)",
      imageSize,
    )
    .option(
      "--resize <method>",
      `how --source-size is resized to --image-size: area (area averaging) or tf1 (bilinear, compatible with TensorFlow 1's resize_images) ${by(defaults.resize)}`,
    )
    .option(
      "--crop <part>",
      `how pictures are cropped: centre, the largest center crop; box, around an annotated box (see --boxes and --box-feature); face, the largest detected face, aligned by its landmarks ${by("centre")}`,
    )
    .option(
      "--crop-margin <share>",
      `margin around a box or face on every side, as a share of its side ${by(0)}`,
      number,
    )
    .option(
      "--standardize",
      "normalize each picture's channels to mean 0 and variance 1, (x - mean) / sqrt(variance + 1e-5) with x in [0, 1], for invariance to light and tint",
    )
    .option(
      "--align <list>",
      "kinds of towers, e.g. edges,histograms, whose input is aligned: shifted and scaled so that its edges match those of the mean training face",
      list,
    )
    .option(
      "--views <list>",
      "test-time augmentation: average the embedding over views of a picture: mirror (original and mirrored), move (original, slightly larger, smaller and shifted in four directions), zoom (original, larger and smaller); or several, e.g. mirror,move",
      list,
    )
    .option("--channels <count>", `1 for gray, 3 for color ${by(defaults.channels)}`, number)
    .option(
      "--patch <side>",
      "for liveness: side in pixels of full-resolution patches: a random one of each picture in training, a grid in evaluation",
      number,
    )
    .option(
      "--differences <theta>",
      "central difference convolution: share of each filter's sum subtracted at its center; 1 sees only differences between pixels, 0 is plain convolution",
      number,
    )
    .option("--filters <list>", `number of filters of each block ${by(defaults.filters)}`, numbers)
    .option("--embedding <length>", `length of an embedding ${by(defaults.embedding)}`, number);
  command
    .option(
      "--init <model>",
      "initialize from the weights of this model, trained or imported; its network is used, and by default its loss and preprocessing",
    )
    .option(
      "--freeze <layers>",
      "freeze weights of --init: a number of first blocks, or a list such as tower/block1,tower/dense",
      (text) => (/^\d+$/.test(text) ? Number(text) : list(text)),
    );
  addLossOptions(command);
  command
    .option("--clip-norm <norm>", "clip the global norm of the gradients to this", number)
    .option(
      "--storage <dtype>",
      `type of the activations stored for the backward pass: float16 halves their GPU memory and rounds them to 11 bits ${by("float32")}`,
    )
    .option("--recompute", "recompute the first block's activations in the backward pass: less memory, slightly slower")
    .option(
      "--batch-size <pairs>",
      `pairs or triplets in a batch; pictures, for liveness and for losses that compare all pictures of a batch ${by(defaults.batchSize)}`,
      number,
    )
    .option("--epochs <count>", `number of epochs ${by(`${defaults.epochs}, or as many as --steps needs`)}`, number)
    .option("--steps <count>", "stop after this many steps, including those of a resumed run", number)
    .option("--seed <number>", `seed of weights, split, pairs and augmentation ${by(defaults.seed)}`, number)
    .option(
      "--balanced",
      "draw genuine and impostor pairs equally often, uniformly over identities (default, unless a probability is given)",
    )
    .option(
      "--same-probability <p>",
      `rejection-sample pairs from two shuffled streams: keep a genuine pair with this probability ${by(defaults.sameProbability)}`,
      number,
    )
    .option(
      "--different-probability <p>",
      "keep an impostor pair with this probability (default: the one that balances both kinds)",
      number,
    )
    .option(
      "--shuffle-buffer <pictures>",
      `size of the shuffle buffer of each stream ${by(defaults.shuffleBuffer)}`,
      number,
    )
    .option("--prefetch <batches>", `batches decoded ahead of the current step ${by(defaults.prefetch)}`, number)
    .option(
      "--image-cache <MiB>",
      `memory for decoded pictures, so that later epochs decode less; 0 disables the cache ${by(defaults.imageCache)}`,
      number,
    )
    .option(
      "--augment",
      'randomly mirror, rotate, scale, shift and brighten pictures; in --config, "augment" is true, a ' +
        `preset (${Object.keys(augmentationPresets).join(", ")}), or an object of ranges`,
    )
    .option("--augment-preset <name>", "augment with this preset: light, standard or strong")
    .option(
      "--validation <share>",
      `share of the identities held out of training for evaluation; 0 holds out none ${by(defaults.validation)}`,
      number,
    )
    .option(
      "--fold <part>",
      "cross-validation instead of --validation: hold out fold 3 of 8 as 3/8; the runs 1/8 to 8/8 evaluate every identity once",
    )
    .option(
      "--group-by <regex>",
      `with --fold or --validation: hold out whole groups of pictures, such as recording sessions; ${groupByHelp}`,
    )
    .option(
      "--hold-out-groups",
      "hold out whole folders of identities, such as the alphabets of ALPHABET/CHARACTER/drawing.png, instead of single identities",
    )
    .option(
      "--rotated-identities",
      "also train on each identity rotated by 90, 180 and 270 degrees as three further identities: for characters, not faces",
    )
    .option(
      "--checkpoint-every <steps>",
      `steps between checkpoints, each with an evaluation ${by(defaults.checkpointEvery)}`,
      number,
    )
    .option(
      "--patience <evaluations>",
      "early stopping: stop after this many evaluations in a row without a better AUC on held-out identities",
      number,
    )
    .option(
      "--keep <which>",
      "final model: best (highest AUC on held-out identities) or last (default: best if identities are held out)",
    )
    .option(
      "--keep-checkpoints <count>",
      `number of newest checkpoints to keep, in addition to the best ${by(defaults.keepCheckpoints)}`,
      number,
    )
    .option(
      "--recovery-every <steps>",
      `steps between in-memory snapshots to recover from a lost GPU device ${by(100)}`,
      number,
    )
    .option(
      "--recovery-losses <count>",
      `give up after this many GPU losses without a completed step in between ${by(3)}`,
      number,
    )
    .option(
      "--debug-numerics",
      "replay a step with a non-finite loss or gradient, and name the tensor that became non-finite first",
    )
    .option("--resume", "resume from the newest checkpoint in --out, with its settings")
    .addOption(
      new Option(
        "--check-data <how>",
        "how --resume detects changed data: times (names, sizes and times of the files), or contents (also reads every picture at the start)",
      )
        .choices(dataChecks)
        .default("times"),
    )
    .option(
      "--config <file>",
      "JSON file with any of these settings (imageSize, learningRate, ...); options take precedence",
    );

  command
    .option(
      "--device <names>",
      "the GPU to train on, by a part of its name (see twingrad devices); of several, as A100,RTX, each process of a machine takes the next one",
      list,
    )
    .option(
      "--distributed",
      "train with the other processes that an MPI launcher started, as mpirun -n 4 twingrad train ...: each takes --batch-size of every batch",
    )
    .option(
      "--sync-every <steps>",
      "with --distributed: 1 averages the gradients in each step; N lets each process step alone and averages the parameters every N steps; auto starts with 1 and chooses N from the measured cost of ten exchanges (default: 1)",
      (text: string) => (text === "auto" ? text : number(text)),
    )
    .option(
      "--outer-momentum <share>",
      "with --sync-every above 1: Nesterov momentum of the averaged parameters, as 0.9 (DiLoCo)",
      number,
    )
    .option(
      "--overlap",
      "with --sync-every N above 1: exchange the parameters while the next N steps are computed, and apply their average after those",
    );
  command.addHelpText("after", `\nPresets (--preset; any given option takes precedence):\n${presetsInWords()}`);
  action(groupOptions(acceptFormerNames(addDataOptions(tunable(command)))), async (data: string[], flags: Flags) => {
    try {
      const ranks = flags.distributed ? await Ranks.open() : undefined;
      const { result, status } = await run(data, flags, ranks);
      const silent = ranks && !ranks.first;
      return {
        result,
        text: silent ? "" : resultInWords(result),
        // Another rank may have got the signal.
        status: result.interrupted && (status ?? statusOf("SIGINT")),
        silent,
        afterwards: () => ranks?.close(),
      };
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
  const given = { ...file, ...flags };
  const path = given.init;
  const initial = path === undefined ? undefined : await readInitialModel(path);
  if (initial) given.init = initial.fingerprint;
  let settings = resolveSettings(initial ? settingsOfModel(initial, given) : {}, given);
  if (ranks) {
    await ranks.expectSame({ out, resume: resume === true, ...settings });
    if (!resume) refuseExact(settings);
  } else refuseAlone(settings);
  const writes = ranks?.first ?? true;
  if (settings.preset && !resume && writes)
    note(`--preset ${settings.preset}: ${JSON.stringify(presetSettings(settings.preset, given))}`);
  if (resume && writes && !(await exists(out)))
    throw new TwingradError("BAD_INPUT", `${out}: there is no model to resume`);
  const alone = <T>(work: () => Promise<T>) => (writes ? inRunFolder(out, warn, work) : work());
  return alone(async () => {
    const saved = !resume ? undefined : ranks ? await sharedRun(ranks, out, warn) : await savedRun(out, warn);
    if (saved) settings = resumeSettings(saved.record.settings, given);
    else if (resume) warn(`${out}: no checkpoint found; starting from step 0`);
    if (initial && !saved && writes) {
      note(`initializing from the weights of ${path}: ${inNetworkWords(settings)}`);
      for (const [option, what] of notKept(initial, settings)) {
        note(`without the model's ${what}, which belongs to its embeddings: ${option} computes one for the new ones`);
      }
    }
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
  if (ranks && ranks.size > 1 && comparesAll(settings)) {
    note(`--loss ${settings.loss}: each process compares the pictures of its own batches, and not those of the others`);
  }
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

/** `argChoices` is for completion only: the settings schema validates the value, with a better message. */
function presetOption(): Option {
  const option = new Option("--preset <name>", `named configuration: ${presetNames.join(", ")}; see below`);
  option.argChoices = [...presetNames];
  return option;
}

const numbers = (text: string) => list(text).map(number);
