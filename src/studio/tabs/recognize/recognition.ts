// The gallery and the model in use, stored in the origin-private file system. Each change is stored before it takes
// effect; where that fails, nothing has changed.
import { identityName } from "../../../data/names.ts";
import { NotLiveError, TwingradError } from "../../../errors.ts";
import { sha256 } from "../../../formats/seal.ts";
import type { Device } from "../../../gpu/device.ts";
import { Gallery, type GalleryJson } from "../../../recognition/gallery.ts";
import { LivenessModel } from "../../../recognition/livenessModel.ts";
import { Model } from "../../../recognition/recognitionModel.ts";
import { type ShapeDetector, shapeDetector } from "../../../web/shapeDetector.ts";
import type { Input, Output, Probe, Recognized } from "../../messages.ts";
import type { Context } from "../../worker/context.ts";
import { folderAt, readJson, rootFolder, writeJson } from "../../worker/folders.ts";
import { dataUri, pictureFile } from "../../worker/pictureFiles.ts";
import { tellStorage } from "../../worker/storageFigures.ts";
import { mergedGalleries, readGallery, taking } from "./imports.ts";
import { type PreparedProbe, prepare } from "./probe.ts";

/** The stored index of models and galleries. */
interface Index {
  readonly version: 1;
  /** The model used last. */
  model: string | null;
  imported: { readonly id: string; readonly name: string }[];
  liveness: { readonly name: string } | null;
}

/** The people of one model, with a small picture of each person enrolled here. */
interface KeptGallery {
  readonly gallery: GalleryJson;
  readonly covers: readonly (readonly [name: string, dataUri: string])[];
}

interface Opened {
  readonly id: string;
  readonly digest: string;
  readonly device: Device;
  readonly model: Model;
  gallery: Gallery;
  covers: ReadonlyMap<string, string>;
}

const indexFile = "recognition.json";
const livenessFile = "liveness.safetensors";
const modelFile = (id: string) => `${id}.safetensors`;
const galleryFile = (fingerprint: string) => `gallery-${fingerprint}.json`;
const coverSide = 96;
/** Frames are embedded one at a time. */
const batchSize = 1;

