// The runs: settings, progress, curves, checkpoints and model; each has its folder.
import { TwingradError } from "../../../errors.ts";
import { Checkpoints } from "../../../train/checkpoints.ts";
import type { Evaluation, RunSettings, RunStatus, RunSummary } from "../../messages.ts";
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
  /** The fingerprint of its pictures: the run can resume only with the same ones. */
  readonly fingerprint: string;
  adapter: string;
  /** The loss of every step from the first. */
  losses: number[];
  evaluations: Evaluation[];
  hasModel: boolean;
}

const runFile = "run.json";
const modelFile = "model.safetensors";

export class Runs {
  private readonly all = new Map<string, Run>();

  constructor(private readonly publisher: Publisher) {}

  async open(): Promise<void> {
    for (const id of await foldersIn(runsFolder)) {
      const run = await readJson<Run>(folderAt(`${runsFolder}/${id}`), runFile).catch(() => undefined);
      if (run) this.all.set(id, run);
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
