// A training run: batches, steps in flight, checkpoints, and an evaluated model at the end.

import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  type Checkpoints,
  type Communicator,
  type Dataset,
  type Device,
  type Item,
  type Recovered,
  type SamplerState,
  Saver,
  Trainer,
  TwingradError,
} from "../../index.ts";
import {
  isUnfinished,
  markFinished,
  markUnfinished,
  modelFile,
  nothingSelected,
  openSaved,
  type SavedModel,
  type Selection,
  splitGroups,
  type TowerAlignment,
  withMetadata,
} from "../../internal.ts";
import { saveModel } from "../../node/index.ts";
import type { InitialModel } from "../options/initialModel.ts";
import { optimizerOf } from "../options/optimizerSettings.ts";
import { imageSizeOf, picturesOf } from "../options/pictureSettings.ts";
import { checkRest, planned, ratesOf } from "../options/scheduleSettings.ts";
import { foldOf, type ResolvedSettings } from "../options/settingsSchema.ts";
import { digits, note, percent } from "../outcome.ts";
import { Progress } from "../progress.ts";
import { fittedAlignment } from "./fittedAlignment.ts";
import { TrainingLog } from "./log/log.ts";
import type { Ranks } from "./ranks.ts";
import { checkpointsIn, clearAfterKill, clearForNewRun, type SavedRun } from "./resume.ts";
import {
  type DataFingerprint,
  identityMetadata,
  newRun,
  type RunIdentity,
  runIdentity,
  withoutIdentity,
} from "./runIdentity.ts";
import { keptMetadata, keptOf, progressMetadata, recordOf, runState } from "./runRecord.ts";
import type { TrainingTask } from "./tasks/task.ts";
import { type LoopResult, trainingLoop } from "./trainingLoop.ts";

/** The results that only a distributed run has. */
export interface DistributedResult {
  ranks: number;
  /** Steps between exchanges. */
  syncEvery: number;
  /** The share of the time that ranks waited for exchanges, averaged over ranks. */
  communication: number;
  /** Pairs, triplets or pictures a second of all ranks. */
  samplesPerSecond: number;
  /** The rank for which the others waited. */
  slowest: { rank: number; host: string };
}

export interface TrainingResult extends Partial<DistributedResult> {
  steps: number;
  /** Completed epochs. */
  epochs: number;
  /** Losses of the run's first step, before any resume, and of its last; null before the first step. */
  firstLoss: number | null;
  lastLoss: number | null;
  /** The task's metrics on held-out identities; null without any. */
  validation: Readonly<Record<string, number>> | null;
  stepsPerSecond: number;
  /** Share of the time that steps waited for data. */
  waitingForData: number;
  /** The model; after an interruption the checkpoint to resume from, or null if none could be saved. */
  checkpoint: string | null;
  interrupted?: true;
  /** The reason of early stopping; null without. */
  stopped: string | null;
  /** Which state the model is, with its AUC on a sample of the held-out identities; null after an interruption. */
  kept: { which: "best" | "last"; step: number; auc: number | null } | null;
}

/** Splits the dataset as a run with these settings does. */
export function divide<I extends Item>(
  task: TrainingTask<I>,
  dataset: Dataset<I>,
  settings: Pick<ResolvedSettings, "validation" | "fold" | "groupBy" | "holdOutGroups" | "seed">,
) {
  const { validation, fold, groupBy, holdOutGroups, seed } = settings;
  if (validation === 0) return { training: dataset, heldOut: undefined };
  try {
    const split = { fraction: validation, fold: fold === undefined ? undefined : foldOf(fold), seed };
    if (groupBy !== undefined) return splitGroups(dataset, split);
    return task.divide(dataset, { ...split, wholeGroups: holdOutGroups });
  } catch (error) {
    const { code, message } = error as TwingradError;
    throw new TwingradError(code, `${message}; use --validation 0 to hold out no identities`, { cause: error });
  }
}

export interface RunOptions {
  /** Output folder for the model, its checkpoints and its log. */
  readonly folder: string;
  /** The run to resume. */
  readonly resume?: SavedRun;
  /** The initial model of a new run. */
  readonly initial?: InitialModel;
  /** The data's digests, for the next resume. */
  readonly data?: DataFingerprint;
  /** Prints a line for the user. */
  readonly warn: (text: string) => void;
  /** Ends the run early, with a checkpoint to resume from. */
  readonly signal?: AbortSignal;
  /** The processes that train together; rank 0 alone writes. */
  readonly ranks?: Ranks;
}

