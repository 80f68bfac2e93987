// The enrolled people of an application: one or more embeddings for each name, computed by one model. Enroll, verify,
// identify.
import { allFinite } from "../data/checkPictures.ts";
import { identityName, readableName, readsAs } from "../data/names.ts";
import { TwingradError } from "../errors.ts";
import { mostNearest } from "../ops/kernels/rowLayout.ts";
import { checkOptions } from "../options.ts";
import type { GalleryIndex } from "./galleryIndex.ts";
import { type LivenessScorer, requireLive } from "./livenessModel.ts";
import { leastDistance, type Match, matches, representatives } from "./match.ts";
import type { Recognizer } from "./recognizer.ts";

/** The answer of `Gallery.verify`. */
export interface Verification {
  /** Whether the distance is at most the threshold. */
  same: boolean;
  /** The distance to the enrolled person. */
  distance: number;
  /** The probability of the same person, in [0, 1]. */
  probability: number;
  /** The largest distance accepted as the same person. */
  threshold: number;
}

/** The answer of `Gallery.identify`. */
export interface Identification {
  /** Null if nobody is within the threshold. */
  name: string | null;
  /** Distance to the nearest person of the gallery. */
  distance: number;
  /** The largest distance accepted as the same person. */
  threshold: number;
  /** The nearest people, nearest first. */
  candidates: {
    /** The enrolled name. */
    name: string;
    /** The distance to that person. */
    distance: number;
  }[];
}

/** A gallery as JSON: embeddings are base64 of little-endian float32. */
export interface GalleryJson {
  /** The kind of the file. */
  format: "twingrad-gallery";
  /** The version of the format. */
  version: 1;
  /** The model's fingerprint. */
  model: string;
  /** The number of values of an embedding. */
  embedding: number;
  /** How several pictures of a person are compared. @default "nearest" */
  match?: Match;
  /** One entry for each person. */
  people: {
    /** The enrolled name. */
    name: string;
    /** One for each picture. */
    embeddings: string[];
  }[];
}

/** How a person's pictures are compared. */
export interface MatchOptions {
  /** How several pictures of a person are compared. @default that of the gallery */
  match?: Match;
}

/** Rejects presentation attacks before any other processing. */
export interface LivenessCheck {
  /** The model that scores the pictures. */
  readonly scorer: LivenessScorer;
  /** @default that of the liveness model */
  readonly threshold?: number;
}

/** Options of a gallery. */
export interface GalleryOptions extends MatchOptions {
  /** Refuses presentation attacks before anything else. */
  liveness?: LivenessCheck;
}

/** The pictures for the gallery's liveness check. */
export interface PictureCheck {
  /** The same pictures in the liveness model's size, if it differs from the recognition model's. */
  livenessImages?: Uint8Array | Float32Array;
}

/** Options of `verify` and `identify`. */
export interface GalleryQuestion extends MatchOptions, PictureCheck {
  /** The model's own by default. */
  threshold?: number;
  /** How many of the nearest people are returned. @default 5 */
  candidates?: number;
}

/**
 * Galleries with at least this many numbers are searched on the model's device; smaller ones are faster on the host.
 */
const indexedFrom = 2 ** 20;

function checkMatch(match: Match): void {
  if (!matches.includes(match)) {
    throw new TwingradError("BAD_INPUT", `Invalid match ${match}: expected nearest or mean.`);
  }
}

/** All embeddings on the device, for one way of matching. */
interface Indexed {
  match: Match;
  index: GalleryIndex;
  /** For each row the position of its person among the names. */
  owners: number[];
  names: string[];
  /** The largest number of rows of one person. */
  mostRows: number;
}

/**
 * Enrolled people with the embeddings of their pictures: verifies a claimed name, or identifies among all.
 *
 * Names are case-sensitive; leading and trailing spaces and the composition of accents (Unicode's NFC) make no
 * difference. "unknown" is reserved, in lower and upper case.
 * @example
 * ```ts
 * const gallery = new Gallery(model);
 * await gallery.enroll("Ada", images); // one or more pictures [N, H, W, C] of model.imageSize
 * const { name, distance } = await gallery.identify(images);
 * const json = JSON.stringify(gallery);
 * const loaded = Gallery.fromJSON(model, JSON.parse(json));
 * ```
 */
