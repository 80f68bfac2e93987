// The runs: settings, progress, curves, checkpoints and model; each has its folder.
import { TwingradError } from "../../../errors.ts";
import { openSaved } from "../../../model/modelFile.ts";
import { withPresentNames } from "../../../options.ts";
import { Checkpoints } from "../../../train/checkpoints.ts";
import type { Evaluation, RunSummary } from "../../messages.ts";
import { isPeople, type Person } from "../data/people.ts";
import { folderAt, foldersIn, isAside, readJson, removeFolder, runsFolder, setAside, writeJson } from "../folders.ts";
import type { Publisher } from "../publisher.ts";
import { isRun, type Run } from "./run.ts";

const runFile = "run.json";
const peopleFile = "people.json";
const modelFile = "model.safetensors";
const folderOf = (id: string) => folderAt(`${runsFolder}/${id}`);

export class Runs {
  private readonly all = new Map<string, Run>();
  /** Serializes writes. */
  private turn: Promise<unknown> = Promise.resolve();

  constructor(private readonly publisher: Publisher) {}

  /** Returns the ids of damaged runs; their folders stay as they are. */
  async open(): Promise<string[]> {
    const damaged: string[] = [];
    for (const id of await foldersIn(runsFolder)) {
      const folder = folderOf(id);
      const run = await readJson(folder, runFile, isRun);
      if (run.value) this.all.set(id, { ...run.value, settings: withPresentNames(run.value.settings) });
      else if (run.damaged !== undefined) damaged.push(id);
      else if (!(await folder.list()).some(isAside)) await removeFolder(folder.path); // the page was closed while it was deleted
    }
    this.tell();
    return damaged;
  }

  list(): Run[] {
    return [...this.all.values()].sort((a, b) => b.created - a.created);
  }

  get(id: string): Run {
    const run = this.all.get(id);
    if (!run) throw new TwingradError("BAD_INPUT", "This run no longer exists.");
    return run;
  }

  /** The default name of the next run. */
  nextName(): string {
    const numbers = this.list().map(({ name }) => Number(/^Run (\d+)$/.exec(name)?.[1] ?? 0));
    return `Run ${Math.max(0, ...numbers) + 1}`;
  }

  /** Stores a run, new or changed. */
  async save(run: Run): Promise<void> {
    this.all.set(run.id, run);
    this.tell();
    const mine = this.turn.then(() => writeJson(folderOf(run.id), runFile, run)); // the newest state is written last
    this.turn = mine.catch(() => undefined);
    await mine;
  }

  /** Stores the people and pictures that a run begins with, so that it can resume with the same ones. */
  async writePeople(id: string, people: readonly Person[]): Promise<void> {
    await writeJson(folderOf(id), peopleFile, people);
  }

  async people(id: string): Promise<readonly Person[]> {
    const { value } = await readJson(folderOf(id), peopleFile, isPeople);
    if (value) return value;
    throw new TwingradError("CORRUPT_FILE", `It is not known which pictures ${this.get(id).name} began with.`);
  }

  /** The people of all runs, the newest first, where they can be read: of damaged runs as well. */
  async everyPeople(): Promise<(readonly Person[])[]> {
    const found: (readonly Person[])[] = [];
    for (const id of (await foldersIn(runsFolder)).sort().reverse()) {
      const { value } = await readJson(folderOf(id), peopleFile, isPeople);
      if (value) found.push(value);
    }
    return found;
  }

  /** The model of a damaged run, or its best readable checkpoint; undefined where it has neither. */
  async rescued(id: string): Promise<Uint8Array | undefined> {
    const checkpoints = this.checkpoints(id);
    const best = await checkpoints.best();
    const saved = [best, ...(await checkpoints.list())].flatMap((one) => (one ? [one.name] : []));
    const reads = [() => folderOf(id).read(modelFile), ...saved.map((name) => () => checkpoints.folder.read(name))];
    for (const read of reads) {
      try {
        const bytes = await read();
        await openSaved(bytes); // throws where it is damaged, too
        return bytes;
      } catch {
        // the next one
      }
    }
    return undefined;
  }

  /** Renames the file of a damaged run, so that the run is reported once. */
  async setAside(id: string): Promise<void> {
    await setAside(folderOf(id), runFile);
    await folderOf(id).remove(runFile);
  }

  checkpoints(id: string): Checkpoints {
    return new Checkpoints(folderAt(`${runsFolder}/${id}/checkpoints`), { keep: 2 });
  }

  async writeModel(id: string, bytes: Uint8Array): Promise<void> {
    await folderOf(id).write(modelFile, bytes);
  }

  /** The finished model of a run, for Evaluate and Recognize. */
  model(id: string): Promise<Uint8Array> {
    if (!this.get(id).hasModel) throw new TwingradError("BAD_INPUT", "This run has no model yet: let it finish.");
    return folderOf(id).read(modelFile);
  }

  async remove(id: string): Promise<void> {
    this.get(id);
    const folder = folderOf(id);
    if ((await folder.list()).includes(runFile)) await folder.remove(runFile); // first, so that no run is left without its model
    await removeFolder(`${runsFolder}/${id}`);
    this.all.delete(id);
    this.tell();
  }

  /** Called after the folder was removed. */
  forget(): void {
    this.all.clear();
    this.tell();
  }

  tell(): void {
    this.publisher.set("runs", this.list().map(summaryOf));
  }
}

export function bestOf(evaluations: readonly Evaluation[]): Evaluation | null {
  return evaluations.reduce<Evaluation | null>((best, one) => (best && best.auc >= one.auc ? best : one), null);
}

function summaryOf({ losses, evaluations, fingerprint: _, version: __, ...run }: Run): RunSummary {
  return {
    ...run,
    step: losses.length,
    lastLoss: losses[losses.length - 1] ?? null,
    latest: evaluations[evaluations.length - 1] ?? null,
    best: bestOf(evaluations),
  };
}
