// The trained models: those of runs, and those imported from files. The index also has which one was used last, and the
// liveness model.
import { TwingradError } from "../../errors.ts";
import type { ImportedModel } from "../messages.ts";
import { folderAt, readJson, recognitionFolder, writeJson } from "./folders.ts";
import type { Publisher } from "./publisher.ts";
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

export class Models {
  index: Index = empty;
  private readonly folder = folderAt(recognitionFolder);

  constructor(
    private readonly publisher: Publisher,
    private readonly runs: Runs,
  ) {}

  async open(): Promise<void> {
    this.index = (await readJson<Index>(this.folder, indexFile)) ?? empty;
    this.tell();
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
