// Messages of the Data tab.
import type { Request } from "../../request.ts";

export interface DataState {
  readonly people: readonly PersonSummary[];
  readonly pictures: number;
  /** Pictures that were not added, newest first, with the reason: the last ones of all `skipped`. */
  readonly refused: readonly RefusedPicture[];
  readonly skipped: number;
  /** Why training cannot start with these pictures; null when it can. */
  readonly tooLittle: string | null;
  /** True where pictures can be stored; otherwise why not. */
  readonly kept: true | string;
}

export interface PersonSummary {
  readonly id: string;
  readonly name: string;
  readonly pictures: number;
  readonly heldOut: boolean;
  /** Pictures whose person is not known, after the list of people was damaged; nothing trains on them. */
  readonly unsorted: boolean;
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

export interface DataRequests {
  /** Adds drawn people, with `pictures` pictures of each. */
  "data.draw": Request<{ people: number; pictures: number }, Added>;
  "data.add": Request<{ entries: readonly PictureEntry[] }, Added>;
  "data.addRecords": Request<{ files: readonly File[] }, Added>;
  "data.pictures": Request<{ person: string }, readonly PictureSummary[]>;
  /** A small version of a picture. */
  "data.thumbnail": Request<{ picture: string }, Blob>;
  /** The same of a file, for formats that a browser does not show. */
  "data.thumbnailOf": Request<{ file: Blob }, Blob>;
  "data.rename": Request<{ person: string; name: string }, void>;
  "data.holdOut": Request<{ person: string; heldOut: boolean }, void>;
  "data.removePeople": Request<{ people: readonly string[] }, void>;
  "data.removePicture": Request<{ person: string; picture: string }, void>;
  "data.dismissRefused": Request<Record<string, never>, void>;
  /** Deletes everything that the studio stores: pictures, runs, models. */
  "data.deleteEverything": Request<Record<string, never>, void>;
}
