// The trained models: those of runs, and those imported from files. The index also has which one was used last, and the
// liveness model.
import { TwingradError } from "../../errors.ts";
import { fingerprintOfModel } from "../../model/fingerprint.ts";
import type { ImportedModel } from "../messages.ts";
import { count } from "../page/words.ts";
import { folderAt, isAside, readJson, recognitionFolder, setAside, writeJson } from "./folders.ts";
import type { Publisher } from "./publisher.ts";
import { hasFields, isListOf, isNumber, isText } from "./shapes.ts";
import type { Runs } from "./training/runs.ts";

interface Index {
  readonly version: 1;
  /** The model used last. */
  readonly model: string | null;
  readonly imported: readonly ImportedModel[];
  readonly liveness: { readonly name: string; readonly file: string } | null;
}

const indexFile = "recognition.json";
const fileOf = (id: string) => `${id}.safetensors`;
const empty: Index = { version: 1, model: null, imported: [], liveness: null };

export const galleryFile = (fingerprint: string) => `gallery-${fingerprint}.json`;

const isIndex = (value: unknown): value is Index =>
  hasFields<Index>(value, {
    version: isNumber,
    model: (model) => model === null || isText(model),
    imported: isListOf((one) => hasFields<ImportedModel>(one, { id: isText, name: isText })),
    liveness: (one) => one === null || hasFields<NonNullable<Index["liveness"]>>(one, { name: isText, file: isText }),
  });

/** The id of a model from a file: the same for the same model. */
export const importedId = (fingerprint: string) => `imported-${fingerprint.slice(0, 16)}`;

export class Models {
  index: Index = empty;
  private readonly folder = folderAt(recognitionFolder);

  constructor(
    private readonly publisher: Publisher,
    private readonly runs: Runs,
  ) {}

  async open(): Promise<void> {
    const { value, damaged } = await readJson(this.folder, indexFile, isIndex);
    if (value) this.index = value;
    else if (damaged !== undefined) await this.rebuild();
    this.tell();
  }

  /** After the index was damaged: the models themselves are in files of their own. */
  private async rebuild(): Promise<void> {
    const files = await this.folder.list();
    const imported = files.flatMap((file) => {
      const [, id, digest] = /^(imported-([^.]+))\.safetensors$/.exec(file) ?? [];
      return id ? [{ id, name: `Model ${digest.slice(0, 6)}` }] : [];
    });
    const liveness = files.find((file) => /^liveness-.+\.safetensors$/.test(file));
    this.index = { ...empty, imported, liveness: liveness ? { name: liveness, file: liveness } : null };
    try {
      const kept = await setAside(this.folder, indexFile);
      await this.keep({});
      this.publisher.repaired(
        `The list of imported models was damaged. ${count(imported.length, "model")} of it ${imported.length === 1 ? "was" : "were"} found again, without the name. The damaged file is kept as ${kept}.`,
      );
    } catch (error) {
      this.publisher.patch("storage", { problem: (error as Error).message });
    }
  }

  /** Keeps the model of a run whose own file is damaged. */
  async rescue(run: string): Promise<void> {
    try {
      const bytes = await this.runs.rescued(run);
      let kept = "It has no model yet, so nothing of it can be used";
      if (bytes) {
        const digest = await fingerprintOfModel(bytes);
        const name = `Recovered model ${digest.slice(0, 6)}`;
        await this.add(importedId(digest), name, bytes);
        kept = `Its model is kept as “${name}”, with the people enrolled for it; its settings and curves are lost`;
      }
      await this.runs.setAside(run);
      this.publisher.repaired(`The record of a run was damaged. ${kept}.`);
    } catch (error) {
      this.publisher.repaired(`The record of a run is damaged, and could not be repaired: ${(error as Error).message}`);
    }
  }

  /** The models of runs, the newest first, then the imported ones. */
  list(): readonly ImportedModel[] {
    return [...this.runs.list().filter(({ hasModel }) => hasModel), ...this.index.imported];
  }

  isImported(id: string): boolean {
    return this.index.imported.some((one) => one.id === id);
  }

  nameOf(id: string): string {
    const found = this.list().find((one) => one.id === id);
    if (!found) throw new TwingradError("BAD_INPUT", "This model no longer exists.");
    return found.name;
  }

  read(id: string): Promise<Uint8Array> {
    return this.isImported(id) ? this.folder.read(fileOf(id)) : this.runs.model(id);
  }

  write(id: string, bytes: Uint8Array): Promise<void> {
    return this.isImported(id) ? this.folder.write(fileOf(id), bytes) : this.runs.writeModel(id, bytes);
  }

  /** Adds a model from a file, or replaces the one with the same id. */
  async add(id: string, name: string, bytes: Uint8Array): Promise<void> {
    await this.folder.write(fileOf(id), bytes);
    await this.keep({ imported: [...this.index.imported.filter((one) => one.id !== id), { id, name }] });
  }

  /** Removes an imported model. */
  async remove(id: string): Promise<void> {
    const { imported, model } = this.index;
    await this.keep({ imported: imported.filter((one) => one.id !== id), model: model === id ? null : model });
    await this.folder.remove(fileOf(id));
  }

  /** Removes the people enrolled with a model that is about to be removed, unless another model is the same. */
  async removeGallery(id: string): Promise<void> {
    const fingerprint = async (one: string) => fingerprintOfModel(await this.read(one)).catch(() => undefined);
    const own = await fingerprint(id);
    if (own === undefined) return; // it is damaged: nobody knows whose people they are
    for (const other of this.list()) if (other.id !== id && (await fingerprint(other.id)) === own) return;
    for (const file of await this.folder.list()) {
      if (file === galleryFile(own) || (isAside(file) && file.startsWith(`gallery-${own}.`)))
        await this.folder.remove(file);
    }
  }

  /** Changes the index, and stores it. */
  async keep(changed: Partial<Index>): Promise<void> {
    const index = { ...this.index, ...changed };
    await writeJson(this.folder, indexFile, index);
    this.index = index;
    this.tell();
  }

  /** Called after the folder was removed. */
  forget(): void {
    this.index = empty;
    this.tell();
  }

  private tell(): void {
    this.publisher.set("imported", this.index.imported);
  }
}
