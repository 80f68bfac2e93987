// The checkpoints of one run: keeps the newest few and the best one, and skips invalid ones.
import { TwingradError } from "../errors.ts";
import { openSaved, type SavedModel } from "../model/modelFile.ts";
import { checkOptions } from "../options.ts";
import { roundedAuc } from "./selection.ts";

/** A folder of checkpoints: on disk, or in a page's origin-private file system. */
export interface CheckpointFolder {
  /** Its name in messages. */
  readonly path: string;
  /** The names of its files; empty if it does not exist yet. */
  list(): Promise<string[]>;
  /** The bytes of a file. */
  read(name: string): Promise<Uint8Array>;
  /** Atomic: after a crash there is either the new file or the previous one. */
  write(name: string, bytes: Uint8Array): Promise<void>;
  /** Removes a file. */
  remove(name: string): Promise<void>;
}

/** The parts of a checkpoint's name: `step-00000500-auc-0.9876.safetensors`, or `-loss-0.4321`. */
export interface CheckpointName {
  /** Of the file. */
  readonly name: string;
  /** The step that it was saved after. */
  readonly step: number;
  /** The best checkpoint has the lowest loss, if there are no other evaluations. */
  readonly loss?: number;
  /** On held-out data: the best checkpoint has the highest AUC. */
  readonly auc?: number;
}

/** A valid checkpoint, with its bytes. */
export interface FoundCheckpoint extends SavedModel {
  /** Of the file. */
  readonly name: string;
  /** For `Trainer.load`. */
  readonly bytes: Uint8Array;
}

/** An invalid checkpoint. */
export interface Refused {
  /** Of the file. */
  readonly name: string;
  /** Why it is invalid. */
  readonly reason: string;
}

const ending = ".safetensors";

/**
 * The checkpoints of a run in a folder: writes them atomically, keeps the newest and the best, and finds the newest
 * valid one.
 * @example
 * ```ts
 * import { diskFolder } from "twingrad/node";
 *
 * const checkpoints = new Checkpoints(diskFolder("model/checkpoints"), { keep: 3 });
 * const { found } = await checkpoints.newest();
 * if (found) await trainer.load(found.bytes);
 * ```
 */
export class Checkpoints {
  private readonly keep: number;
  private readonly isOwn?: (saved: SavedModel) => boolean;
  private own?: Set<string>;

  /**
   * @param folder the folder that stores them.
   * @param options which of them are kept.
   * @param options.keep how many of the newest to keep, 3 by default; the best one is kept beside them.
   * @param options.isOwn selects the checkpoints that `save` may delete; it leaves others in the folder. @default all
   */
  constructor(
    /** The folder that stores them. */
    readonly folder: CheckpointFolder,
    options: { readonly keep?: number; readonly isOwn?: (saved: SavedModel) => boolean } = {},
  ) {
    checkOptions("Checkpoints", options, { keep: 1, isOwn: "function" });
    const { keep = 3, isOwn } = options;
    if (!Number.isInteger(keep) || keep < 1) {
      throw new TwingradError("BAD_INPUT", `Checkpoints: keep is ${keep}; expected an integer of at least 1.`);
    }
    this.keep = keep;
    this.isOwn = isOwn;
  }

  /** Newest first. */
  async list(): Promise<CheckpointName[]> {
    const names = (await this.folder.list()).map(parseName).filter((found) => found !== undefined);
    return names.sort((a, b) => b.step - a.step || (a.name < b.name ? 1 : -1));
  }

  /**
   * The checkpoint with the greatest AUC, or if there is no AUC, with the lowest loss; among equals the oldest.
   * Undefined if there is neither.
   */
  async best(): Promise<CheckpointName | undefined> {
    return bestOf(await this.list());
  }

  /** Writes the bytes of `Trainer.save`, then removes outdated checkpoints. Rejects if the folder does. */
  async save(bytes: Uint8Array, step: number, loss?: number, auc?: number): Promise<string> {
    const name = nameOf(step, loss, auc);
    const own = (this.own ??= await this.ownNames());
    await this.folder.write(name, bytes);
    own.add(name);
    const present = (await this.list()).filter((found) => !this.isOwn || own.has(found.name));
    // A run that resumed from an older checkpoint also has later, invalid ones. They are left for inspection until the
    // run reaches their step.
    const mine = present.filter((found) => found.step < step || found.name === name);
    const kept = new Set(mine.slice(0, this.keep).map((found) => found.name));
    kept.add(bestOf(mine)?.name ?? name);
    const gone = present.filter((found) => found.step <= step && !kept.has(found.name));
    for (const found of gone) await this.folder.remove(found.name);
    return name;
  }

  /** Unreadable checkpoints may be the run's own, so they count. */
  private async ownNames(): Promise<Set<string>> {
    const own = new Set<string>();
    if (!this.isOwn) return own;
    for (const { name } of await this.list()) {
      const saved = await this.folder
        .read(name)
        .then(openSaved)
        .catch(() => undefined);
      if (!saved || this.isOwn(saved)) own.add(name);
    }
    return own;
  }

  /**
   * The newest valid checkpoint, or undefined, and why each newer one is invalid: unreadable, truncated, damaged, or of
   * another origin.
   */
  async newest(): Promise<{ found?: FoundCheckpoint; refused: Refused[] }> {
    const refused: Refused[] = [];
    for (const { name } of await this.list()) {
      try {
        const bytes = await this.folder.read(name);
        return { found: { name, bytes, ...(await openSaved(bytes)) }, refused };
      } catch (error) {
        refused.push({ name, reason: (error as Error).message });
      }
    }
    return { refused };
  }
}

function nameOf(step: number, loss?: number, auc?: number): string {
  const finite = (value?: number): value is number => value !== undefined && Number.isFinite(value);
  const metric = finite(auc) ? `-auc-${roundedAuc(auc)}` : finite(loss) ? `-loss-${Number(loss.toPrecision(6))}` : "";
  return `step-${String(step).padStart(8, "0")}${metric}${ending}`;
}

function parseName(name: string): CheckpointName | undefined {
  const match = /^step-(\d{8,16})(?:-(loss|auc)-(-?\d[\d.e+-]*))?\.safetensors$/.exec(name);
  if (!match) return undefined;
  const [, step, kind, value] = match;
  if (kind === undefined) return { name, step: Number(step) };
  if (!Number.isFinite(Number(value))) return undefined;
  return { name, step: Number(step), [kind]: Number(value) };
}

/** `names` are newest first: among equals the last is the oldest. */
function bestOf(names: readonly CheckpointName[]): CheckpointName | undefined {
  const byAuc = names.filter(({ auc }) => auc !== undefined);
  const evaluated = byAuc.length > 0 ? byAuc : names.filter(({ loss }) => loss !== undefined);
  const worth = ({ auc, loss }: CheckpointName) => auc ?? -loss!;
  return evaluated.reduce<CheckpointName | undefined>(
    (best, one) => (best && worth(best) > worth(one) ? best : one),
    undefined,
  );
}