/** Trains on `dataset` and leaves `model.safetensors` in `folder`, with the run's checkpoints and its log. */
export async function train<I extends Item>(
  device: Device,
  task: TrainingTask<I>,
  dataset: Dataset<I>,
  given: ResolvedSettings,
  { folder, resume, initial, data, warn, signal, ranks }: RunOptions,
): Promise<TrainingResult> {
  const { decoded } = picturesOf(given);
  const { training, heldOut } = divide(task, dataset, given);
  const saved = resume ? (await openSaved(resume.bytes)).description : initial?.description;
  const known = saved?.pictures?.alignment;
  const alignment =
    given.align &&
    (known && `${known.towers}` === `${given.align}`
      ? known
      : { ...(await fittedAlignment(training, decoded)), towers: given.align });
  const {
    stream,
    batchSize,
    perEpoch,
    steps: stepsIn,
  } = task.batches(training, decoded, given, warn, alignment, ranks?.communicator);
  const { steps: lastStep = Number.POSITIVE_INFINITY, epochs = Number.POSITIVE_INFINITY } = given;
  const allSteps = Math.min(lastStep, stepsIn(epochs));
  const settings = planned(given, Math.max(1, allSteps));
  const rates = ratesOf(settings);
  if (resume) stream.restore(resume.stream as SamplerState);
  const onRecovery = (recovered: Recovered) => tell(describeRecovery(recovered));
  let refused = false;
  const init = resume ? undefined : initial?.bytes;
  const compiling = trainerOf(device, task, settings, {
    batchSize,
    learningRate: rates,
    alignment,
    init,
    onRecovery,
    communicator: ranks?.communicator,
  });
  compiling.catch(() => {
    refused = true;
  });
  await nextTurn(); // a network that does not fit the adapter has failed by then: decode no batch for it
  if (!refused) stream.begin(); // pictures are decoded while the network is compiled
  const trainer = await compiling;
  if (resume) await trainer.load(resume.bytes);
  const before = trainer.steps;
  if (before > 0 && before < allSteps) checkRest(rates, before + 1);
  const writes = ranks?.first ?? true;
  const begun = performance.now();
  const throughput = (perSecond: number) => {
    const share = trainer.distribution!.seconds / ((performance.now() - begun) / 1000);
    return `, ${digits(perSecond * batchSize * ranks!.size)} samples/s of ${ranks!.size} ranks, ${percent(share)} exchanging`;
  };
  const progress = new Progress(allSteps, before, "step", ranks && throughput);
  const tell = (text: string) => progress.above(() => warn(text));
  const run: RunIdentity = { ...(resume?.run ?? newRun()), data: data ?? resume?.run?.data };
  // Files of earlier versions have no identity: a run that resumes from one counts such files as its own.
  const isOwn = ({ file }: SavedModel) => (runIdentity(file)?.id ?? (resume && !resume.run && run.id)) === run.id;
  const checkpoints = checkpointsIn(folder, { keep: settings.keepCheckpoints, isOwn });
  const log = writes ? await TrainingLog.open(folder, before, tell) : TrainingLog.none();
  const record = recordOf(settings, dataset, training);
  const evaluate = (bytes: Uint8Array, people: Dataset<I>, quick: boolean) =>
    trainer.withDevice((present) =>
      task.evaluate(present, bytes, people, {
        seed: settings.seed,
        quick,
        training: settings.groupBy === undefined ? undefined : training,
      }),
    );
  const some = heldOut && task.some(heldOut);
  const evaluateSome = some && ((bytes: Uint8Array) => evaluate(bytes, some, true));
  const saver = new Saver(checkpoints, { every: settings.checkpointEvery, warn: tell });
  let ran: LoopResult;
  // A new run owns the folder from here on; a resumed run may turn out to be finished.
  if (!resume && writes) {
    await markUnfinished(folder, tell);
    await clearForNewRun(folder, warn);
  }
  if (writes) await clearAfterKill(folder);
  try {
    const identity = identityMetadata(run);
    const beforeSteps = async () => {
      if (resume && writes) await markUnfinished(folder, tell);
    };
    const parts = {
      trainer,
      stream,
      record,
      identity,
      beforeSteps,
      begun: resume?.progress,
      saver,
      log,
      learningRate: rates,
      evaluate: evaluateSome,
      signal,
      ranks,
    };
    ran = await trainingLoop(parts, progress);
  } finally {
    progress.stop();
    await log.close();
  }
  const { taken, epochs: completed, firstLoss, lastLoss, stepsPerSecond, waitingForData, selection } = ran;
  const steps = before + taken;
  if (steps === 0 && !ran.interrupted) {
    throw new TwingradError(
      "BAD_INPUT",
      `${epochs} epochs of about ${perEpoch.toFixed(1)} ${task.examples} do not fill a batch of ${batchSize}; reduce --batch-size or add data`,
    );
  }
  const stopped = ran.stoppedEarly ? whyStopped(selection) : null;
  const figures = ranks && (await distributedResult(ranks, trainer, ran, batchSize, warn));
  const losses = { firstLoss, lastLoss };
  const result = { steps, epochs: completed, ...losses, stepsPerSecond, waitingForData, stopped, ...figures };
  if (!writes) {
    const interrupted = ran.interrupted && { interrupted: true as const };
    return { ...result, validation: null, checkpoint: null, kept: null, ...interrupted };
  }
  if (ran.interrupted) {
    const last = (await checkpoints.list())[0]?.name;
    const checkpoint = last === undefined ? null : join(checkpoints.folder.path, last);
    return { ...result, validation: null, checkpoint, kept: null, interrupted: true };
  }
  const checkpoint = join(folder, modelFile);
  if (
    taken === 0 &&
    !(await isUnfinished(folder)) &&
    (await isEvaluated(checkpoint, steps, task.operatingPointKey, warn))
  ) {
    const more = stopped ? `, and ${stopped}; increase --patience` : "; increase --steps or --epochs";
    throw new TwingradError("BAD_INPUT", `the run to resume is finished: it has made ${before} steps${more}`);
  }
  if (!heldOut) warn("no identities are held out: the threshold is set on training identities, and may be too strict");
  const last = { bytes: await trainer.save(ran.metadata), step: steps };
  const best =
    heldOut && settings.keep !== "last" ? await bestState(checkpoints, isOwn, selection, last, warn) : undefined;
  const { bytes: state, step } = best ?? last;
  const { finish } = task;
  const evaluated = heldOut ?? training;
  note(`all steps done; evaluating ${evaluated.items.length} ${heldOut ? "held-out" : "training"} pictures`);
  const bytes = finish ? await trainer.withDevice((present) => finish(present, state, training, settings)) : state;
  const verdict = await evaluate(bytes, evaluated, !heldOut);
  const which = best ? "best" : "last";
  // A run resumed from the model has no checkpoints, so the best one of this run no longer counts.
  const { progress: made } = runState((await openSaved(bytes)).file);
  const metadata = {
    ...progressMetadata({ ...made, selection: nothingSelected }),
    ...keptMetadata({ which, step, of: steps }),
    ...withoutIdentity,
  };
  const sealed = await verdict.sealed(bytes);
  await saveModel(checkpoint, await withMetadata(sealed, metadata));
  await markFinished(folder);
  const auc = selection.best?.step === step ? selection.best.auc : null;
  return { ...result, validation: heldOut ? verdict.figures : null, checkpoint, kept: { which, step, auc } };
}

