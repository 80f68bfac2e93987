// Publishes the worker's state to the page: state in slices, several changes in one message, and the points of curves.
import { type Evaluation, type FromWorker, initialState, type State } from "../messages.ts";

/** Milliseconds between messages: a compromise between a live display and the load on the page. */
const pause = 200;
/** Milliseconds between points of curves, which redraw charts. */
const pauseOfPoints = 500;

export type Post = (message: FromWorker, transfer?: Transferable[]) => void;

export class Publisher {
  private current: State = initialState;
  private changed = new Set<keyof State>();
  private points: { run: string; from: number; losses: number[]; evaluations: Evaluation[] } | undefined;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private pointsTimer: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly post: Post) {}

  get state(): State {
    return this.current;
  }

  set<K extends keyof State>(slice: K, value: State[K]): void {
    this.current = { ...this.current, [slice]: value };
    this.changed.add(slice);
    this.schedule();
  }

  /** Changes some fields of a slice that is an object. */
  patch<K extends "training" | "storage">(slice: K, fields: Partial<State[K]>): void {
    this.set(slice, { ...this.current[slice], ...fields });
  }

  /** Tells the user that something stored was damaged, and what became of it. */
  repaired(what: string): void {
    this.patch("storage", { repaired: [...this.current.storage.repaired, what] });
  }

  /** Adds the loss of the step after `from`. */
  addLoss(run: string, from: number, loss: number): void {
    if (this.points && this.points.run !== run) this.flushPoints();
    this.points ??= { run, from, losses: [], evaluations: [] };
    this.points.losses.push(loss);
    this.schedulePoints();
  }

  addEvaluation(run: string, evaluation: Evaluation): void {
    if (this.points && this.points.run !== run) this.flushPoints();
    this.points ??= { run, from: evaluation.step, losses: [], evaluations: [] };
    this.points.evaluations.push(evaluation);
    this.schedulePoints();
  }

  flush(): void {
    this.flushPoints();
    this.flushState();
  }

  private flushPoints(): void {
    clearTimeout(this.pointsTimer);
    this.pointsTimer = undefined;
    if (this.points) this.post({ kind: "points", ...this.points });
    this.points = undefined;
  }

  private flushState(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    if (this.changed.size === 0) return;
    const slices = Object.fromEntries([...this.changed].map((slice) => [slice, this.current[slice]]));
    this.changed.clear();
    this.post({ kind: "state", slices });
  }

  private schedule(): void {
    this.timer ??= setTimeout(() => this.flushState(), pause);
  }

  private schedulePoints(): void {
    this.pointsTimer ??= setTimeout(() => this.flushPoints(), pauseOfPoints);
  }
}
