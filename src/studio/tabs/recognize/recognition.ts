// The gallery and the model in use, stored in the origin-private file system. Each change is stored before it takes
// effect; where that fails, nothing has changed.

import type { FaceFinder } from "../../../data/detection/faceFinder.ts";
import { identityName } from "../../../data/names.ts";
import { DeviceLostError, NotLiveError, TwingradError } from "../../../errors.ts";
import { sha256 } from "../../../formats/seal.ts";
import type { Device } from "../../../gpu/device.ts";
import { Gallery } from "../../../recognition/gallery.ts";
import { LivenessModel } from "../../../recognition/livenessModel.ts";
import { Model } from "../../../recognition/recognitionModel.ts";
import { browserFaceFinder } from "../../../web/faceFinders.ts";
import type { Input, Output, Probe, Recognized } from "../../messages.ts";
import { count } from "../../page/words.ts";
import type { Context } from "../../worker/context.ts";
import { folderAt, readJson, recognitionFolder, setAside, writeJson } from "../../worker/folders.ts";
import { galleryFile, importedId } from "../../worker/models.ts";
import { dataUri, pictureFile } from "../../worker/pictureFiles.ts";
import { tellStorage } from "../../worker/storageFigures.ts";
import { installedFaceFinder } from "./faceFinder.ts";
import { mergedGalleries, readGallery, taking } from "./imports.ts";
import { galleryWithin, isKeptGallery, type KeptGallery } from "./keptGallery.ts";
import { croppedTo, type PreparedProbe, prepare } from "./probe.ts";

interface Opened {
  readonly id: string;
  readonly digest: string;
  readonly device: Device;
  readonly model: Model;
  gallery: Gallery;
  covers: ReadonlyMap<string, string>;
}

const coverSide = 96;
/** Frames are embedded one at a time. */
const batchSize = 1;

