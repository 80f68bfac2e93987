// The run in training: its steps, evaluations on held-out identities and checkpoints; pausing, resuming, stopping. If a
// run was training when the page was reloaded or closed, or crashed, the worker resumes it at its start.
import type { Dataset } from "../../../data/dataset.ts";
import type { SamplerState } from "../../../data/sampling/sampler.ts";
import { DeviceLostError, TwingradError } from "../../../errors.ts";
import type { Device } from "../../../gpu/device.ts";
import type { Checkpoints } from "../../../train/checkpoints.ts";
import { Saver } from "../../../train/saver.ts";
import { StepsInFlight } from "../../../train/stepsInFlight.ts";
import type { Recovered, Trainer } from "../../../train/trainer.ts";
import type { Evaluation, RunSettings, RunStatus, TrainingState } from "../../messages.ts";
import type { Library } from "../data/library.ts";
import { deviceName } from "../device.ts";
import type { Publisher } from "../publisher.ts";
import { finishedModel } from "./finish.ts";
import { HeldOut } from "./heldOut.ts";
import { Pace } from "./pace.ts";
import { possible, streamOf, trainerOf } from "./recipe.ts";
import type { Run } from "./run.ts";
import type { Runs } from "./runs.ts";

type Wish = "train" | "pause" | "stop";
type OnDevice = <T>(work: (device: Device) => Promise<T>) => Promise<T>;

export interface TrainingParts {
  readonly publisher: Publisher;
  readonly device: () => Promise<Device>;
  readonly library: Library;
  readonly runs: Runs;
}

export class Training {
  /** The run that uses the device, until its work is complete; another one waits for that. */
  private active: { readonly run: Run; wish: Wish; readonly over: Promise<void> } | undefined;
  private ids = 0;
  private deleting = false;

  constructor(private readonly parts: TrainingParts) {}

  /** Whether a run uses the device now. */
  get busy(): boolean {
    return this.active !== undefined;
  }

  async start(settings: RunSettings): Promise<Run> {
    const { library, runs } = this.parts;
    this.refuseTwo();
    const reason = library.tooLittle();
    if (reason) throw new TwingradError("BAD_INPUT", reason);
    const people = library.snapshot();
    const { training, heldOut } = library.datasets(people);
    const run: Run = {
      version: 1,
      id: `${Date.now().toString(36)}-${(this.ids++).toString(36)}`,
      name: runs.nextName(),
      created: Math.max(Date.now(), ...runs.list().map(({ created }) => created + 1)), // the clock may have gone back
      status: "training",
      settings: possible(settings, training),
      people: training.identities.length,
      heldOut: heldOut.identities.length,
      pictures: training.items.length,
      fingerprint: await library.fingerprint(),
      adapter: "",
      losses: [],
      evaluations: [],
      hasModel: false,
    };
    await runs.writePeople(run.id, people);
    this.refuseTwo(); // another may have begun meanwhile
    this.begin(run);
    return run;
  }

  /** Resumes a run from its newest checkpoint. */
  async resume(id = this.parts.publisher.state.training.run ?? undefined): Promise<void> {
    this.refuseTwo();
    if (id === undefined) throw new TwingradError("BAD_INPUT", "There is no run to resume.");
    const run = this.parts.runs.get(id);
    const removed = this.parts.library.removedSince(await this.parts.runs.people(id));
    if (removed > 0) {
      throw new TwingradError(
        "CHECKPOINT_MISMATCH",
        `${run.name} began with ${removed === 1 ? "a picture that was" : `${removed} pictures that were`} removed since, so it cannot resume. Stop it to use its best checkpoint, or start a new run.`,
      );
    }
    this.refuseTwo();
    this.begin(run);
  }

  /** Pauses after the steps in flight, with a checkpoint. */
  async pause(): Promise<void> {
    if (!this.active) return;
    this.active.wish = "pause";
    this.tell({ status: "pausing" });
    await this.noLongerTraining(this.active.run);
    await this.active?.over;
  }

  /** Stored at once: a step may take long, and a page that is closed meanwhile must not take the run up again. */
  private async noLongerTraining(run: Run): Promise<void> {
    if (run.status !== "training") return; // it has just ended
    run.status = "paused";
    await this.parts.runs.save(run).catch(() => undefined); // the work itself reports what cannot be stored
  }

  /** Pauses, and starts nothing until everything is deleted. */
  async deleted(work: () => Promise<void>): Promise<void> {
    this.deleting = true;
    try {
      await this.pause();
      await work();
      this.show(undefined);
    } finally {
      this.deleting = false;
    }
  }

