// Messages of the Recognize tab.
import type { Request } from "../../request.ts";

/** The open model and the enrolled people. */
export interface RecognitionState {
  /** The open model: the id of a run or of an imported model; null before one was chosen. */
  readonly model: string | null;
  readonly people: readonly EnrolledPerson[];
  readonly threshold: number | null;
  readonly liveness: { readonly name: string; readonly threshold: number } | null;
  /** The face finder in use: that of the browser, or the package served beside the page; null where there is none. */
  readonly finder: string | null;
  /** Whether the model was trained on aligned faces, which need a face finder with landmarks. */
  readonly wantsFaces: boolean;
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
  /** Returns the model's id. */
  "recognize.importModel": Request<{ file: File }, string>;
  "recognize.removeModel": Request<{ model: string }, void>;
  "recognize.exportGallery": Request<Record<string, never>, { name: string; file: Blob }>;
  /**
   * Adds the people of a gallery file to those enrolled. A gallery has no pictures to show: `withoutPicture` of the
   * people have none here either.
   */
  "recognize.importGallery": Request<
    { file: File },
    { people: number; pictures: number; duplicates: number; withoutPicture: number }
  >;
  /** Loads the face finder that is served beside the page. */
  "recognize.loadFinder": Request<Record<string, never>, void>;
  "recognize.setLiveness": Request<{ file: File | null }, void>;
}
