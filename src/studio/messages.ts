// Every message between the page and the worker. The page asks (`Requests`), the worker answers, and tells its state in slices
// (`State`) whenever one has changed. Nothing else passes between them; see docs/studio.md.

/** What the worker knows and the page shows. A slice is sent whole when it has changed. */
export interface State {
  readonly device: DeviceState;
  readonly storage: StorageState;
  readonly activity: Activity | null;
  readonly data: DataState;
  readonly training: TrainingState;
  readonly runs: readonly RunSummary[];
}

export type DeviceState =
  | { readonly status: "opening" }
  /** Another tab of this origin has the studio open: it owns the storage until it is closed. */
  | { readonly status: "elsewhere" }
  | { readonly status: "missing" | "failed"; readonly reason: string }
  | {
      readonly status: "ready";
      readonly name: string;
      readonly vendor: string;
      readonly architecture: string;
      /** Computes on the CPU. */
      readonly software: boolean;
    };

export interface StorageState {
  /** Bytes that the studio's origin uses, and those that the browser grants it; null where it does not tell. */
  readonly used: number | null;
  readonly quota: number | null;
  /** Why the last write failed; null once one works again. */
  readonly problem: string | null;
}

/** What is under way beside training: pictures that are added, kernels that are compiled. */
export interface Activity {
  readonly text: string;
  readonly done?: number;
  readonly total?: number;
}

export interface DataState {
  readonly people: readonly PersonSummary[];
  readonly pictures: number;
  /** What was not taken, newest first, and why. */
  readonly refused: readonly RefusedPicture[];
  /** Why these pictures cannot be trained on yet; null when they can. */
  readonly tooLittle: string | null;
  /** Whether what is added stays after a reload; else why not. */
  readonly kept: true | string;
}

export interface PersonSummary {
  readonly id: string;
  readonly name: string;
  readonly pictures: number;
  readonly heldOut: boolean;
  /** Ids of the first few pictures. */
  readonly covers: readonly string[];
  readonly problem: string | null;
}

export interface RefusedPicture {
  readonly id: string;
  readonly person: string;
  readonly name: string;
  readonly why: "unreadable" | "duplicate" | "name" | "storage";
  readonly reason: string;
}

export interface PictureSummary {
  readonly id: string;
  readonly name: string;
}

/** Files that were dropped or picked, by the person whom their folder names. */
export interface PictureEntry {
  readonly person: string;
  readonly name: string;
  readonly file: Blob;
}

export interface Added {
  readonly added: number;
  readonly refused: number;
}

export type LossName = "supervised-contrastive" | "triplet" | "contrastive" | "cross-entropy";
export type AugmentationName = "none" | "light" | "standard" | "strong";

export interface RunSettings {
  /** Side of a picture in pixels. */
  readonly imageSize: number;
  readonly channels: 1 | 3;
  readonly filters: readonly number[];
  readonly embedding: number;
  readonly steps: number;
  readonly augmentation: AugmentationName;
  readonly loss: LossName;
  /** Identities in a batch and pictures of each; losses on pairs take half as many pairs as these are pictures. */
  readonly peoplePerBatch: number;
  readonly picturesPerPerson: number;
  readonly learningRate: number;
  readonly warmUp: number;
  readonly schedule: "cosine" | "constant";
  readonly optimizer: "adam" | "adamw";
  readonly l2: number;
  /** Steps between evaluations on the held-out identities, each with a checkpoint. */
  readonly evaluateEvery: number;
  readonly seed: number;
}

export interface Evaluation {
  readonly step: number;
  readonly auc: number;
  readonly eer: number;
}

export type RunStatus = "training" | "paused" | "trained" | "stopped" | "failed";

export interface RunSummary {
  readonly id: string;
  readonly name: string;
  /** Milliseconds since 1970. */
  readonly created: number;
  readonly status: RunStatus;
  readonly step: number;
  readonly settings: RunSettings;
  readonly people: number;
  readonly heldOut: number;
  readonly pictures: number;
  readonly adapter: string;
  readonly lastLoss: number | null;
  readonly latest: Evaluation | null;
  readonly best: Evaluation | null;
  /** Whether it has a model to evaluate and recognize with. */
  readonly hasModel: boolean;
}

