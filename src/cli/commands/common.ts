// What the commands share: how a result is told, how options are read, how a model is opened.

import { access } from "node:fs/promises";
import { type Command, CommanderError, InvalidArgumentError } from "commander";
import {
  type CropOptions,
  type Dataset,
  type Device,
  type ImageSize,
  type LivenessModel,
  type Model,
  NotLiveError,
  type TuningOptions,
  TwingradError,
} from "../../index.ts";
import { boxOf, cropInWords, cropOf } from "../../internal.ts";
import { fileTuningStore, loadLivenessModel, loadModel, openDevice, readPicture } from "../../node/index.ts";
import type { PictureNeeds } from "../options/dataOptions.ts";
import { Progress } from "../progress.ts";

export interface Outcome {
  /** What `--json` prints as the last line of standard output. */
  result: object;
  /** What people read instead. */
  text: string;
  /** The exit status where it is not 0: the work was interrupted. */
  status?: number;
  /** Why the command ends with status 1 although it has a result, which is printed: what it checked is not in order. */
  failure?: string;
}

/** Gives a command `--json` and runs it, telling its outcome in the wanted form. */
export function action<A extends unknown[]>(command: Command, run: (...parameters: A) => Promise<Outcome>): void {
  command.option("--json", "print the result as one JSON object, the last line of standard output");
  command.action(async (...parameters: unknown[]) => {
    const { result, text, status, failure } = await run(...(parameters as A)).catch((error): Outcome => {
      if (error instanceof NotLiveError) return refusal(error);
      if (command.opts().json && !(error instanceof CommanderError)) printError(error);
      throw error;
    });
    process.stdout.write(`${command.opts().json ? JSON.stringify(result) : text}\n`);
    process.exitCode = status;
    if (failure) throw new TwingradError("BAD_INPUT", failure);
  });
}

/** A picture that is refused is a result, of which programs must learn more than from other failures. */
function refusal({ code, message, score, threshold, picture }: NotLiveError): Outcome {
  const result = { refused: "liveness", score, threshold, picture, error: { code, message } };
  return { result, text: "refused", failure: message };
}

/**
 * What `--json` prints as the last line where there is no result: `code` as in docs/errors.md, null for an error that
 * nobody foresaw.
 */
export function printError(error: unknown, code = error instanceof TwingradError ? error.code : null): void {
  process.stdout.write(`${JSON.stringify({ error: { code, message: reason(error).replace(/^error: /, "") } })}\n`);
}

/** An error's message in one line. */
export function reason(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text
    .split(/\s*\n\s*/)
    .filter(Boolean)
    .join("; ");
}

export function note(text: string): void {
  process.stderr.write(`${text}\n`);
}

/** Gives a command `--no-tune`; its flags then hold `tune`. */
export function tunable(command: Command): Command {
  return command.option(
    "--no-tune",
    "choose kernels by rules of thumb; by default those that compute the same are timed once on this adapter, and the table is kept in the user's cache folder",
  );
}

/** How to open a device with these flags. */
export function tuningOf({ tune }: { tune?: boolean }): { tuning?: TuningOptions } {
  if (!tune) return {};
  const onTiming = (open: number) => note(`timing kernels on this adapter, once: ${open} choices (--no-tune skips it)`);
  return { tuning: { store: fileTuningStore(), warn: (text) => note(`twingrad: ${text}`), onTiming } };
}

/** Reads an option that is a whole number of at least `least`. */
export function wholeNumber(least: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (text.trim() === "" || !Number.isSafeInteger(value) || value < least) {
      throw new InvalidArgumentError(`A whole number of at least ${least} was expected.`);
    }
    return value;
  };
}

/** Reads an option that is any number. */
export function number(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("A number was expected.");
  return value;
}

/** Reads an option that is several words between commas. */
export const list = (text: string): string[] => text.split(",");

/** Opens a device and the model, and gives both back when the work is done. */
export async function withModel<T>(path: string, work: (model: Model, device: Device) => Promise<T>): Promise<T> {
  return withLoaded(path, loadModel, work);
}

/** As `withModel`, with a liveness model. */
export async function withLiveness<T>(path: string, work: (model: LivenessModel) => Promise<T>): Promise<T> {
  return withLoaded(path, loadLivenessModel, work);
}

async function withLoaded<M, T>(
  path: string,
  load: (path: string, device: Device) => Promise<M>,
  work: (model: M, device: Device) => Promise<T>,
): Promise<T> {
  // Before the device is opened: a wrong path should be told at once.
  await access(path).catch(() => {
    throw new TwingradError("BAD_INPUT", `${path}: there is no such model`);
  });
  const device = await openDevice();
  try {
    return await work(await load(path, device), device);
  } finally {
    device.dispose();
  }
}

/** Shows how many pictures of the dataset are done while `work` goes through them. */
export async function showing<T>({ items }: Dataset, work: (told: (done: number) => void) => Promise<T>): Promise<T> {
  const progress = new Progress(items.length, 0, "picture");
  try {
    return await work((done) => progress.update(done));
  } finally {
    progress.stop();
  }
}

/** What a model needs of pictures. */
export interface PictureModel {
  readonly imageSize: ImageSize;
  readonly crop?: CropOptions;
}

export const picturesFor = ({ imageSize: size, crop }: PictureModel): PictureNeeds => ({ size, crop });

/**
 * The pictures behind one another, in the model's size and cropped as its training's were; how many have a box is told.
 * @param boxes a table of boxes in place of those that lie beside the pictures.
 */
export async function readPictures(paths: readonly string[], model: PictureModel, boxes?: string): Promise<Uint8Array> {
  const { crop = { mode: "centre" } } = model;
  const found = await Promise.all(paths.map((path) => (crop.mode === "box" ? boxOf(path, boxes) : undefined)));
  const told = cropInWords(crop, found.filter(Boolean).length, paths.length);
  if (told) note(told);
  const pictures = await Promise.all(
    paths.map((path, n) => readPicture(path, model.imageSize, cropOf(found[n], crop))),
  );
  const [height, width, channels] = model.imageSize;
  const stacked = new Uint8Array(pictures.length * height * width * channels);
  for (const [index, picture] of pictures.entries()) stacked.set(picture, index * picture.length);
  return stacked;
}

/** Four significant digits: enough to compare, few enough to read. */
export const digits = (value: number) => Number(value.toPrecision(4)).toString();
export const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