export class Gallery {
  /** How several pictures of a person are compared, unless a call says otherwise. */
  match: Match;
  /** If set, `enroll`, `verify` and `identify` reject presentation attacks. It is not saved with the gallery. */
  liveness: LivenessCheck | undefined;
  readonly #people = new Map<string, Float32Array[]>();
  #indexed?: Promise<Indexed>;

  constructor(
    /** The model that embeds and compares the pictures. */
    readonly model: Recognizer,
    options: GalleryOptions = {},
  ) {
    checkOptions("Gallery", options, { match: 1, liveness: 1 });
    const { match = "nearest", liveness } = options;
    checkMatch(match);
    this.match = match;
    this.liveness = liveness;
  }

  /** The enrolled names, in the order of enrollment. */
  get names(): string[] {
    return [...this.#people.keys()];
  }

  /**
   * Adds pictures of a person, [N, H, W, C], to those already enrolled under the name. Returns the person's number of
   * pictures.
   * @throws BAD_INPUT for an invalid or reserved name, or without a picture; NOT_LIVE for a presentation attack, where
   * the gallery has `liveness`. Nothing is enrolled then.
   */
  async enroll(person: string, images: Uint8Array | Float32Array, check: PictureCheck = {}): Promise<number> {
    this.#asked("enroll", check);
    const name = personName(person);
    const embeddings = await this.#embed(images, check);
    if (embeddings.length === 0) throw new TwingradError("BAD_INPUT", `enrolling "${name}" needs at least one picture`);
    const known = this.#people.get(name) ?? [];
    known.push(...embeddings);
    this.dispose();
    this.#people.set(name, known);
    return known.length;
  }

  /**
   * Removes a person: the name, and every embedding, in memory and on the GPU. Returns whether the person was enrolled.
   */
  remove(person: string): boolean {
    const name = readableName(person);
    for (const embedding of this.#people.get(name) ?? []) embedding.fill(0);
    this.dispose();
    return this.#people.delete(name);
  }

  /**
   * Verification: does the picture show this enrolled person?
   * @throws BAD_INPUT where the name is not enrolled; NOT_LIVE as `enroll`.
   */
  async verify(
    person: string,
    image: Uint8Array | Float32Array,
    options: Omit<GalleryQuestion, "candidates"> = {},
  ): Promise<Verification> {
    const { match, threshold } = this.#asked("verify", options);
    const name = readableName(person);
    if (!this.#people.has(name)) throw new TwingradError("BAD_INPUT", `"${name}" is not enrolled`);
    const distance = this.#distance(await this.#embedOne(image, options), name, match);
    return verification(this.model, distance, threshold);
  }

  /** Identifies the person in a picture. @throws BAD_INPUT where the gallery is empty; NOT_LIVE as `enroll`. */
  async identify(image: Uint8Array | Float32Array, options: GalleryQuestion = {}): Promise<Identification> {
    const { match, threshold, candidates } = this.#asked("identify", options);
    if (this.#people.size === 0) throw new TwingradError("BAD_INPUT", "the gallery is empty: enroll a person first");
    const probe = await this.#embedOne(image, options);
    const near = await this.#nearest(probe, match, candidates);
    const ranked = near.map((name) => ({ name, distance: this.#distance(probe, name, match) }));
    ranked.sort((a, b) => a.distance - b.distance);
    const { name, distance } = ranked[0];
    return { name: distance <= threshold ? name : null, distance, threshold, candidates: ranked.slice(0, candidates) };
  }

  #asked(who: string, options: GalleryQuestion) {
    checkOptions(who, options, { match: 1, threshold: "number", candidates: "number", livenessImages: 1 });
    const { candidates = 5, threshold = this.model.threshold, match = this.match } = options;
    checkMatch(match);
    return { candidates, threshold, match };
  }

  /** Pictures that fail the liveness check are not embedded. */
  async #embed(images: Uint8Array | Float32Array, check: PictureCheck): Promise<Float32Array[]> {
    const scores = this.liveness && (await this.#requireLive(this.liveness, images, check));
    const embeddings = rows(await this.model.embed(images), this.model.embedding);
    if (scores && scores.length !== embeddings.length) {
      throw new TwingradError(
        "BAD_INPUT",
        `Invalid livenessImages: expected ${embeddings.length} pictures, the same ones in the other size, got ${scores.length}.`,
      );
    }
    const lost = embeddings.findIndex((embedding) => !allFinite(embedding));
    if (lost >= 0) {
      throw new TwingradError("BAD_INPUT", `the embedding of picture ${lost} is not finite`);
    }
    return embeddings;
  }

  #requireLive({ scorer, threshold }: LivenessCheck, images: Uint8Array | Float32Array, check: PictureCheck) {
    const [own, wanted] = [this.model.imageSize, scorer.imageSize].map((size) => size?.join(" x "));
    if (!check.livenessImages && own !== undefined && own !== wanted) {
      throw new TwingradError(
        "BAD_INPUT",
        `The liveness model expects pictures of ${wanted}, the recognition model pictures of ${own}: pass livenessImages, the same pictures in that size.`,
      );
    }
    return requireLive(scorer, check.livenessImages ?? images, { threshold });
  }

  async #embedOne(image: Uint8Array | Float32Array, check: PictureCheck): Promise<Float32Array> {
    const probes = await this.#embed(image, check);
    if (probes.length !== 1) throw new TwingradError("BAD_INPUT", `expected one picture, got ${probes.length}`);
    return probes[0];
  }

  /** Releases the GPU memory of a large gallery; the next search uploads it again. */
  dispose(): void {
    this.#indexed?.then(({ index }) => index.dispose()).catch(() => {}); // the caller that built it got the error
    this.#indexed = undefined;
  }

  /**
   * The enrolled names of at least the `wanted` nearest people: all names of a small gallery, otherwise those found on
   * the device.
   */
  async #nearest(probe: Float32Array, match: Match, wanted: number): Promise<string[]> {
    const count = [...this.#people.values()].reduce((sum, known) => sum + known.length, 0);
    if (!this.model.index || count * this.model.embedding < indexedFrom) return this.names;
    if (this.#indexed && (await this.#indexed).match !== match) this.dispose();
    this.#indexed ??= this.#makeIndex(match);
    const { index, owners, names, mostRows } = await this.#indexed;
    // This many rows cover the wanted number of people, however many rows each has.
    const k = (Math.min(wanted, names.length) - 1) * mostRows + 1;
    const people = new Set<number>();
    if (k <= mostNearest) for (const { row } of await index.search(probe, k)) people.add(owners[row]);
    else {
      const distances = await index.distances(probe);
      const order = Array.from(distances.keys()).sort((a, b) => distances[a] - distances[b] || a - b);
      for (const row of order) if (people.size < wanted) people.add(owners[row]);
    }
    const found = [...people].slice(0, wanted).sort((a, b) => a - b);
    return found.map((person) => names[person]).filter((name) => this.#people.has(name)); // drops people removed meanwhile
  }

  async #makeIndex(match: Match): Promise<Indexed> {
    const index = this.model.index!();
    const { names } = this;
    const people = names.map((name) => this.#rows(name, match));
    const counts = people.map((rows) => rows.length / this.model.embedding);
    for (const rows of inBatches(people)) await index.add(rows);
    const owners = counts.flatMap((count, person) => new Array<number>(count).fill(person));
    return { match, index, owners, names, mostRows: counts.reduce((most, count) => Math.max(most, count), 1) };
  }

  #distance(probe: Float32Array, name: string, match: Match): number {
    return leastDistance(this.model, probe, this.#rows(name, match));
  }

  #rows(name: string, match: Match): Float32Array {
    return representatives(this.model, concatenated(this.#people.get(name)!), match);
  }

  /**
   * The gallery as plain JSON, for `fromJSON`. It holds embeddings, which are biometric data: keep it like passwords.
   */
  toJSON(): GalleryJson {
    const people = [...this.#people].map(([name, embeddings]) => ({ name, embeddings: embeddings.map(toBase64) }));
    const { fingerprint, embedding } = this.model;
    return { format: "twingrad-gallery", version: 1, model: fingerprint, embedding, match: this.match, people };
  }

  /**
   * Loads what `toJSON` wrote.
   * @throws CORRUPT_FILE for anything else, CHECKPOINT_MISMATCH for a gallery of another model.
   */
  static fromJSON(model: Recognizer, json: unknown, { liveness }: Pick<GalleryOptions, "liveness"> = {}): Gallery {
    const corrupt = (reason: string) => new TwingradError("CORRUPT_FILE", `this is not a gallery: ${reason}`);
    if (!isRecord(json) || json.format !== "twingrad-gallery") throw corrupt('its "format" is not "twingrad-gallery"');
    if (json.version !== 1) throw corrupt(`its version is ${JSON.stringify(json.version)}, not 1`);
    if (json.model !== model.fingerprint) {
      throw new TwingradError(
        "CHECKPOINT_MISMATCH",
        `the gallery was made with another model (${json.model}, not ${model.fingerprint}), so its embeddings are not comparable; enroll again`,
      );
    }
    if (!Array.isArray(json.people)) throw corrupt('"people" is not a list');
    const match = json.match ?? "nearest";
    if (!matches.some((known) => known === match)) throw corrupt(`its "match" is not one of ${matches.join(", ")}`);
    const gallery = new Gallery(model, { match: match as Match, liveness });
    const stored = new Set<string>();
    for (const person of json.people as unknown[]) {
      if (!isRecord(person) || typeof person.name !== "string") throw corrupt("a person has no name");
      const { embeddings } = person;
      let name: string;
      try {
        name = personName(person.name);
      } catch (error) {
        throw corrupt((error as Error).message);
      }
      if (stored.has(person.name)) throw corrupt(`"${name}" is in it twice`);
      stored.add(person.name);
      if (!Array.isArray(embeddings) || embeddings.length === 0) throw corrupt(`"${name}" has no embeddings`);
      const decoded = embeddings.map((text: unknown) => {
        const values = typeof text === "string" ? fromBase64(text) : undefined;
        if (values?.length !== model.embedding || !values.every(Number.isFinite)) {
          throw corrupt(`an embedding of "${name}" does not have ${model.embedding} finite values`);
        }
        return values;
      });
      // Galleries of earlier versions may have one name in two Unicode forms; these are merged.
      gallery.#people.set(name, [...(gallery.#people.get(name) ?? []), ...decoded]);
    }
    return gallery;
  }
}

/** The verification result for this distance. @throws NOT_FINITE for NaN, which would pass for another person. */
export function verification(model: Recognizer, distance: number, threshold = model.threshold): Verification {
  if (!Number.isFinite(distance)) throw new TwingradError("NOT_FINITE", `The distance is ${distance}.`);
  return { same: distance <= threshold, distance, probability: model.probability(distance), threshold };
}

function personName(text: string): string {
  if (readableName(text) === "") throw new TwingradError("BAD_INPUT", "the name is empty; expected a person's name");
  const name = identityName(text);
  if (readsAs(name, "unknown"))
    throw new TwingradError("BAD_INPUT", `the name "${name}" is reserved for people who are not enrolled`);
  return name;
}

function rows(values: Float32Array, length: number): Float32Array[] {
  return Array.from({ length: values.length / length }, (_, row) => values.slice(row * length, (row + 1) * length));
}

/** The arrays concatenated; a single one as it is. */
function concatenated(parts: readonly Float32Array[]): Float32Array {
  if (parts.length === 1) return parts[0];
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The same values in fewer, larger arrays: uploading one row costs as much as uploading a thousand. */
function* inBatches(parts: readonly Float32Array[], most = 2 ** 22): Generator<Float32Array> {
  let batch: Float32Array[] = [];
  let length = 0;
  for (const part of parts) {
    batch.push(part);
    length += part.length;
    if (length < most) continue;
    yield concatenated(batch);
    batch = [];
    length = 0;
  }
  if (batch.length > 0) yield concatenated(batch);
}

// Memory is little-endian wherever WebGPU runs.
function toBase64(values: Float32Array): string {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

function fromBase64(text: string): Float32Array | undefined {
  try {
    const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
    return bytes.length % 4 === 0 ? new Float32Array(bytes.buffer) : undefined;
  } catch {
    return undefined; // not base64
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
