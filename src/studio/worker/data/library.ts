// The dataset: people, pictures, and who is held out. Each change is stored before it is published.
import type { Dataset } from "../../../data/dataset.ts";
import { byNaturalOrder } from "../../../data/naturalOrder.ts";
import { pictureFormat } from "../../../data/pictures/storedPicture.ts";
import { Random, streams } from "../../../data/random.ts";
import { DiskError, TwingradError } from "../../../errors.ts";
import type { PageDecoder } from "../../../web/decoder.ts";
import type { Added, PictureSummary, RefusedPicture } from "../../messages.ts";
import { folderAt, picturesFolder, readJson, rootFolder, setAside, writeJson } from "../folders.ts";
import type { Publisher } from "../publisher.ts";
import { jpegOf } from "./jpeg.ts";
import {
  isStoredPeople,
  type Person,
  peopleWithin,
  rebuilt,
  repairOf,
  type StoredPeople,
  summaryOf,
  unsortedPeople,
  withoutUnsorted,
} from "./people.ts";
import { personName } from "./personName.ts";
import { type PictureStore, storedPictures } from "./pictureStore.ts";

export interface NewPicture {
  readonly person: string;
  readonly name: string;
  bytes(): Promise<Uint8Array>;
}

interface Prepared {
  readonly who: string;
  readonly content: Uint8Array;
  readonly id: string;
}

/** How many pictures are read, hashed and decoded at a time, to keep the decoders busy. */
const together = 8;
/** Milliseconds between writes of the list while pictures are added: this much is lost where the page is closed. */
const writtenEvery = 2000;
const indexFile = "data.json";
const thumbnailSide = 96;
/** Files up to this size are their own thumbnails. */
const smallFile = 2 ** 15;
/** The number of rejected pictures to list; the rest is only counted. */
const mostRefused = 200;
const heldOutShare = 0.2;

export class Library {
  private people: Person[] = [];
  private refused: RefusedPicture[] = [];
  private skipped = 0;
  private readonly folder = folderAt(rootFolder);
  private readonly store: PictureStore = storedPictures(picturesFolder);
  private ids = 0;
  private clearing = false;
  /** Serializes changes: each is stored completely before the next begins. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly publisher: Publisher,
    private readonly decoder: PageDecoder,
  ) {}

  /** @param earlier lists of people, the newest first, for what a damaged list lacks */
  async open(earlier: () => Promise<(readonly Person[])[]>): Promise<void> {
    const { value, damaged } = await readJson(this.folder, indexFile, isStoredPeople);
    if (value) this.people = value.people;
    else await this.rebuild(damaged, await earlier());
    this.tell();
    await this.store.keepOnly(this.pictureIds());
  }

  /** After the list of people was damaged, or lost: nothing else is removed. */
  private async rebuild(damaged: string | undefined, earlier: (readonly Person[])[]): Promise<void> {
    if (damaged === undefined && earlier.length === 0) return; // there never was one
    const { people, rest } = rebuilt([peopleWithin(damaged ?? ""), ...earlier], await this.store.list());
    const whole: string[] = [];
    for (const id of rest) {
      const bytes = await this.store.read(id).catch(() => undefined);
      if (bytes && (await digestOf(bytes)) === id) whole.push(id); // written to its end
    }
    if (whole.length > 0) people.push(unsortedPeople(whole));
    this.people = people.sort((a, b) => byNaturalOrder(a.name, b.name));
    try {
      const kept =
        damaged === undefined ? "" : ` The damaged file is kept as ${await setAside(this.folder, indexFile)}.`;
      await this.write();
      this.publisher.repaired(repairOf(people) + kept);
    } catch (error) {
      this.publisher.patch("storage", { problem: (error as Error).message });
    }
  }

  /** Adds as many pictures as possible; the others are listed as rejected with the reason. */
  add(pictures: readonly NewPicture[], told?: (done: number) => void): Promise<Added> {
    return this.alone(async () => {
      const before = this.people.map((person) => ({ ...person, pictures: [...person.pictures] }));
      const stored = this.pictureIds();
      const known = new Map(
        withoutUnsorted(this.people).flatMap((p) => p.pictures.map(({ id, name }) => [id, `${p.name}, ${name}`])),
      );
      const added: string[] = [];
      let refused = 0;
      let written = performance.now();
      let full: DiskError | undefined;
      const prepared = ahead(pictures, together, (picture) => this.prepare(picture));
      for (const [index, picture] of pictures.entries()) {
        if (this.clearing) break;
        try {
          const ready = await prepared(index);
          if (full) throw full;
          added.push(await this.take(picture, ready, known));
          if (performance.now() - written > writtenEvery) {
            await this.write();
            written = performance.now();
          }
        } catch (error) {
          if (error instanceof DiskError) full = error;
          this.refuse(picture, error as Error);
          refused++;
        }
        told?.(index + 1);
      }
      this.people = this.people.filter(({ pictures }) => pictures.length > 0); // none is left of the unsorted ones
      this.holdOutNewcomers(new Set(before.map(({ id }) => id)));
      this.people.sort((a, b) => byNaturalOrder(a.name, b.name));
      try {
        await this.write();
      } catch (error) {
        this.people = before; // what is not stored would be gone after a reload
        for (const id of added) if (!stored.has(id)) await this.store.remove(id);
        throw error;
      } finally {
        this.publisher.patch("storage", { problem: full?.message ?? null });
        this.tell();
      }
      return { added: added.length, refused };
    });
  }