  /** Ends the run now; its best checkpoint becomes its model. A run without steps is only marked. */
  async stop(): Promise<void> {
    if (this.active) {
      this.active.wish = "stop";
      this.tell({ status: "finishing" });
      this.parts.publisher.set("activity", { text: "Stopping after the current steps" });
      await this.noLongerTraining(this.active.run);
      return this.active?.over;
    }
    const id = this.parts.publisher.state.training.run;
    if (id === null) return;
    const run = this.parts.runs.get(id);
    if (run.status !== "paused" && run.status !== "failed") return;
    if (run.losses.length === 0) return this.end(run, "stopped");
    this.begin(run, "stop");
    await this.active!.over;
  }

  /** At the worker's start: shows the newest run, and resumes it where it was training. */
  async takeUp(): Promise<void> {
    const [newest] = this.parts.runs.list();
    if (!newest) return;
    this.show(newest);
    if (newest.status !== "training") return;
    await this.resume(newest.id).catch((error: Error) => this.fail(newest, error));
  }

  /** Publishes the state of a run that is not training. */
  show(run: Run | undefined): void {
    if (!run) {
      const none = { latest: null, stepsPerSecond: null, secondsLeft: null, memory: null, note: null, loss: null };
      this.tell({ status: "idle", run: null, step: 0, steps: 0, ...none });
      return;
    }
    const done = {
      trained: "trained",
      stopped: "trained",
      failed: "failed",
      paused: "paused",
      training: "paused",
    } as const;
    const status = run.status === "stopped" && !run.hasModel ? "idle" : done[run.status];
    this.tell({ ...this.figures(run), status, stepsPerSecond: null, secondsLeft: null, note: null });
  }

  private refuseTwo(): void {
    if (this.deleting) throw new TwingradError("BAD_INPUT", "Everything is being deleted.");
    if (this.active)
      throw new TwingradError("BAD_INPUT", `${this.active.run.name} is training: stop it or let it finish first.`);
  }

  private begin(run: Run, wish: Wish = "train"): void {
    const active: { run: Run; wish: Wish; over: Promise<void> } = { run, wish, over: Promise.resolve() };
    this.active = active;
    active.over = this.work(run, () => active.wish)
      .catch((error: Error) => this.fail(run, error))
      .finally(() => {
        this.active = undefined;
        this.parts.publisher.set("activity", null);
      });
  }

  private async work(run: Run, wish: () => Wish): Promise<void> {
    const { library, runs, publisher } = this.parts;
    run.status = "training";
    this.tell({ ...this.figures(run), status: "starting", stepsPerSecond: null, secondsLeft: null, note: null });
    publisher.set("activity", { text: "Preparing the network on your GPU" });
    await runs.save(run);
    const checkpoints = runs.checkpoints(run.id);
    const best = wish() === "stop" ? await bestCheckpoint(checkpoints) : undefined;
    if (best) {
      const people = await runs.people(run.id).catch(() => []); // without them it has no threshold of its own
      const onDevice: OnDevice = async (work) => work(await this.parts.device());
      return this.finish(run, best, "stopped", library.datasets(people).heldOut, onDevice);
    }
    const { training, heldOut } = library.datasets(await runs.people(run.id));
    const { settings } = run;
    const stream = streamOf(training, settings);
    const device = await this.parts.device();
    run.adapter = deviceName(device.adapter);
    const trainer = await trainerOf(device, training, settings, (recovered) => this.recovered(recovered));
    try {
      const reached = run.losses.length;
      await restore(run, checkpoints, trainer, (state) => stream.restore(state));
      if (trainer.steps < reached) this.tell({ note: repeating(trainer.steps, reached) });
      const evaluator = await HeldOut.open(heldOut, settings);
      publisher.set("activity", null);
      const { total: memory } = await trainer.memory();
      this.tell({ ...this.figures(run), status: wish() === "stop" ? "finishing" : "training", memory });
      const ended = await this.steps({ run, trainer, stream, checkpoints, evaluator, wish });
      if (ended === "paused" || run.losses.length === 0) return await this.end(run, ended);
      const bytes = (await bestCheckpoint(checkpoints)) ?? (await trainer.save());
      await this.finish(run, bytes, ended, heldOut, (work) => trainer.withDevice(work));
    } finally {
      await trainer.dispose();
    }
  }

