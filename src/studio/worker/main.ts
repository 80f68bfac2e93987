// The worker: owns the device, the pictures, the runs and the storage, and answers the page's requests.
import { TwingradError } from "../../errors.ts";
import { PageDecoder } from "../../web/decoder.ts";
import type { Failure, FromWorker, ToWorker } from "../messages.ts";
import * as data from "../tabs/data/worker.ts";
import * as train from "../tabs/train/worker.ts";
import type { Context } from "./context.ts";
import { Library } from "./data/library.ts";
import { deviceOwner } from "./device.ts";
import { finishDeletion, storageTrouble } from "./folders.ts";
import { Models } from "./models.ts";
import { Publisher } from "./publisher.ts";
import { tellStorage } from "./storageFigures.ts";
import { Runs } from "./training/runs.ts";
import { Training } from "./training/training.ts";

/** The part of a worker's global scope that is used; TypeScript has the types for pages. */
const scope = globalThis as unknown as {
  onmessage: (event: MessageEvent<ToWorker>) => void;
  postMessage(message: FromWorker, transfer?: Transferable[]): void;
};

type Answer = (input: unknown) => Promise<unknown>;

/** Request handlers by the part of a request's name before the dot; most are loaded on first use. */
const rooms: Readonly<Record<string, () => Promise<{ handlers(context: Context): object }>>> = {
  data: async () => data,
  train: async () => train,
  evaluate: () => import("../tabs/evaluate/worker.ts"),
  recognize: () => import("../tabs/recognize/worker.ts"),
  gpu: () => import("../tabs/gpu/worker.ts"),
};

const publisher = new Publisher((message, transfer) => scope.postMessage(message, transfer));
const rasters = new Map<number, { resolve(bitmap: ImageBitmap): void; reject(error: Error): void }>();
let asked = 0;

const decoder = new PageDecoder({
  createWorker: () => new Worker(new URL("./decoder.js", location.href), { type: "module", name: "decoder" }),
});
const library = new Library(publisher, decoder);
const runs = new Runs(publisher);
const models = new Models(publisher, runs);
const device = deviceOwner(publisher);
const context: Context = {
  publisher,
  device,
  decoder,
  library,
  runs,
  models,
  training: new Training({ publisher, device, library, runs }),
  forgetters: new Set(),
  rasterize(svg, side) {
    const id = asked++;
    return new Promise((resolve, reject) => {
      rasters.set(id, { resolve, reject });
      scope.postMessage({ kind: "rasterize", id, svg, side });
    });
  },
};

const answers = new Map<string, Promise<Record<string, Answer>>>();
function answersOf(room: string): Promise<Record<string, Answer>> {
  let found = answers.get(room);
  if (!found) {
    found = rooms[room]().then(({ handlers }) => handlers(context) as Record<string, Answer>);
    answers.set(room, found);
    found.catch(() => answers.delete(room)); // loading may succeed the next time
  }
  return found;
}

function failureOf(error: unknown): Failure {
  const message = error instanceof Error ? error.message : String(error);
  const notLoaded = error instanceof TypeError && /module/.test(message) && /fetch|import|load/i.test(message);
  return {
    code: error instanceof TwingradError ? error.code : null,
    message: notLoaded
      ? "A part of the studio could not be loaded. Check that its server can be reached, and try again; nothing is lost."
      : message,
  };
}

scope.onmessage = async ({ data: message }) => {
  if (message.kind === "raster") {
    const waiting = rasters.get(message.id);
    rasters.delete(message.id);
    if (message.bitmap) waiting?.resolve(message.bitmap);
    else waiting?.reject(new TwingradError("BAD_INPUT", "This browser could not draw a face."));
    return;
  }
  const { id, name, input } = message;
  try {
    await opened;
    const value = await (await answersOf(name.split(".")[0]))[name](input);
    publisher.flush(); // state changes arrive before the answer
    scope.postMessage({ kind: "answer", id, value });
  } catch (error) {
    publisher.flush();
    scope.postMessage({ kind: "failure", id, failure: failureOf(error) });
  }
};

/** One worker of the origin at a time owns the files; that of another tab waits until this one is closed. */
async function alone(): Promise<void> {
  const waiting = setTimeout(() => publisher.set("device", { status: "elsewhere" }), 1000);
  await new Promise<void>((begin) => {
    navigator.locks.request("twingrad-studio-owner", () => {
      begin();
      return new Promise(() => {}); // holds the lock while the worker lives
    });
  });
  clearTimeout(waiting);
  publisher.set("device", { status: "opening" });
}

async function open(): Promise<void> {
  await alone();
  const trouble = await storageTrouble();
  if (trouble) publisher.set("data", { ...publisher.state.data, kept: trouble });
  else {
    await finishDeletion();
    const damaged = await runs.open();
    await library.open(() => runs.everyPeople());
    await models.open();
    for (const run of damaged) await models.rescue(run);
  }
  await device().catch(() => undefined); // published as state
  await tellStorage(publisher);
  await context.training.takeUp();
  publisher.flush();
}

const opened = open();
opened.catch((error: Error) => {
  publisher.set("device", { status: "failed", reason: error.message });
});
