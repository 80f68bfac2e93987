// All messages between the page and the worker. The page sends `Requests`, and the worker answers them. The worker
// sends its `State` in slices whenever one has changed. There are no other messages; see docs/studio.md.

/** The worker's state that the page shows. A slice is sent whole when it has changed. */
export interface State {
  readonly device: DeviceState;
  readonly storage: StorageState;
  readonly activity: Activity | null;
  readonly data: DataState;
  readonly training: TrainingState;
  readonly runs: readonly RunSummary[];
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
}

/** Work in progress besides training, such as adding pictures or compiling kernels. */
export interface Activity {
  readonly text: string;
  readonly done?: number;
  readonly total?: number;
}

export interface DataState {
  readonly people: readonly PersonSummary[];
  readonly pictures: number;
  /** Pictures that were not added, newest first, with the reason. */
  readonly refused: readonly RefusedPicture[];
  /** Why training cannot start with these pictures; null when it can. */
  readonly tooLittle: string | null;
  /** True when pictures are stored permanently; otherwise why not. */
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

/** Files that were dropped or picked; the person is the name of their folder. */
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
  /** Identities in a batch and pictures of each; for losses on pairs, half as many pairs as there are pictures. */
  readonly peoplePerBatch: number;
  readonly picturesPerPerson: number;
  readonly learningRate: number;
  readonly warmUp: number;
  readonly schedule: "cosine" | "constant";
  readonly optimizer: "adam" | "adamw";
  readonly l2: number;
  /** Steps between evaluations on the held-out identities; each also saves a checkpoint. */
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
  /** Whether it has a model for evaluation and recognition. */
  readonly hasModel: boolean;
}

/** `status` determines `document.documentElement.dataset.state` while nothing is loading. */
export interface TrainingState {
  readonly status: "idle" | "starting" | "training" | "pausing" | "paused" | "finishing" | "trained" | "failed";
  /** The run that `status` refers to. */
  readonly run: string | null;
  readonly step: number;
  readonly steps: number;
  readonly loss: number | null;
  readonly latest: Evaluation | null;
  readonly stepsPerSecond: number | null;
  readonly secondsLeft: number | null;
  /** Planned bytes of GPU memory. */
  readonly memory: number | null;
  /** Why it failed, or a notice: a lost GPU that was opened again, a checkpoint that could not be saved. */
  readonly note: string | null;
}

/** The curves of a run: the loss of every step from the first, and the evaluations. */
export interface Curve {
  readonly losses: readonly number[];
  readonly evaluations: readonly Evaluation[];
}

interface Request<In, Out> {
  readonly in: In;
  readonly out: Out;
}

export interface DataRequests {
  /** Adds drawn people, with `pictures` pictures of each. */
  "data.draw": Request<{ people: number; pictures: number }, Added>;
  "data.add": Request<{ entries: readonly PictureEntry[] }, Added>;
  "data.addRecords": Request<{ files: readonly File[] }, Added>;
  "data.pictures": Request<{ person: string }, readonly PictureSummary[]>;
  /** A small version of a picture. */
  "data.thumbnail": Request<{ picture: string }, Blob>;
  "data.rename": Request<{ person: string; name: string }, void>;
  "data.holdOut": Request<{ person: string; heldOut: boolean }, void>;
  "data.removePerson": Request<{ person: string }, void>;
  "data.removePicture": Request<{ person: string; picture: string }, void>;
  "data.dismissRefused": Request<Record<string, never>, void>;
  /** Deletes everything that the studio stores: pictures, runs, models. */
  "data.deleteEverything": Request<Record<string, never>, void>;
}

export interface TrainRequests {
  "train.start": Request<{ settings: RunSettings }, { run: string }>;
  "train.pause": Request<Record<string, never>, void>;
  /** Resumes the paused run, or an earlier unfinished one. */
  "train.resume": Request<{ run?: string }, void>;
  "train.stop": Request<Record<string, never>, void>;
  "train.curve": Request<{ run: string }, Curve>;
  "train.rename": Request<{ run: string; name: string }, void>;
  "train.delete": Request<{ run: string }, void>;
  /** Augmented pictures of the dataset, RGBA. */
  "train.preview": Request<
    { augmentation: AugmentationName; imageSize: number; count: number; seed: number },
    { side: number; pictures: readonly Uint8ClampedArray<ArrayBuffer>[] }
  >;
}

/** A metric with its 95 % confidence interval. */
export interface Figure {
  readonly value: number;
  readonly interval: readonly [lower: number, upper: number];
}

/** A pair of pictures that the model may get wrong. Pictures are indices for `evaluate.picture`. */
export interface ComparedPair {
  readonly left: number;
  readonly right: number;
  readonly names: readonly [left: string, right: string];
  readonly distance: number;
}

/** The evaluation of a run's model on the held-out identities. */
export interface RunEvaluation {
  readonly run: string;
  readonly people: number;
  readonly pictures: number;
  /** Whether the pictures have changed since the run: training identities may be held out now. */
  readonly changed: boolean;
  readonly threshold: number;
  readonly auc: Figure;
  readonly eer: Figure;
  /** True-accept rate at a false-accept rate of 1 %. */
  readonly trueAccepts: Figure;
  /** Accuracy over the pairs, each fold at the best threshold of the others; with its standard error. */
  readonly accuracy: { readonly value: number; readonly standardError: number };
  readonly roc: readonly { readonly threshold: number; readonly falseAccept: number; readonly trueAccept: number }[];
  readonly det: readonly { readonly threshold: number; readonly falseAccept: number; readonly falseReject: number }[];
  /** Distances of genuine and of impostor pairs, ascending. */
  readonly genuine: Float64Array;
  readonly impostor: Float64Array;
  /** The nearest impostor pairs and the farthest genuine pairs, the worst first. */
  readonly nearestImpostors: readonly ComparedPair[];
  readonly farthestGenuine: readonly ComparedPair[];
}