/** `state` is `document.documentElement.dataset.state` while nothing is loading. */
export interface TrainingState {
  readonly status: "idle" | "starting" | "training" | "pausing" | "paused" | "finishing" | "trained" | "failed";
  /** The run that `status` is of. */
  readonly run: string | null;
  readonly step: number;
  readonly steps: number;
  readonly loss: number | null;
  readonly latest: Evaluation | null;
  readonly stepsPerSecond: number | null;
  readonly secondsLeft: number | null;
  /** Planned bytes of GPU memory. */
  readonly memory: number | null;
  /** Why it failed, or what the user should know: a GPU that was lost and opened again, a checkpoint that was not kept. */
  readonly note: string | null;
}

/** A run's curves: the loss of every step from the first, and the evaluations. */
export interface Curve {
  readonly losses: readonly number[];
  readonly evaluations: readonly Evaluation[];
}

interface Request<In, Out> {
  readonly in: In;
  readonly out: Out;
}

export interface DataRequests {
  /** Makes drawn people, as many pictures of each. */
  "data.draw": Request<{ people: number; pictures: number }, Added>;
  "data.add": Request<{ entries: readonly PictureEntry[] }, Added>;
  "data.addRecords": Request<{ files: readonly File[] }, Added>;
  "data.pictures": Request<{ person: string }, readonly PictureSummary[]>;
  /** A small picture to show. */
  "data.thumbnail": Request<{ picture: string }, Blob>;
  "data.rename": Request<{ person: string; name: string }, void>;
  "data.holdOut": Request<{ person: string; heldOut: boolean }, void>;
  "data.removePerson": Request<{ person: string }, void>;
  "data.removePicture": Request<{ person: string; picture: string }, void>;
  "data.dismissRefused": Request<Record<string, never>, void>;
  /** Pictures, runs, models: all that the studio keeps. */
  "data.deleteEverything": Request<Record<string, never>, void>;
}

export interface TrainRequests {
  "train.start": Request<{ settings: RunSettings }, { run: string }>;
  "train.pause": Request<Record<string, never>, void>;
  /** The paused run, or an earlier one that was not finished. */
  "train.resume": Request<{ run?: string }, void>;
  "train.stop": Request<Record<string, never>, void>;
  "train.curve": Request<{ run: string }, Curve>;
  "train.rename": Request<{ run: string; name: string }, void>;
  "train.delete": Request<{ run: string }, void>;
  /** Pictures of the data set as training would change them, RGBA. */
  "train.preview": Request<
    { augmentation: AugmentationName; imageSize: number; count: number; seed: number },
    { side: number; pictures: readonly Uint8ClampedArray<ArrayBuffer>[] }
  >;
}

// biome-ignore lint/suspicious/noEmptyInterface: filled by its tab
export interface EvaluateRequests {}
// biome-ignore lint/suspicious/noEmptyInterface: filled by its tab
export interface RecognizeRequests {}
// biome-ignore lint/suspicious/noEmptyInterface: filled by its tab
export interface GpuRequests {}

/** All that the page may ask, by name: the part before the dot says whose worker.ts answers. */
export interface Requests extends DataRequests, TrainRequests, EvaluateRequests, RecognizeRequests, GpuRequests {}

export type RequestName = keyof Requests;
export type Input<N extends RequestName> = Requests[N]["in"];
export type Output<N extends RequestName> = Requests[N]["out"];

/** An error as it passes between the two: a code of docs/errors.md, or null for one that nobody foresaw. */
export interface Failure {
  readonly code: string | null;
  readonly message: string;
}

export type ToWorker =
  | { readonly kind: "request"; readonly id: number; readonly name: RequestName; readonly input: unknown }
  /** What the page rasterised for the worker; null where the browser cannot. */
  | { readonly kind: "raster"; readonly id: number; readonly bitmap: ImageBitmap | null };

export type FromWorker =
  | { readonly kind: "answer"; readonly id: number; readonly value: unknown }
  | { readonly kind: "failure"; readonly id: number; readonly failure: Failure }
  | { readonly kind: "state"; readonly slices: Partial<State> }
  /** New points of the curve of the run that is training: the losses of the steps after `from`. */
  | {
      readonly kind: "points";
      readonly run: string;
      readonly from: number;
      readonly losses: readonly number[];
      readonly evaluations: readonly Evaluation[];
    }
  /** SVG can be rasterised in a page alone. */
  | { readonly kind: "rasterise"; readonly id: number; readonly svg: string; readonly side: number };

export const initialState: State = {
  device: { status: "opening" },
  storage: { used: null, quota: null, problem: null },
  activity: null,
  data: { people: [], pictures: 0, refused: [], tooLittle: "There are no pictures yet.", kept: true },
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
};
