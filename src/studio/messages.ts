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
  readonly recognition: RecognitionState;
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

/** A share with the interval that it lies in with a chance of 95 %. */
export interface Figure {
  readonly value: number;
  readonly interval: readonly [lower: number, upper: number];
}

/** A pair of pictures that the model may take for what it is not. Pictures are numbers for `evaluate.picture`. */
export interface ComparedPair {
  readonly left: number;
  readonly right: number;
  readonly names: readonly [left: string, right: string];
  readonly distance: number;
}

/** How well a run's model tells the held-out identities apart. */
export interface RunEvaluation {
  readonly run: string;
  readonly people: number;
  readonly pictures: number;
  /** Whether the pictures have changed since the run: people whom it learnt from may be among those held out now. */
  readonly changed: boolean;
  readonly threshold: number;
  readonly auc: Figure;
  readonly eer: Figure;
  /** True accepts where 1 % of the impostor pairs are accepted. */
  readonly trueAccepts: Figure;
  /** Of pairs judged rightly, each fold of people by the best threshold of the others; with its standard error. */
  readonly accuracy: { readonly value: number; readonly standardError: number };
  readonly roc: readonly { readonly threshold: number; readonly falseAccept: number; readonly trueAccept: number }[];
  readonly det: readonly { readonly threshold: number; readonly falseAccept: number; readonly falseReject: number }[];
  /** Distances of the genuine and of the impostor pairs, ascending. */
  readonly genuine: Float64Array;
  readonly impostor: Float64Array;
  /** The impostor pairs that are nearest, and the genuine pairs that are farthest apart, the worst first. */
  readonly nearestImpostors: readonly ComparedPair[];
  readonly farthestGenuine: readonly ComparedPair[];
}

export interface EvaluateRequests {
  "evaluate.run": Request<{ run: string }, RunEvaluation>;
  /** The shares of wrong answers at a threshold. */
  "evaluate.at": Request<{ run: string; threshold: number }, { falseAccepts: Figure; falseRejects: Figure }>;
  "evaluate.picture": Request<{ run: string; picture: number }, Blob>;
  /** The run's model takes this threshold from now on. */
  "evaluate.useThreshold": Request<{ run: string; threshold: number }, void>;
  /** One HTML file without anything to load. */
  "evaluate.report": Request<{ run: string }, Blob>;
}

/** What there is to recognize with, and who. */
export interface RecognitionState {
  /** The model that is open: the id of a run or of an imported one; null before one was chosen. */
  readonly model: string | null;
  /** Models that came from files. */
  readonly imported: readonly { readonly id: string; readonly name: string }[];
  readonly people: readonly EnrolledPerson[];
  readonly threshold: number | null;
  readonly liveness: { readonly name: string; readonly threshold: number } | null;
  /** Whether this browser finds faces. */
  readonly findsFaces: boolean;
}

export interface EnrolledPerson {
  readonly name: string;
  readonly pictures: number;
  /** A small picture as a data URI; null for people whom an imported gallery brought. */
  readonly cover: string | null;
}

export interface Recognized {
  /** Null for "unknown". */
  readonly name: string | null;
  /** To the nearest person, and the chance that it is that person; null where the model tells none. */
  readonly distance: number;
  readonly probability: number | null;
  readonly threshold: number;
  readonly candidates: readonly { readonly name: string; readonly distance: number }[];
  /** Where the face is in the picture, in shares of its width and height; null where nobody looked, or there is none. */
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
  /** Opens a model with the people who are enrolled for it; by default the one of the last time, or of the newest run. */
  "recognize.open": Request<{ model?: string }, void>;
  /** Adds pictures of a person; what is refused is told with why. */
  "recognize.enroll": Request<
    { name: string; pictures: readonly { name: string; picture: Probe }[]; findFace: boolean },
    { added: number; refused: readonly { name: string; reason: string }[] }
  >;
  /** "refused" where the liveness model takes it for a picture of a picture; "no face" where one was looked for. */
  "recognize.identify": Request<{ picture: Probe; findFace: boolean }, Recognized | "refused" | "no face">;
  "recognize.forget": Request<{ name: string }, void>;
  "recognize.exportModel": Request<Record<string, never>, { name: string; file: Blob }>;
  "recognize.exportOnnx": Request<Record<string, never>, { name: string; file: Blob }>;
  "recognize.importModel": Request<{ file: File }, void>;
  "recognize.removeModel": Request<{ model: string }, void>;
  "recognize.exportGallery": Request<Record<string, never>, Blob>;
  /** Adds its people to those who are there. */
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
  /** Billions of operations a second, of convolutions and matrix products alone. */
  readonly gflops: number;
  /** Of what the adapter reaches with multiply-adds in registers. */
  readonly shareOfPeak: number;
  /** What its kernels take on the GPU, the longest first; null where the adapter has no timestamps. */
  readonly kernels: readonly BenchmarkKernel[] | null;
}

export interface BenchmarkKernel {
  readonly name: string;
  readonly launches: number;
  readonly milliseconds: number;
  /** Of the step's time on the GPU. */
  readonly share: number;
  /** Null for what is bound by memory. */
  readonly shareOfPeak: number | null;
}

export interface BenchmarkCheck {
  readonly name: string;
  /** Relative, against float64 on the host. */
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
  /** Billions of multiply-adds, each counted as two operations, a second. */
  readonly peakGflops: number | null;
  readonly steps: readonly BenchmarkStep[];
  /** What there was no time for. */
  readonly left: readonly string[];
}

export interface GpuRequests {
  "gpu.describe": Request<Record<string, never>, GpuDescription>;
  /** Two minutes at most. Rejects when it was cancelled. */
  "gpu.benchmark": Request<Record<string, never>, Benchmark>;
  "gpu.cancel": Request<Record<string, never>, void>;
}

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
  recognition: {
    model: null,
    imported: [],
    people: [],
    threshold: null,
    liveness: null,
    findsFaces: false,
  },
};