export class Recognition {
  private readonly folder = folderAt(recognitionFolder);
  private opened: Opened | undefined;
  private liveness: { readonly device: Device; readonly scorer: LivenessModel } | undefined;
  private finder: FaceFinder | undefined;
  /** Serializes changes. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly context: Context) {
    context.forgetters.add(() => this.forgetAll());
  }

  open(wanted?: string): Promise<void> {
    return this.alone(async () => {
      const { models } = this.context;
      this.finder ??= await browserFaceFinder();
      const known = models.list().map(({ id }) => id);
      const last = models.index.model;
      const id = wanted ?? (last !== null && known.includes(last) ? last : known[0]);
      if (id === undefined) return this.close();
      await this.use(id);
    });
  }

  enroll({ name, pictures, findFace }: Input<"recognize.enroll">): Promise<Output<"recognize.enroll">> {
    return this.changingAlone(async (opened) => {
      const refused: { name: string; reason: string }[] = [];
      let added = 0;
      await this.changing(opened, async () => {
        for (const { name: file, picture } of pictures) {
          try {
            const probe = await prepare(picture, findFace ? this.finder : undefined);
            if (findFace && this.finder && !probe.face) throw new NoFaceError();
            await opened.gallery.enroll(name, await this.pixels(probe, opened.model), await this.checked(probe));
            const known = identityName(name); // in the gallery's form
            if (!opened.covers.has(known)) opened.covers = new Map(opened.covers).set(known, await this.cover(probe));
            added++;
          } catch (error) {
            if (!isOfPicture(error)) throw error;
            refused.push({ name: file, reason: error instanceof NotLiveError ? notLive(error) : error.message });
          }
        }
      });
      return { added, refused };
    });
  }

  async identify(picture: Probe, findFace: boolean): Promise<Recognized | "refused" | "no face"> {
    const probe = await prepare(picture, findFace ? this.finder : undefined);
    if (findFace && this.finder && !probe.face) return "no face";
    try {
      return await this.onDevice(async ({ model, gallery }) => {
        const found = await gallery.identify(await this.pixels(probe, model), await this.checked(probe));
        const { name, distance, threshold, candidates } = found;
        const probability = model.calibrated ? model.probability(distance) : null;
        return { name, distance, threshold, candidates, probability };
      });
    } catch (error) {
      if (error instanceof NotLiveError) return "refused";
      throw error;
    }
  }

  forget(name: string): Promise<void> {
    return this.changingAlone((opened) =>
      this.changing(opened, async () => {
        opened.gallery.remove(name);
        opened.covers = new Map([...opened.covers].filter(([known]) => known !== name));
      }),
    );
  }

  async exportModel(): Promise<Output<"recognize.exportModel">> {
    const { models } = this.context;
    const { id } = this.inUse();
    const bytes = (await models.read(id)) as Uint8Array<ArrayBuffer>;
    return { name: `${models.nameOf(id)}.safetensors`, file: new Blob([bytes]) };
  }

  async exportOnnx(): Promise<Output<"recognize.exportOnnx">> {
    const { models } = this.context;
    const { id } = this.inUse();
    const { exportOnnx } = await import("../../../exchange/onnx/exportOnnx.ts"); // large, and rarely needed
    const { bytes } = await exportOnnx(await models.read(id));
    return { name: `${models.nameOf(id)}.onnx`, file: new Blob([bytes as Uint8Array<ArrayBuffer>]) };
  }

  importModel(file: File): Promise<string> {
    return this.alone(() =>
      taking(file, async (bytes) => {
        const model = await Model.open(await this.context.device(), bytes, { batchSize });
        const id = importedId(model.fingerprint);
        await model.dispose();
        await this.context.models.add(id, file.name.replace(/\.safetensors$/i, ""), bytes);
        await this.use(id);
        return id;
      }),
    );
  }

  removeModel(id: string): Promise<void> {
    return this.alone(async () => {
      const { models } = this.context;
      if (!models.isImported(id)) return;
      await models.removeGallery(id);
      await models.remove(id);
      if (this.opened?.id !== id) return;
      const [next] = models.list();
      await (next ? this.use(next.id) : this.close());
    });
  }

  async exportGallery(): Promise<Output<"recognize.exportGallery">> {
    const { id, gallery } = this.inUse();
    const file = new Blob([JSON.stringify(gallery)], { type: "application/json" });
    return { name: `Gallery of ${this.context.models.nameOf(id)}.json`, file };
  }

  importGallery(file: File): Promise<Output<"recognize.importGallery">> {
    return this.changingAlone((opened) =>
      taking(file, async (bytes) => {
        const added = readGallery(opened.model, bytes);
        const { merged, duplicates } = mergedGalleries(opened.gallery.toJSON(), added);
        await this.changing(opened, async () => {
          const { liveness } = opened.gallery;
          opened.gallery = Gallery.fromJSON(opened.model, merged, { liveness });
        });
        const pictures = added.people.reduce((sum, { embeddings }) => sum + embeddings.length, 0) - duplicates;
        const withoutPicture = added.people.filter(({ name }) => !opened.covers.has(name)).length;
        return { people: added.people.length, pictures, duplicates, withoutPicture };
      }),
    );
  }

  /** Loads the face finder that is served beside the page. */
  loadFinder(): Promise<void> {
    return this.alone(async () => {
      this.finder = await installedFaceFinder();
      this.tell();
    });
  }

  setLiveness(file: File | null): Promise<void> {
    return this.alone(async () => {
      const { models } = this.context;
      const before = { kept: models.index.liveness, opened: this.liveness };
      if (!file) {
        await models.keep({ liveness: null });
        this.liveness = undefined;
      } else {
        await taking(file, async (bytes) => {
          const device = await this.context.device();
          const scorer = await LivenessModel.open(device, bytes, { batchSize });
          const own = `liveness-${(await sha256(bytes)).slice(0, 16)}.safetensors`; // beside the previous one, until it is in the index
          await this.folder.write(own, bytes);
          await models.keep({ liveness: { name: file.name, file: own } });
          this.liveness = { device, scorer };
        });
      }
      if (this.opened) this.opened.gallery.liveness = this.liveness;
      this.tell();
      await before.opened?.scorer.dispose();
      if (before.kept && before.kept.file !== models.index.liveness?.file) await this.folder.remove(before.kept.file);
    });
  }