  private async steps({
    run,
    trainer,
    stream,
    checkpoints,
    evaluator,
    wish,
  }: {
    run: Run;
    trainer: Trainer;
    stream: ReturnType<typeof streamOf>;
    checkpoints: Checkpoints;
    evaluator: HeldOut | undefined;
    wish: () => Wish;
  }): Promise<"paused" | "stopped" | "trained"> {
    const { publisher, runs } = this.parts;
    const { steps, evaluateEvery } = run.settings;
    const saver = new Saver(checkpoints, { every: evaluateEvery, warn: (note) => this.tell({ note }) });
    const pace = new Pace(steps);
    const running = new StepsInFlight(trainer, ({ loss, step }) => {
      run.losses.push(loss);
      publisher.addLoss(run.id, step - 1, loss);
      pace.settled(step);
      this.tell({ step, loss, ...pace.figures() });
    });
    let position = stream.state();
    const save = async () => {
      await running.drain();
      const resume = pace.pause();
      const step = trainer.steps;
      const bytes = await trainer.save({ stream: JSON.stringify(position) });
      const evaluation = evaluator && (await trainer.withDevice((device) => evaluator.evaluate(device, bytes, step)));
      if (evaluation && run.evaluations[run.evaluations.length - 1]?.step !== step) {
        run.evaluations.push(evaluation);
        publisher.addEvaluation(run.id, evaluation);
        this.tell({ latest: evaluation });
      }
      await runs.save(run).catch((error: Error) => this.tell({ note: error.message })); // before the checkpoint, which must not be ahead
      await saver.save(bytes, step, run.losses[step - 1], evaluation?.auc);
      resume();
    };
    let taken = trainer.steps; // counts steps in flight, which `trainer.steps` does not include yet
    while (taken < steps && wish() === "train") {
      const { value: batch } = await stream.next();
      position = stream.state();
      await running.step(batch);
      taken++;
      if (taken < steps && taken % evaluateEvery === 0) await save();
    }
    if (taken > 0) await save();
    if (taken >= steps) return "trained";
    return wish() === "pause" ? "paused" : "stopped";
  }

  private async finish(
    run: Run,
    bytes: Uint8Array,
    status: "stopped" | "trained",
    heldOut: Dataset,
    onDevice: OnDevice,
  ): Promise<void> {
    const { runs, publisher } = this.parts;
    this.tell({ status: "finishing" });
    publisher.set("activity", { text: "Choosing the best checkpoint and its threshold" });
    const model = await onDevice((device) => finishedModel(device, bytes, heldOut));
    await runs.writeModel(run.id, model);
    run.hasModel = true;
    run.status = status;
    await runs.save(run);
    this.show(run);
  }

  /** Ends the work on a run without a model. */
  private async end(run: Run, status: RunStatus): Promise<void> {
    run.status = status;
    await this.parts.runs.save(run);
    this.show(run);
  }

  private async fail(run: Run, error: Error): Promise<void> {
    run.status = "failed";
    await this.parts.runs.save(run).catch(() => undefined); // the storage itself may have failed
    const lost = error instanceof DeviceLostError;
    const note = lost ? `${error.message} Resume continues from the last checkpoint.` : error.message;
    this.tell({ ...this.figures(run), status: "failed", note });
  }

  private recovered({ from, to, exact }: Recovered): void {
    const same = exact ? "with the same losses" : "with losses that differ in the last digits";
    this.tell({ note: `The GPU was lost and opened again; steps ${from + 1} to ${to} were repeated ${same}.` });
  }

  private figures(run: Run): Partial<TrainingState> {
    const { losses, evaluations } = run;
    return {
      run: run.id,
      step: losses.length,
      steps: run.settings.steps,
      loss: losses[losses.length - 1] ?? null,
      latest: evaluations[evaluations.length - 1] ?? null,
    };
  }

  private tell(fields: Partial<TrainingState>): void {
    this.parts.publisher.patch("training", fields);
  }
}

function repeating(checkpoint: number, reached: number): string {
  const from = checkpoint === 0 ? "from the beginning" : `from its checkpoint at step ${checkpoint}`;
  const steps = reached === checkpoint + 1 ? `step ${reached} is` : `steps ${checkpoint + 1} to ${reached} are`;
  return `The run continues ${from}; ${steps} repeated with the same losses.`;
}

async function bestCheckpoint(checkpoints: Checkpoints): Promise<Uint8Array | undefined> {
  const best = await checkpoints.best();
  return best && checkpoints.folder.read(best.name);
}

/** Loads the newest valid checkpoint; later points of the curves are dropped, since those steps are repeated. */
async function restore(run: Run, checkpoints: Checkpoints, trainer: Trainer, to: (state: SamplerState) => void) {
  const { found } = await checkpoints.newest();
  if (found) {
    await trainer.load(found.bytes);
    to(JSON.parse(found.file.metadata.stream));
  }
  const step = trainer.steps;
  run.losses = run.losses.slice(0, step);
  run.evaluations = run.evaluations.filter((evaluation: Evaluation) => evaluation.step <= step);
}