async function distributedResult(
  ranks: Ranks,
  trainer: Trainer,
  { communication, stepsPerSecond }: LoopResult,
  batchSize: number,
  warn: (text: string) => void,
): Promise<DistributedResult> {
  const state = createHash("sha256")
    .update(await trainer.save())
    .digest("hex");
  const all = await ranks.gather({ communication, state, host: ranks.communicator.host });
  const other = all.findIndex((one) => one.state !== all[0].state);
  if (other > 0) {
    const what = `the parameters of rank ${other} on ${all[other].host} differ from rank 0's`;
    warn(`${what}: its adapter rounds differently; the model is rank 0's`);
  }
  // The others wait for the slowest rank, so it waits least.
  const rank = all.reduce((least, one, i) => (one.communication < all[least].communication ? i : least), 0);
  return {
    ranks: ranks.size,
    syncEvery: trainer.distribution!.syncEvery,
    communication: all.reduce((sum, one) => sum + one.communication, 0) / ranks.size,
    samplesPerSecond: stepsPerSecond * batchSize * ranks.size,
    slowest: { rank, host: all[rank].host },
  };
}

interface State {
  readonly bytes: Uint8Array;
  readonly step: number;
}

/** The best state on held-out identities; undefined, with a warning, if it can no longer be read. */
async function bestState(
  checkpoints: Checkpoints,
  isOwn: (saved: SavedModel) => boolean,
  { best }: Selection,
  last: State,
  warn: (text: string) => void,
): Promise<State | undefined> {
  if (best === undefined || best.step === last.step) return last;
  let reason = "file not found";
  for (const { name, step, auc } of await checkpoints.list()) {
    if (step !== best.step || auc === undefined) continue;
    try {
      const bytes = await checkpoints.folder.read(name);
      if (isOwn(await openSaved(bytes))) return { bytes, step };
      reason = `${name} belongs to another run`;
    } catch (error) {
      reason = (error as Error).message;
    }
  }
  warn(`the best checkpoint, step ${best.step}, cannot be read (${reason}): using the last state instead`);
  return undefined;
}