export interface EvaluateRequests {
  "evaluate.run": Request<{ run: string }, RunEvaluation>;
  /** The error rates at a threshold. */
  "evaluate.at": Request<{ run: string; threshold: number }, { falseAccepts: Figure; falseRejects: Figure }>;
  "evaluate.picture": Request<{ run: string; picture: number }, Blob>;
  /** Sets the threshold of the run's model. */
  "evaluate.useThreshold": Request<{ run: string; threshold: number }, void>;
  /** One self-contained HTML file. */
  "evaluate.report": Request<{ run: string }, Blob>;
}

/** The open model and the enrolled people. */
export interface RecognitionState {
  /** The open model: the id of a run or of an imported model; null before one was chosen. */
  readonly model: string | null;
  /** Models imported from files. */
  readonly imported: readonly { readonly id: string; readonly name: string }[];
  readonly people: readonly EnrolledPerson[];
  readonly threshold: number | null;
  readonly liveness: { readonly name: string; readonly threshold: number } | null;
  /** Whether face detection is available in this browser. */
  readonly findsFaces: boolean;
}

export interface EnrolledPerson {
  readonly name: string;
  readonly pictures: number;
  /** A small picture as a data URI; null for people from an imported gallery. */
  readonly cover: string | null;
}

export interface Recognized {
  /** Null for "unknown". */
  readonly name: string | null;
  /** The distance to the nearest person, and the probability of a match; null where the model has none. */
  readonly distance: number;
  readonly probability: number | null;
  readonly threshold: number;
  readonly candidates: readonly { readonly name: string; readonly distance: number }[];
  /** The face's position, in shares of the picture's width and height; null without face detection or a face. */
  readonly face: FaceBox | null;
}

export interface FaceBox {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

/** A file, or a frame of the camera. */
export type Probe = Blob | ImageBitmap;

export interface RecognizeRequests {
  /** Opens a model and the people enrolled for it; by default the last one used, or that of the newest run. */
  "recognize.open": Request<{ model?: string }, void>;
  /** Adds pictures of a person; rejected ones are returned with the reason. */
  "recognize.enroll": Request<
    { name: string; pictures: readonly { name: string; picture: Probe }[]; findFace: boolean },
    { added: number; refused: readonly { name: string; reason: string }[] }
  >;
  /** "refused" where the liveness model detects a presentation attack; "no face" where none was found. */
  "recognize.identify": Request<{ picture: Probe; findFace: boolean }, Recognized | "refused" | "no face">;
  "recognize.forget": Request<{ name: string }, void>;
  "recognize.exportModel": Request<Record<string, never>, { name: string; file: Blob }>;
  "recognize.exportOnnx": Request<Record<string, never>, { name: string; file: Blob }>;
  "recognize.importModel": Request<{ file: File }, void>;
  "recognize.removeModel": Request<{ model: string }, void>;
  "recognize.exportGallery": Request<Record<string, never>, Blob>;
  /** Adds the people of a gallery file to those enrolled. */
  "recognize.importGallery": Request<{ file: File }, { people: number }>;
  "recognize.setLiveness": Request<{ file: File | null }, void>;
}

export interface GpuDescription {
  readonly adapter: { readonly vendor: string; readonly architecture: string; readonly description: string };
  readonly software: boolean;
  readonly limits: Readonly<Record<string, number>>;
  readonly features: readonly string[];
}

export interface BenchmarkStep {
  readonly name: string;
  readonly description: string;
  /** Median of this many steps. */
  readonly milliseconds: number;
  readonly steps: number;
  /** Billions of operations per second, counting convolutions and matrix products only. */
  readonly gflops: number;
  /** Share of the adapter's peak, measured with multiply-adds in registers. */
  readonly shareOfPeak: number;
  /** GPU time of each kernel, the longest first; null where the adapter has no timestamp queries. */
  readonly kernels: readonly BenchmarkKernel[] | null;
}

export interface BenchmarkKernel {
  readonly name: string;
  readonly launches: number;
  readonly milliseconds: number;
  /** Share of the step's GPU time. */
  readonly share: number;
  /** Null for memory-bound kernels. */
  readonly shareOfPeak: number | null;
}

export interface BenchmarkCheck {
  readonly name: string;
  /** Relative error against float64 on the host. */
  readonly error: number;
  readonly allowed: number;
}

export interface Benchmark {
  readonly date: string;
  readonly browser: string;
  readonly gpu: GpuDescription;
  readonly seconds: number;
  readonly correct: boolean;
  readonly checks: readonly BenchmarkCheck[];
  /** Billions of multiply-adds per second, each counted as two operations. */
  readonly peakGflops: number | null;
  readonly steps: readonly BenchmarkStep[];
  /** Steps that were skipped for lack of time. */
  readonly left: readonly string[];
}

export interface GpuRequests {
  "gpu.describe": Request<Record<string, never>, GpuDescription>;
  /** Takes at most two minutes. Rejects when canceled. */
  "gpu.benchmark": Request<Record<string, never>, Benchmark>;
  "gpu.cancel": Request<Record<string, never>, void>;
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
  recognition: {
    model: null,
    imported: [],
    people: [],
    threshold: null,
    liveness: null,
    findsFaces: false,
  },
};
