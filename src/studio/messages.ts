// All messages between the page and the worker. The page sends `Requests`, and the worker answers them. The worker
// sends its `State` in slices whenever one has changed. There are no other messages; see docs/studio.md. Those of one tab
// lie in its folder.
import type { DataRequests, DataState } from "./tabs/data/messages.ts";
import type { EvaluateRequests } from "./tabs/evaluate/messages.ts";
import type { GpuRequests } from "./tabs/gpu/messages.ts";
import type { RecognitionState, RecognizeRequests } from "./tabs/recognize/messages.ts";
import type { Evaluation, RunSummary, TrainingState, TrainRequests } from "./tabs/train/messages.ts";

export type * from "./tabs/data/messages.ts";
export type * from "./tabs/evaluate/messages.ts";
export type * from "./tabs/gpu/messages.ts";
export type * from "./tabs/recognize/messages.ts";
export type * from "./tabs/train/messages.ts";

/** The worker's state that the page shows. A slice is sent whole when it has changed. */
export interface State {
  readonly device: DeviceState;
  readonly storage: StorageState;
  readonly activity: Activity | null;
  readonly data: DataState;
  readonly training: TrainingState;
  readonly runs: readonly RunSummary[];
  /** Models imported from files. */
  readonly imported: readonly ImportedModel[];
  readonly recognition: RecognitionState;
}

export type DeviceState =
  | { readonly status: "opening" }
  /** The studio is open in another tab of this origin, which owns the storage until it is closed. */
  | { readonly status: "elsewhere" }
  | { readonly status: "missing" | "failed"; readonly reason: string }
  | {
      readonly status: "ready";
      readonly name: string;
      readonly vendor: string;
      readonly architecture: string;
      /** Whether it computes on the CPU. */
      readonly software: boolean;
    };

export interface StorageState {
  /** Bytes that the studio's origin uses, and its quota; null where the browser does not report them. */
  readonly used: number | null;
  readonly quota: number | null;
  /** Why the last write failed; null after one succeeds. */
  readonly problem: string | null;
  /** What was found damaged since the start, and what became of it: sentences for the user. */
  readonly repaired: readonly string[];
}

/** Work in progress besides training, such as adding pictures or compiling kernels. */
export interface Activity {
  readonly text: string;
  /** Of `total`; has a fraction where a part is partly done. */
  readonly done?: number;
  readonly total?: number;
}

export interface ImportedModel {
  readonly id: string;
  readonly name: string;
}

/** All requests by name; the part before the dot is the folder of the worker.ts that answers. */
export interface Requests extends DataRequests, TrainRequests, EvaluateRequests, RecognizeRequests, GpuRequests {}

export type RequestName = keyof Requests;
export type Input<N extends RequestName> = Requests[N]["in"];
export type Output<N extends RequestName> = Requests[N]["out"];

/** An error in transit: a code of docs/errors.md, or null for an unexpected one. */
export interface Failure {
  readonly code: string | null;
  readonly message: string;
}

export type ToWorker =
  | { readonly kind: "request"; readonly id: number; readonly name: RequestName; readonly input: unknown }
  /** An image that the page rasterized for the worker; null where the browser cannot. */
  | { readonly kind: "raster"; readonly id: number; readonly bitmap: ImageBitmap | null };

export type FromWorker =
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly failure: Failure }
  | { readonly kind: "state"; readonly slices: Partial<State> }
  /** New points of the curve of the run in training: the losses of the steps after `from`. */
  | {
      readonly kind: "points";
      readonly run: string;
      readonly from: number;
      readonly losses: readonly number[];
      readonly evaluations: readonly Evaluation[];
    }
  /** Only a page can rasterize SVG. */
  | { readonly kind: "rasterize"; readonly id: number; readonly svg: string; readonly side: number };

export const initialState: State = {
  device: { status: "opening" },
  storage: { used: null, quota: null, problem: null, repaired: [] },
  activity: null,
  data: { people: [], pictures: 0, refused: [], skipped: 0, tooLittle: "There are no pictures yet.", kept: true },
  training: {
    status: "idle",
    run: null,
    step: 0,
    steps: 0,
    loss: null,
    latest: null,
    stepsPerSecond: null,
    secondsLeft: null,
    memory: null,
    note: null,
  },
  runs: [],
  imported: [],
  recognition: {
    model: null,
    people: [],
    threshold: null,
    liveness: null,
    finder: null,
    wantsFaces: false,
  },
};
