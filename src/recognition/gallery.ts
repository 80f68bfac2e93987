// The people that an application knows: a few embeddings for each name, made by one model. Enrol, verify, identify.

import { allFinite } from "../data/checkPictures.ts";
import { identityName, readableName, readsAs } from "../data/names.ts";
import { TwingradError } from "../errors.ts";
import { mostNearest } from "../ops/kernels/rowLayout.ts";
import { checkOptions } from "../options.ts";
import type { GalleryIndex } from "./galleryIndex.ts";
import { type LivenessJudge, requireLive } from "./livenessModel.ts";
import { leastDistance, type Match, matches, representatives } from "./match.ts";
import type { Recogniser } from "./recogniser.ts";

/** The answer of `Gallery.verify`. */
export interface Verification {
  /** Whether the distance is at most the threshold. */
  same: boolean;
  /** To the enrolled person. */
  distance: number;
  /** In [0, 1]. */
  probability: number;
  /** The largest distance taken for one person. */
  threshold: number;
}

/** The answer of `Gallery.identify`. */
export interface Identification {
  /** Null when nobody is near enough. */
  name: string | null;
  /** To the nearest person of the gallery. */
  distance: number;
  /** The largest distance taken for one person. */
  threshold: number;
  /** The nearest people, nearest first. */
  candidates: {
    /** As enrolled. */ name: string /** To that person. */;
    distance: number;
  }[];
}

/** A gallery as JSON: embeddings are base64 of little-endian float32. */
export interface GalleryJson {
  /** Tells the file's kind. */
  format: "twingrad-gallery";
  /** Of the format. */
  version: 1;
  /** The model's fingerprint. */
  model: string;
  /** The number of values of an embedding. */
  embedding: number;
  /** Of a person with several pictures; "nearest" where absent. */
  match?: Match;
  /** One entry for each person. */
  people: {
    /** As enrolled. */ name: string /** One for each picture. */;
    embeddings: string[];
  }[];
}

/** How a person's pictures are compared. */
export interface MatchOptions {
  /** How a person's several pictures count; the gallery's own by default. */
  match?: Match;
}

/** What refuses pictures of pictures before they are looked at any further. */
export interface LivenessCheck {
  /** What scores the pictures. */
  readonly judge: LivenessJudge;
  /** The judge's own by default. */
  readonly threshold?: number;
}

/** Options of a gallery. */
export interface GalleryOptions extends MatchOptions {
  /** Refuses presentation attacks before anything else. */
  liveness?: LivenessCheck;
}

/** What a question may add for the gallery's liveness check. */
export interface PictureCheck {
  /** The same pictures for the gallery's liveness judge, where that takes another size than the model. */
  livenessImages?: Uint8Array | Float32Array;
}

interface Question extends MatchOptions, PictureCheck {
  /** The model's own by default. */
  threshold?: number;
  /** How many of the nearest people are told; 5 by default. */
  candidates?: number;
}

/** Galleries of so many numbers are searched on the model's device: fewer are gone through sooner than they get there. */
const indexedFrom = 2 ** 20;

function checkMatch(match: Match): void {
  if (!matches.includes(match)) {
    throw new TwingradError("BAD_INPUT", `match is ${match}, not nearest or mean`);
  }
}

/** All embeddings on the device, as one way to match needs them. */
interface Indexed {
  match: Match;
  index: GalleryIndex;
  /** For each row the position of its person among the names. */
  owners: number[];
  names: string[];
  /** Rows of the person with the most. */
  mostRows: number;
}