export class Recognition {
  private readonly folder = folderAt(`${rootFolder}/recognition`);
  private index: Index | undefined;
  private opened: Opened | undefined;
  private liveness: { readonly device: Device; readonly scorer: LivenessModel } | undefined;
  private finder: ShapeDetector | undefined;
  /** Serializes changes. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly context: Context) {
    context.forgetters.add(() => this.forgetAll());
  }

  open(wanted?: string): Promise<void> {
    return this.alone(async () => {
      const index = await this.load();
      const known = [...this.runs(), ...index.imported].map(({ id }) => id);
      const id = wanted ?? (index.model !== null && known.includes(index.model) ? index.model : known[0]);
      if (id === undefined) return this.close();
      await this.use(id);
    });
  }

  enroll({ name, pictures, findFace }: Input<"recognize.enroll">): Promise<Output<"recognize.enroll">> {
    return this.alone(async () => {
      const opened = await this.current();
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
            refused.push({ name: file, reason: error.message });
          }
        }
      });
      return { added, refused };
    });
  }

  async identify(picture: Probe, findFace: boolean): Promise<Recognized | "refused" | "no face"> {
    const { model, gallery } = await this.current();
    const probe = await prepare(picture, findFace ? this.finder : undefined);
    if (findFace && this.finder && !probe.face) return "no face";
    try {
      const found = await gallery.identify(await this.pixels(probe, model), await this.checked(probe));
      const { name, distance, threshold, candidates } = found;
      const probability = model.calibrated ? model.probability(distance) : null;
      return { name, distance, threshold, candidates, probability, face: probe.face };
    } catch (error) {
      if (error instanceof NotLiveError) return "refused";
      throw error;
    }
  }

  forget(name: string): Promise<void> {
    return this.alone(async () => {
      const opened = await this.current();
      await this.changing(opened, async () => {
        opened.gallery.remove(name);
        opened.covers = new Map([...opened.covers].filter(([known]) => known !== name));
      });
    });
  }

  async exportModel(): Promise<Output<"recognize.exportModel">> {
    const { id } = await this.current();
    const bytes = (await this.bytesOf(id)) as Uint8Array<ArrayBuffer>;
    return { name: `${this.nameOf(id)}.safetensors`, file: new Blob([bytes]) };
  }

  async exportOnnx(): Promise<Output<"recognize.exportOnnx">> {
    const { id } = await this.current();
    const { exportOnnx } = await import("../../../exchange/onnx/exportOnnx.ts"); // large, and rarely needed
    const { bytes } = await exportOnnx(await this.bytesOf(id));
    return { name: `${this.nameOf(id)}.onnx`, file: new Blob([bytes as Uint8Array<ArrayBuffer>]) };
  }

  importModel(file: File): Promise<void> {
    return this.alone(() =>
      taking(file, async (bytes) => {
        const model = await Model.open(await this.context.device(), bytes, { batchSize });
        const id = `imported-${model.fingerprint.slice(0, 16)}`;
        await model.dispose();
        const index = await this.load();
        await this.folder.write(modelFile(id), bytes);
        const others = index.imported.filter((one) => one.id !== id);
        await this.keep({ imported: [...others, { id, name: file.name.replace(/\.safetensors$/i, "") }] });
        await this.use(id);
      }),
    );
  }

  removeModel(id: string): Promise<void> {
    return this.alone(async () => {
      const index = await this.load();
      if (!index.imported.some((one) => one.id === id)) return;
      await this.keep({
        imported: index.imported.filter((one) => one.id !== id),
        model: index.model === id ? null : index.model,
      });
      await this.folder.remove(modelFile(id));
      if (this.opened?.id !== id) return this.tell();
      const [next] = [...this.runs(), ...this.index!.imported];
      await (next ? this.use(next.id) : this.close());
    });
  }

  async exportGallery(): Promise<Blob> {
    const { gallery } = await this.current();
    return new Blob([JSON.stringify(gallery)], { type: "application/json" });
  }

  importGallery(file: File): Promise<{ people: number }> {
    return this.alone(() =>
      taking(file, async (bytes) => {
        const opened = await this.current();
        const added = readGallery(opened.model, bytes);
        await this.changing(opened, async () => {
          const { liveness } = opened.gallery;
          opened.gallery = Gallery.fromJSON(opened.model, mergedGalleries(opened.gallery.toJSON(), added), {
            liveness,
          });
        });
        return { people: added.people.length };
      }),
    );
  }

  setLiveness(file: File | null): Promise<void> {
    return this.alone(async () => {
      const index = await this.load();
      if (!file) {
        await this.keep({ liveness: null });
        if (index.liveness) await this.folder.remove(livenessFile);
        await this.liveness?.scorer.dispose();
        this.liveness = undefined;
      } else {
        await taking(file, async (bytes) => {
          const device = await this.context.device();
          const scorer = await LivenessModel.open(device, bytes, { batchSize });
          await this.folder.write(livenessFile, bytes);
          await this.keep({ liveness: { name: file.name } });
          await this.liveness?.scorer.dispose();
          this.liveness = { device, scorer };
        });
      }
      if (this.opened) this.opened.gallery.liveness = this.liveness;
      this.tell();
    });
  }

  /** Opens a model with its people. Where that fails, the previous model stays open. */
  private async use(id: string): Promise<void> {
    const { opened } = this;
    const bytes = await this.bytesOf(id);
    const device = await this.context.device();
    const digest = await sha256(bytes);
    if (opened?.id === id && opened.digest === digest && opened.device === device) return this.tell();
    const model = await Model.open(device, bytes, { batchSize });
    try {
      await this.openLiveness(device);
      const kept = await readJson<KeptGallery>(this.folder, galleryFile(model.fingerprint));
      const { liveness } = this;
      const gallery = kept
        ? Gallery.fromJSON(model, kept.gallery, { liveness })
        : new Gallery(model, { match: "nearest", liveness });
      if (this.index!.model !== id) await this.keep({ model: id });
      this.opened = { id, digest, device, model, gallery, covers: new Map(kept?.covers) };
    } catch (error) {
      await model.dispose();
      throw error;
    }
    await opened?.model.dispose();
    this.tell();
  }