  /** The people among these who have a picture here, by its content. */
  async peopleHere(pictures: readonly NewPicture[]): Promise<ReadonlySet<string>> {
    const here = this.pictureIds();
    const found = new Set<string>();
    if (here.size === 0) return found;
    for (const picture of pictures) {
      if (!found.has(picture.person) && here.has(await digestOf(await picture.bytes()))) found.add(picture.person);
    }
    return found;
  }

  pictures(person: string): readonly PictureSummary[] {
    return this.personOf(person).pictures;
  }

  async thumbnail(picture: string): Promise<Blob> {
    const bytes = await this.store.read(picture);
    const format = pictureFormat(bytes);
    if (format && format !== "netpbm" && bytes.length <= smallFile) {
      return new Blob([bytes as Uint8Array<ArrayBuffer>], { type: `image/${format}` }); // shown without decoding
    }
    const pixels = await this.decoder.decode(bytes, [thumbnailSide, thumbnailSide, 3]);
    return jpegOf(pixels, thumbnailSide, 0.85);
  }

  rename(person: string, to: string): Promise<void> {
    return this.alone(async () => {
      const name = personName(to);
      const own = this.personOf(person);
      const other = this.people.find((one) => one !== own && one.name === name);
      if (other) throw new TwingradError("BAD_INPUT", `There is already a person called ${name}.`);
      await this.changing(() => {
        own.name = name;
        delete own.unsorted; // they all show this person
        this.people.sort((a, b) => byNaturalOrder(a.name, b.name));
      });
    });
  }

  holdOut(person: string, heldOut: boolean): Promise<void> {
    return this.alone(() =>
      this.changing(() => {
        this.personOf(person).heldOut = heldOut;
      }),
    );
  }

  removePeople(people: readonly string[]): Promise<void> {
    return this.alone(async () => {
      const pictures = people.flatMap((person) => this.personOf(person).pictures);
      await this.changing(() => {
        this.people = this.people.filter(({ id }) => !people.includes(id));
      });
      for (const { id } of pictures) await this.store.remove(id);
    });
  }

  removePicture(person: string, picture: string): Promise<void> {
    return this.alone(async () => {
      await this.changing(() => {
        const own = this.personOf(person);
        own.pictures = own.pictures.filter(({ id }) => id !== picture);
        if (own.pictures.length === 0) this.people = this.people.filter((one) => one !== own);
      });
      await this.store.remove(picture);
    });
  }

  dismissRefused(): void {
    this.refused = [];
    this.skipped = 0;
    this.tell();
  }

  /** Forgets everything after `remove`, which removes the folder. Pictures that are being added are not added. */
  forget(remove: () => Promise<void>): Promise<void> {
    this.clearing = true;
    return this.alone(async () => {
      await remove();
      this.people = [];
      this.refused = [];
      this.skipped = 0;
      this.tell();
    }).finally(() => {
      this.clearing = false;
    });
  }

  /** The people with their pictures as they are now. */
  snapshot(): readonly Person[] {
    return structuredClone(this.people);
  }

  /** How many pictures of a snapshot were removed since. */
  removedSince(people: readonly Person[]): number {
    const known = this.pictureIds();
    return people.flatMap(({ pictures }) => pictures).filter(({ id }) => !known.has(id)).length;
  }

  /**
   * The training and the held-out dataset; the latter is empty where nobody is held out.
   * @param people a snapshot, for the data as they were; removed pictures are left out.
   */
  datasets(people: readonly Person[] = this.people): { training: Dataset; heldOut: Dataset } {
    const known = this.pictureIds();
    const of = (heldOut: boolean): Dataset => {
      const own = withoutUnsorted(people).filter((person) => person.heldOut === heldOut);
      return {
        identities: own.map(({ name }) => name),
        items: own.flatMap(({ name: who, pictures }, identity) =>
          pictures
            .filter(({ id }) => known.has(id))
            .map(({ id, name }) => {
              const stored = async () => ({ bytes: await this.store.read(id) });
              return {
                identity,
                name: `${who}, ${name}`,
                stored,
                decode: async (size) => this.decoder.decode(await stored(), size),
              };
            }),
        ),
      };
    };
    return { training: of(false), heldOut: of(true) };
  }

  /** Changes with the pictures and with who is held out, and with nothing else. */
  async fingerprint(): Promise<string> {
    const parts = withoutUnsorted(this.people).map(({ id, heldOut, pictures }) => {
      return [id, heldOut, pictures.map((picture) => picture.id)];
    });
    parts.sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    return digestOf(new TextEncoder().encode(JSON.stringify(parts)));
  }

