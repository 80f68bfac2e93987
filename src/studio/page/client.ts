// The page's connection to the worker: sends requests, and holds the worker's state as signals.
import { batch, type ReadonlySignal, type Signal, signal } from "@preact/signals";
import {
  type Curve,
  type Failure,
  type FromWorker,
  type Input,
  initialState,
  type Output,
  type RequestName,
  type State,
  type ToWorker,
} from "../messages.ts";
import { rasterize } from "./rasterize.ts";

type Slices = { readonly [K in keyof State]: Signal<State[K]> };

const slices = Object.fromEntries(
  Object.entries(initialState).map(([name, value]) => [name, signal<unknown>(value)]),
) as unknown as Slices;

/** The worker's state: `state.training.value`, and so on. */
export const state: { readonly [K in keyof State]: ReadonlySignal<State[K]> } = slices;

/** Curves by run: those that were requested, and that of the run in training. */
const curves = signal<ReadonlyMap<string, Curve>>(new Map());

/** The last error, for the user; null after it was dismissed. */
export const trouble: Signal<string | null> = signal(null);

/** The worker rejected a request, or failed. */
export class RequestError extends Error {
  constructor(readonly failure: Failure) {
    super(failure.message);
    this.name = "RequestError";
  }
}

const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
let asked = 0;
let worker: Worker | undefined;

/** Starts the worker; earlier requests are sent as soon as it runs. */
export function connect(): void {
  worker = new Worker(new URL("./worker.js", document.baseURI), { type: "module", name: "studio" });
  worker.onmessage = ({ data }: MessageEvent<FromWorker>) => receive(data);
  worker.onerror = (event) => {
    trouble.value = `The studio's worker could not start: ${event.message || "its file could not be loaded"}. Reload the page.`;
  };
  // A browser may keep a page that was left, with its worker, which would keep the storage from other tabs.
  addEventListener("pagehide", () => worker!.terminate());
  addEventListener("pageshow", ({ persisted }) => persisted && location.reload());
}

/** Sends a request. Rejects with a `RequestError` whose message is a sentence for the user. */
export function request<N extends RequestName>(name: N, input: Input<N>): Promise<Output<N>> {
  const id = asked++;
  return new Promise((resolve, reject) => {
    waiting.set(id, { resolve: resolve as (value: unknown) => void, reject });
    send({ kind: "request", id, name, input });
  });
}

/**
 * Sends a request, and shows the user any error: for buttons.
 * @param about what the error is about, such as a file's name
 */
export async function act<N extends RequestName>(
  name: N,
  input: Input<N>,
  about?: string,
): Promise<Output<N> | undefined> {
  try {
    trouble.value = null;
    return await request(name, input);
  } catch (error) {
    trouble.value = `${about === undefined ? "" : `${about}: `}${(error as Error).message}`;
    return undefined;
  }
}

/** The curve of a run as far as it is known; requests it the first time. */
export function curveOf(run: string): Curve | undefined {
  const known = curves.value.get(run);
  if (!known && !asking.has(run)) {
    asking.add(run);
    request("train.curve", { run })
      .then((curve) => {
        curves.value = new Map(curves.value).set(run, curve);
      })
      .catch(() => undefined) // it was deleted in the meantime
      .finally(() => asking.delete(run));
  }
  return known;
}
const asking = new Set<string>();

function send(message: ToWorker, transfer: Transferable[] = []): void {
  worker!.postMessage(message, transfer);
}

function receive(message: FromWorker): void {
  switch (message.kind) {
    case "answer":
      waiting.get(message.id)?.resolve(message.value);
      waiting.delete(message.id);
      return;
    case "failure":
      waiting.get(message.id)?.reject(new RequestError(message.failure));
      waiting.delete(message.id);
      return;
    case "state":
      batch(() => {
        for (const [name, value] of Object.entries(message.slices)) {
          (slices[name as keyof State] as Signal<unknown>).value = value;
        }
      });
      return;
    case "points": {
      const { run, from, losses, evaluations } = message;
      const known = curves.value.get(run);
      if (!known) return; // it is requested whole when it is shown
      if (losses.length > 0 && from > known.losses.length) return void forget(run); // points are missing in between
      const grown = {
        losses: losses.length > 0 ? [...known.losses.slice(0, from), ...losses] : known.losses,
        // A run resumed from a checkpoint repeats the steps after it.
        evaluations: [...known.evaluations.filter(({ step }) => step <= from || losses.length === 0), ...evaluations],
      };
      curves.value = new Map(curves.value).set(run, grown);
      return;
    }
    case "rasterize":
      rasterize(message.svg, message.side).then(
        (bitmap) => send({ kind: "raster", id: message.id, bitmap }, [bitmap]),
        () => send({ kind: "raster", id: message.id, bitmap: null }),
      );
  }
}

/** Drops a run's curve, so that it is requested again: for instance after the run resumes from a checkpoint. */
export function forget(run: string): void {
  const rest = new Map(curves.value);
  rest.delete(run);
  curves.value = rest;
}