  private async openLiveness(device: Device): Promise<void> {
    if (!this.index!.liveness || this.liveness?.device === device) return;
    const bytes = await this.folder.read(livenessFile);
    this.liveness = { device, scorer: await LivenessModel.open(device, bytes, { batchSize }) };
  }

  /** The model in use on the current device; it is opened again after the device was lost. */
  private async current(): Promise<Opened> {
    if (!this.opened) throw new TwingradError("BAD_INPUT", "There is no model yet: train one first.");
    if (this.opened.device !== (await this.context.device())) await this.use(this.opened.id);
    return this.opened;
  }

  /** Changes the gallery, and stores it. */
  private async changing(opened: Opened, change: () => Promise<void>): Promise<void> {
    const before = { gallery: opened.gallery.toJSON(), covers: opened.covers };
    try {
      await change();
      const kept: KeptGallery = { gallery: opened.gallery.toJSON(), covers: [...opened.covers] };
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

  private pixels({ stored }: PreparedProbe, { imageSize }: Model): Promise<Uint8Array> {
    return this.context.decoder.decode(stored, imageSize);
  }

  /** The same picture in the liveness model's size. */
  private async checked({ stored }: PreparedProbe): Promise<{ livenessImages?: Uint8Array }> {
    if (!this.liveness) return {};
    return { livenessImages: await this.context.decoder.decode(stored, this.liveness.scorer.imageSize) };
  }

  private async cover({ stored }: PreparedProbe): Promise<string> {
    const size = [coverSide, coverSide, 3] as const;
    return dataUri(await pictureFile(await this.context.decoder.decode(stored, size), size));
  }

  private runs() {
    return this.context.runs.list().filter(({ hasModel }) => hasModel);
  }

  private nameOf(id: string): string {
    return [...this.runs(), ...(this.index?.imported ?? [])].find((one) => one.id === id)?.name ?? "model";
  }

  private async bytesOf(id: string): Promise<Uint8Array> {
    const imported = (await this.load()).imported.some((one) => one.id === id);
    return imported ? this.folder.read(modelFile(id)) : this.context.runs.model(id);
  }

  private async load(): Promise<Index> {
    if (this.index) return this.index;
    this.finder = await shapeDetector({ maxDetectedFaces: 4 });
    const kept = await readJson<Index>(this.folder, indexFile);
    this.index = kept ?? { version: 1, model: null, imported: [], liveness: null };
    return this.index;
  }

  private async keep(changed: Partial<Index>): Promise<void> {
    const index = { ...(await this.load()), ...changed };
    await writeJson(this.folder, indexFile, index);
    this.index = index;
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
    this.index = undefined;
    this.tell();
  }

  private alone<T>(work: () => Promise<T>): Promise<T> {
    const mine = this.turn.then(work);
    this.turn = mine.catch(() => undefined);
    return mine;
  }

  private tell(): void {
    const { opened, index, liveness, finder } = this;
    const people = opened?.gallery.toJSON().people ?? [];
    this.context.publisher.set("recognition", {
      model: opened?.id ?? null,
      imported: index?.imported ?? [],
      people: people.map(({ name, embeddings }) => {
        return { name, pictures: embeddings.length, cover: opened?.covers.get(name) ?? null };
      }),
      threshold: opened?.model.threshold ?? null,
      liveness:
        liveness && index?.liveness ? { name: index.liveness.name, threshold: liveness.scorer.threshold } : null,
      findsFaces: finder !== undefined,
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