  /** Opens a model with its people. Where that fails, the previous model stays open. */
  private async use(id: string): Promise<void> {
    const { opened } = this;
    const { models } = this.context;
    const bytes = await models.read(id);
    const device = await this.context.device();
    const digest = await sha256(bytes);
    if (opened?.id === id && opened.digest === digest && opened.device === device) return this.tell();
    const model = await Model.open(device, bytes, { batchSize });
    try {
      await this.openLiveness(device);
      const enrolled = await this.enrolled(model);
      if (models.index.model !== id) await models.keep({ model: id });
      this.opened = { id, digest, device, model, ...enrolled };
    } catch (error) {
      await model.dispose();
      throw error;
    }
    await opened?.model.dispose();
    this.tell();
  }

  /** The people enrolled with a model. From a damaged gallery, those that can be read; its file is kept. */
  private async enrolled(model: Model): Promise<Pick<Opened, "gallery" | "covers">> {
    const file = galleryFile(model.fingerprint);
    const { value, damaged } = await readJson(this.folder, file, (stored) => isKeptGallery(model, stored));
    const kept = value ?? (damaged === undefined ? undefined : galleryWithin(model, damaged));
    const { liveness } = this;
    if (!kept) return { gallery: new Gallery(model, { match: "nearest", liveness }), covers: new Map() };
    const gallery = Gallery.fromJSON(model, kept.gallery, { liveness });
    if (damaged !== undefined) {
      const aside = await setAside(this.folder, file);
      await writeJson(this.folder, file, kept);
      const found = gallery.names.length === 0 ? "Nobody" : count(gallery.names.length, "person", "people");
      this.context.publisher.repaired(
        `The people enrolled for this model were damaged. ${found} could be read; enroll the others again. The damaged file is kept as ${aside}.`,
      );
    }
    return { gallery, covers: new Map(kept.covers) };
  }

  private async openLiveness(device: Device): Promise<void> {
    const { liveness } = this.context.models.index;
    if (!liveness || this.liveness?.device === device) return;
    const bytes = await this.folder.read(liveness.file);
    this.liveness = { device, scorer: await LivenessModel.open(device, bytes, { batchSize }) };
  }

  private inUse(): Opened {
    if (!this.opened) throw new TwingradError("BAD_INPUT", "There is no model yet: train or import one first.");
    return this.opened;
  }

  /** The model in use on the current device; it is opened again after the device was lost. Called in a turn. */
  private async current(): Promise<Opened> {
    const { id, device } = this.inUse();
    if (device !== (await this.context.device())) await this.use(id);
    return this.inUse();
  }

  /** Calls the model in use; again if its device is lost meanwhile, or another model is opened. */
  private async onDevice<T>(work: (opened: Opened) => Promise<T>): Promise<T> {
    const { device } = this.inUse();
    const ready = device === (await this.context.device());
    const reopened = () => this.alone(() => this.current());
    return again(ready ? this.inUse() : await reopened(), work, reopened);
  }

  /** Changes people, one change at a time; again if the device is lost meanwhile. */
  private changingAlone<T>(work: (opened: Opened) => Promise<T>): Promise<T> {
    return this.alone(async () => again(await this.current(), work, () => this.current()));
  }