/**
 * Enrolled people with the embeddings of their pictures: verifies a claimed name, or identifies among all.
 *
 * Names are case-sensitive; blanks at their ends and how an accent is composed (Unicode's NFC) make no difference. "unknown"
 * is reserved, in any case.
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
  /** How the several pictures of a person count, unless a question says otherwise. */
  match: Match;
  /** With it, `enroll`, `verify` and `identify` take live people alone. It is not kept with the gallery. */
  liveness: LivenessCheck | undefined;
  readonly #people = new Map<string, Float32Array[]>();
  #indexed?: Promise<Indexed>;

  constructor(
    /** What embeds and compares the pictures. */
    readonly model: Recogniser,
    options: GalleryOptions = {},
  ) {
    checkOptions("Gallery", options, { match: 1, liveness: 1 });
    const { match = "nearest", liveness } = options;
    checkMatch(match);
    this.match = match;
    this.liveness = liveness;
  }

  /** The enrolled names, in the order in which they were enrolled. */
  get names(): string[] {
    return [...this.#people.keys()];
  }

  /**
   * Adds pictures of a person, [N, H, W, C]; a name that is known already gets them in addition.
   * Returns the number of pictures that the person has now.
   * @throws BAD_INPUT for a name that is empty, reserved or has control characters, or without a picture; NOT_LIVE for a picture of a picture, where the
   * gallery has `liveness`. Then nothing is enrolled.
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

  /** Forgets a person: the name, and every embedding, in memory and on the GPU as well. Returns whether there was such a person. */
  remove(person: string): boolean {
    const name = readableName(person);
    for (const embedding of this.#people.get(name) ?? []) embedding.fill(0);
    this.dispose();
    return this.#people.delete(name);
  }

  /**
   * Is this one picture of that enrolled person?
   * @throws BAD_INPUT when nobody of the name is enrolled; NOT_LIVE as `enroll`.
   */
  async verify(
    person: string,
    image: Uint8Array | Float32Array,
    options: Omit<Question, "candidates"> = {},
  ): Promise<Verification> {
    const { match, threshold } = this.#asked("verify", options);
    const name = readableName(person);
    if (!this.#people.has(name)) throw new TwingradError("BAD_INPUT", `nobody called "${name}" is enrolled`);
    const distance = this.#distance(await this.#embedOne(image, options), name, match);
    return verification(this.model, distance, threshold);
  }

  /** Who is on this one picture? @throws BAD_INPUT when the gallery is empty; NOT_LIVE as `enroll`. */
  async identify(image: Uint8Array | Float32Array, options: Question = {}): Promise<Identification> {
    const { match, threshold, candidates } = this.#asked("identify", options);
    if (this.#people.size === 0) throw new TwingradError("BAD_INPUT", "nobody is enrolled in this gallery");
    const probe = await this.#embedOne(image, options);
    const near = await this.#nearest(probe, match, candidates);
    const ranked = near.map((name) => ({ name, distance: this.#distance(probe, name, match) }));
    ranked.sort((a, b) => a.distance - b.distance);
    const { name, distance } = ranked[0];
    return { name: distance <= threshold ? name : null, distance, threshold, candidates: ranked.slice(0, candidates) };
  }

  #asked(who: string, options: Question) {
    checkOptions(who, options, { match: 1, threshold: "number", candidates: "number", livenessImages: 1 });
    const { candidates = 5, threshold = this.model.threshold, match = this.match } = options;
    checkMatch(match);
    return { candidates, threshold, match };
  }

  /** Nothing of a picture that is refused is computed. */
  async #embed(images: Uint8Array | Float32Array, check: PictureCheck): Promise<Float32Array[]> {
    const scores = this.liveness && (await this.#requireLive(this.liveness, images, check));
    const embeddings = rows(await this.model.embed(images), this.model.embedding);
    if (scores && scores.length !== embeddings.length) {
      throw new TwingradError(
        "BAD_INPUT",
        `livenessImages are the same pictures in another size: ${embeddings.length} were expected, not ${scores.length}`,
      );
    }
    const lost = embeddings.findIndex((embedding) => !allFinite(embedding));
    if (lost >= 0) {
      throw new TwingradError("BAD_INPUT", `the embedding of picture ${lost} is not finite`);
    }
    return embeddings;
  }

  #requireLive({ judge, threshold }: LivenessCheck, images: Uint8Array | Float32Array, check: PictureCheck) {
    const [own, wanted] = [this.model.imageSize, judge.imageSize].map((size) => size?.join(" x "));
    if (!check.livenessImages && own !== undefined && own !== wanted) {
      throw new TwingradError(
        "BAD_INPUT",
        `the liveness model takes pictures of ${wanted} and this one of ${own}: give livenessImages, the same pictures in that size`,
      );
    }
    return requireLive(judge, check.livenessImages ?? images, { threshold });
  }

  async #embedOne(image: Uint8Array | Float32Array, check: PictureCheck): Promise<Float32Array> {
    const probes = await this.#embed(image, check);
    if (probes.length !== 1) throw new TwingradError("BAD_INPUT", `one picture was expected, not ${probes.length}`);
    return probes[0];
  }

  /** Frees what a large gallery keeps on the GPU; the next question puts it there again. */
  dispose(): void {
    this.#indexed?.then(({ index }) => index.dispose()).catch(() => {}); // who asked for it has been told
    this.#indexed = undefined;
  }

  /** The names that the `wanted` nearest people are among, as they were enrolled: all, or those that the device finds. */
  async #nearest(probe: Float32Array, match: Match, wanted: number): Promise<string[]> {
    const count = [...this.#people.values()].reduce((sum, known) => sum + known.length, 0);
    if (!this.model.index || count * this.model.embedding < indexedFrom) return this.names;
    if (this.#indexed && (await this.#indexed).match !== match) this.dispose();
    this.#indexed ??= this.#makeIndex(match);
    const { index, owners, names, mostRows } = await this.#indexed;
    // So many rows are of as many people as are wanted, whoever has how many.
    const k = (Math.min(wanted, names.length) - 1) * mostRows + 1;
    const people = new Set<number>();
    if (k <= mostNearest) for (const { row } of await index.search(probe, k)) people.add(owners[row]);
    else {
      const distances = await index.distances(probe);
      const order = Array.from(distances.keys()).sort((a, b) => distances[a] - distances[b] || a - b);
      for (const row of order) if (people.size < wanted) people.add(owners[row]);
    }
    const found = [...people].slice(0, wanted).sort((a, b) => a - b);
    return found.map((person) => names[person]).filter((name) => this.#people.has(name)); // who was not removed meanwhile
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
    return representatives(this.model, stacked(this.#people.get(name)!), match);
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
   * The gallery that `toJSON` wrote.
   * @throws CORRUPT_FILE for anything else, CHECKPOINT_MISMATCH for a gallery that another model made.
   */
  static fromJSON(model: Recogniser, json: unknown, { liveness }: Pick<GalleryOptions, "liveness"> = {}): Gallery {
    const corrupt = (reason: string) => new TwingradError("CORRUPT_FILE", `this is no gallery: ${reason}`);
    if (!isRecord(json) || json.format !== "twingrad-gallery") throw corrupt('its "format" is not "twingrad-gallery"');
    if (json.version !== 1) throw corrupt(`its version is ${JSON.stringify(json.version)}, not 1`);
    if (json.model !== model.fingerprint) {
      throw new TwingradError(
        "CHECKPOINT_MISMATCH",
        `the gallery was made with another model (${json.model}, not ${model.fingerprint}): distances between the two mean nothing; enrol anew`,
      );
    }
    if (!Array.isArray(json.people)) throw corrupt('"people" is not a list');
    const match = json.match ?? "nearest";
    if (!matches.some((known) => known === match)) throw corrupt(`its "match" is none of ${matches.join(", ")}`);
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
          throw corrupt(`an embedding of "${name}" does not hold ${model.embedding} numbers`);
        }
        return values;
      });
      // Galleries of earlier versions may have a name in two spellings that read the same: they are one person.
      gallery.#people.set(name, [...(gallery.#people.get(name) ?? []), ...decoded]);
    }
    return gallery;
  }
}

/** The verdict on two pictures at this distance. */
export function verification(model: Recogniser, distance: number, threshold = model.threshold): Verification {
  return { same: distance <= threshold, distance, probability: model.probability(distance), threshold };
}

function personName(text: string): string {
  if (readableName(text) === "") throw new TwingradError("BAD_INPUT", "a person needs a name");
  const name = identityName(text);
  if (readsAs(name, "unknown"))
    throw new TwingradError("BAD_INPUT", `nobody can be called "${name}": it stands for strangers`);
  return name;
}

function rows(values: Float32Array, length: number): Float32Array[] {
  return Array.from({ length: values.length / length }, (_, row) => values.slice(row * length, (row + 1) * length));
}

/** The arrays behind one another. */
function stacked(parts: readonly Float32Array[]): Float32Array {
  const whole = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** The same values in fewer, larger arrays: a write to the device costs as much for one row as for a thousand. */
function* inBatches(parts: readonly Float32Array[], most = 2 ** 22): Generator<Float32Array> {
  let batch: Float32Array[] = [];
  let length = 0;
  for (const part of parts) {
    batch.push(part);
    length += part.length;
    if (length < most) continue;
    yield stacked(batch);
    batch = [];
    length = 0;
  }
  if (batch.length > 0) yield stacked(batch);
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