function whyStopped({ best, since }: Selection): string {
  return `no better AUC on held-out identities in ${since} evaluations than ${best?.auc}, at step ${best?.step}`;
}

/** Creates the trainer for the settings. */
function trainerOf<I extends Item>(
  device: Device,
  task: TrainingTask<I>,
  settings: ResolvedSettings,
  {
    batchSize,
    learningRate,
    alignment,
    init,
    onRecovery,
    communicator,
  }: {
    readonly batchSize: number;
    readonly learningRate: (step: number) => number;
    readonly alignment: TowerAlignment | undefined;
    readonly init: Uint8Array | undefined;
    readonly onRecovery: (recovered: Recovered) => void;
    readonly communicator: Communicator | undefined;
  },
): Promise<Trainer> {
  const { filters, embedding, embeddingActivation, batchNormEpsilon, batchNormMomentum, towers, seed } = settings;
  const { patch, differences, recoveryEvery: every } = settings;
  const imageSize = imageSizeOf(settings);
  const normalization = { batchNormEpsilon, batchNormMomentum };
  const layers = { filters, patch, differences, embedding, embeddingActivation, ...normalization, towers };
  const network = task.network({ imageSize, ...layers, seed });
  const { loss, mining, margin, temperature, l2, resize, standardize, views, storage, recompute, debugNumerics } =
    settings;
  const { sourceSize, crop, augmentation } = picturesOf(settings);
  return Trainer.create(device, network, {
    batchSize,
    loss,
    mining,
    margin,
    temperature,
    l2,
    optimizer: optimizerOf(settings, learningRate),
    sourceSize,
    resize,
    standardize,
    crop,
    alignment,
    views,
    augmentation,
    storage,
    recompute,
    init,
    freeze: settings.freeze,
    recovery: { every, losses: settings.recoveryLosses, onRecovery },
    debugNumerics,
    communicator,
    syncEvery: settings.syncEvery === "auto" ? 1 : settings.syncEvery,
    outerMomentum: settings.outerMomentum === undefined ? undefined : { momentum: settings.outerMomentum },
    overlap: settings.overlap,
  });
}

function describeRecovery({ reason, from, to, exact }: Recovered): string {
  const same = exact ? "with the same losses" : "with different losses: the new adapter rounds differently";
  return `the GPU device was lost (${reason.replace(/\.$/, "")}); training continues on another: restored step ${from}, repeated up to step ${to}, ${same}`;
}

/** Whether a run's model is finished: at this step, with a threshold. A damaged one is not. */
async function isEvaluated(
  path: string,
  step: number,
  operatingPointKey: string,
  warn: (text: string) => void,
): Promise<boolean> {
  const bytes = await readFile(path).catch(() => undefined);
  if (!bytes) return false;
  try {
    const { file, description } = await openSaved(bytes);
    return (keptOf(file)?.of ?? description.step) === step && file.metadata[operatingPointKey] !== undefined;
  } catch (error) {
    warn(`${path} is written again from the checkpoint: ${(error as Error).message}`);
    return false;
  }
}