  /** Changes the gallery, and stores it. */
  private async changing(opened: Opened, change: () => Promise<void>): Promise<void> {
    const before = { gallery: opened.gallery.toJSON(), covers: opened.covers };
    try {
      await change();
      const kept: KeptGallery = { version: 1, gallery: opened.gallery.toJSON(), covers: [...opened.covers] };
      this.context.models.nameOf(opened.id); // throws where the model was deleted meanwhile
      await writeJson(this.folder, galleryFile(opened.model.fingerprint), kept);
    } catch (error) {
      const { liveness } = this;
      opened.gallery = Gallery.fromJSON(opened.model, before.gallery, { liveness });
      opened.covers = before.covers;
      throw error;
    } finally {
      this.tell();
    }
    await tellStorage(this.context.publisher);
  }

  private pixels(probe: PreparedProbe, { crop, imageSize }: Model | LivenessModel): Promise<Uint8Array> {
    return this.context.decoder.decode(croppedTo(probe, crop), imageSize);
  }

  /** The same picture in the liveness model's size. */
  private async checked(probe: PreparedProbe): Promise<{ livenessImages?: Uint8Array }> {
    return this.liveness ? { livenessImages: await this.pixels(probe, this.liveness.scorer) } : {};
  }

  private async cover(probe: PreparedProbe): Promise<string> {
    const size = [coverSide, coverSide, 3] as const;
    return dataUri(await pictureFile(await this.context.decoder.decode(croppedTo(probe), size), size));
  }

  private async close(): Promise<void> {
    await this.opened?.model.dispose();
    this.opened = undefined;
    this.tell();
  }

  private forgetAll(): void {
    void this.opened?.model.dispose();
    void this.liveness?.scorer.dispose();
    this.opened = undefined;
    this.liveness = undefined;
    this.tell();
  }

  private alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.turn.then(work);
    this.turn = mine.catch(() => undefined);
    return mine;
  }

  private tell(): void {
    const { opened, liveness, finder } = this;
    const kept = this.context.models.index.liveness;
    const people = opened?.gallery.toJSON().people ?? [];
    this.context.publisher.set("recognition", {
      model: opened?.id ?? null,
      people: people.map(({ name, embeddings }) => {
        return { name, pictures: embeddings.length, cover: opened?.covers.get(name) ?? null };
      }),
      threshold: opened?.model.threshold ?? null,
      liveness: liveness && kept ? { name: kept.name, threshold: liveness.scorer.threshold } : null,
      finder: finder?.name ?? null,
      wantsFaces: opened?.model.crop?.mode === "face",
    });
  }
}

class NoFaceError extends TwingradError {
  constructor() {
    super("BAD_INPUT", "No face was found in this picture.");
  }
}

/** Whether the error concerns one picture only; any other would affect all of them. */
function isOfPicture(error: unknown): error is TwingradError {
  return (
    error instanceof NotLiveError ||
    error instanceof NoFaceError ||
    (error instanceof TwingradError && error.code === "CORRUPT_FILE")
  );
}

const notLive = ({ score, threshold }: NotLiveError) =>
  `The liveness model takes this for a photo or a screen (presentation attack): score ${score.toFixed(2)}, expected at least ${threshold.toFixed(2)}.`;

/** The device was lost, or the model was closed because another one was opened. */
const isGone = (error: unknown) =>
  error instanceof DeviceLostError || (error instanceof TwingradError && error.code === "DISPOSED");

/** Calls `work` with the opened model; again with the reopened one if the first is gone meanwhile. */
async function again<T>(
  opened: Opened,
  work: (opened: Opened) => Promise<T>,
  reopened: () => Promise<Opened>,
): Promise<T> {
  try {
    return await work(opened);
  } catch (error) {
    if (!isGone(error)) throw error;
    await settled(opened, error);
    return work(await reopened());
  }
}

/** Waits until the loss of a device is reported, so that the next call opens another. */
async function settled({ device }: Opened, error: unknown): Promise<void> {
  if (error instanceof DeviceLostError) await device.lost.catch(() => undefined);
}
