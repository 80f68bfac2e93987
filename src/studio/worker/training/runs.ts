// The runs: settings, progress, curves, checkpoints and model; each has its folder.
import { TwingradError } from "../../../errors.ts";
import { withPresentNames } from "../../../options.ts";
import { Checkpoints } from "../../../train/checkpoints.ts";
import type { Evaluation, RunSettings, RunStatus, RunSummary } from "../../messages.ts";
import type { Person } from "../data/library.ts";
import { folderAt, foldersIn, readJson, removeFolder, runsFolder, writeJson } from "../folders.ts";
import type { Publisher } from "../publisher.ts";

export interface Run {
  readonly version: 1;
  readonly id: string;
  name: string;
  readonly created: number;
  status: RunStatus;
  readonly settings: RunSettings;
  readonly people: number;
  readonly heldOut: number;
  readonly pictures: number;
  /** The fingerprint of its pictures. */
  readonly fingerprint: string;
  adapter: string;
  /** The loss of every step from the first. */
  losses: number[];
  evaluations: Evaluation[];
  hasModel: boolean;
}

const runFile = "run.json";
const peopleFile = "people.json";
const modelFile = "model.safetensors";

export class Runs {
  private readonly all = new Map<string, Run>();

  constructor(private readonly publisher: Publisher) {}

  async open(): Promise<void> {
    for (const id of await foldersIn(runsFolder)) {
      try {
        const run = await readJson<Run>(folderAt(`${runsFolder}/${id}`), runFile);
        if (run) this.all.set(id, { ...run, settings: withPresentNames(run.settings) });
        else await removeFolder(`${runsFolder}/${id}`); // the page was closed while it was deleted
      } catch {
        // unreadable: left as it is
      }
    }
    this.tell();
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
    await writeJson(folderAt(`${runsFolder}/${run.id}`), runFile, run);
  }

  /** Stores the people and pictures that a run begins with, so that it can resume with the same ones. */
  async writePeople(id: string, people: readonly Person[]): Promise<void> {
    await writeJson(folderAt(`${runsFolder}/${id}`), peopleFile, people);
  }

  async people(id: string): Promise<readonly Person[]> {
    const people = await readJson<readonly Person[]>(folderAt(`${runsFolder}/${id}`), peopleFile);
    if (people) return people;
    throw new TwingradError("CORRUPT_FILE", `It is not known which pictures ${this.get(id).name} began with.`);
  }

  checkpoints(id: string): Checkpoints {
    return new Checkpoints(folderAt(`${runsFolder}/${id}/checkpoints`), { keep: 2 });
  }

  async writeModel(id: string, bytes: Uint8Array): Promise<void> {
    await folderAt(`${runsFolder}/${id}`).write(modelFile, bytes);
  }

  /** The finished model of a run, for Evaluate and Recognize. */
  model(id: string): Promise<Uint8Array> {
    if (!this.get(id).hasModel) throw new TwingradError("BAD_INPUT", "This run has no model yet: let it finish.");
    return folderAt(`${runsFolder}/${id}`).read(modelFile);
  }

  async remove(id: string): Promise<void> {
    this.get(id);
    const folder = folderAt(`${runsFolder}/${id}`);
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