  /** Why training is not possible yet; undefined when it is. */
  tooLittle(): string | undefined {
    if (this.people.length === 0) return "There are no pictures yet.";
    const learned = withoutUnsorted(this.people).filter(({ heldOut }) => !heldOut);
    const several = learned.filter(({ pictures }) => pictures.length > 1).length;
    if (learned.length < 2) return "Training needs pictures of at least two people who are not held out.";
    if (several < 2) return "Training needs at least two people with two pictures each who are not held out.";
    return undefined;
  }

  /** The part of adding a picture that can run concurrently. */
  private async prepare({ person, bytes }: NewPicture): Promise<Prepared> {
    const who = personName(person);
    const content = await bytes();
    const id = await digestOf(content);
    await this.decoder.decode(content, [8, 8, 3]); // throws where it cannot be decoded
    return { who, content, id };
  }

  private async take({ name }: NewPicture, { who, content, id }: Prepared, known: Map<string, string>) {
    const other = known.get(id);
    if (other !== undefined) throw new DuplicateError(`It is the same picture as ${other}.`);
    await this.store.write(id, content);
    known.set(id, `${who}, ${name}`);
    const unsorted = this.people.find((one) => one.unsorted);
    if (unsorted) unsorted.pictures = unsorted.pictures.filter((one) => one.id !== id);
    let own = this.people.find((one) => one.name === who);
    if (!own) {
      own = { id: `${Date.now().toString(36)}-${(this.ids++).toString(36)}`, name: who, heldOut: false, pictures: [] };
      this.people.push(own);
    }
    own.pictures.push({ id, name });
    return id;
  }

  private refuse({ person, name }: NewPicture, error: Error): void {
    const { code } = error as TwingradError;
    const why =
      error instanceof DuplicateError
        ? "duplicate"
        : error instanceof DiskError
          ? "storage"
          : code === "BAD_INPUT"
            ? "name"
            : "unreadable";
    const id = `refused-${this.ids++}`;
    this.skipped++;
    this.refused = [{ id, person, name, why, reason: error.message } as const, ...this.refused].slice(0, mostRefused);
  }

  /**
   * Holds out new people until a fifth of all people are held out; only people with two pictures, since genuine pairs
   * need them. People added earlier stay on their side.
   */
  private holdOutNewcomers(before: ReadonlySet<string>): void {
    const everyone = this.people.length;
    if (everyone < 4) return;
    const newcomers = this.people.filter(({ id, pictures }) => !before.has(id) && pictures.length > 1);
    const wanted = Math.max(2, Math.round(heldOutShare * everyone)) - this.people.filter((p) => p.heldOut).length;
    const order = new Random(everyone, streams.split).shuffle([...newcomers]);
    for (const person of order.slice(0, Math.max(0, wanted))) person.heldOut = true;
  }

  /** Applies `change` and stores it; where that fails, nothing has changed. */
  private async changing(change: () => void): Promise<void> {
    const before = this.people.map((person) => ({ ...person, pictures: [...person.pictures] }));
    try {
      change();
      await this.write();
    } catch (error) {
      this.people = before;
      throw error;
    } finally {
      this.tell();
    }
  }

  private async write(): Promise<void> {
    await writeJson(this.folder, indexFile, { version: 1, people: this.people } satisfies StoredPeople);
  }

  private alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.turn.then(work);
    this.turn = mine.catch(() => undefined);
    return mine;
  }

  private pictureIds(): ReadonlySet<string> {
    return new Set(this.people.flatMap(({ pictures }) => pictures.map(({ id }) => id)));
  }

  private personOf(id: string): Person {
    const person = this.people.find((one) => one.id === id);
    if (!person) throw new TwingradError("BAD_INPUT", "This person no longer exists.");
    return person;
  }

  private tell(): void {
    this.publisher.set("data", {
      people: this.people.map(summaryOf),
      pictures: this.people.reduce((sum, { pictures }) => sum + pictures.length, 0),
      refused: this.refused,
      skipped: this.skipped,
      tooLittle: this.tooLittle() ?? null,
      kept: this.publisher.state.data.kept,
    });
  }
}

class DuplicateError extends TwingradError {
  constructor(message: string) {
    super("BAD_INPUT", message);
  }
}

/** Begins `work` on a few items ahead; the returned function awaits the result of an item, in order. */
function ahead<T, R>(items: readonly T[], most: number, work: (item: T) => Promise<R>): (index: number) => Promise<R> {
  const begun = new Map<number, Promise<R>>();
  let next = 0;
  return (index) => {
    while (next < Math.min(items.length, index + most)) {
      const one = work(items[next]);
      one.catch(() => undefined); // reported in its turn
      begun.set(next++, one);
    }
    const mine = begun.get(index)!;
    begun.delete(index); // frees its memory before all are done
    return mine;
  };
}

async function digestOf(bytes: Uint8Array): Promise<string> {
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes as Uint8Array<ArrayBuffer>));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
