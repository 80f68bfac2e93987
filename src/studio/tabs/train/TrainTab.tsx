// Training: settings, progress, curves, and earlier runs.
import { effect, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { useOnce } from "../../page/clicks.ts";
import { act, curveOf, state } from "../../page/client.ts";
import { keep, kept } from "../../page/kept.ts";
import { isUnderWay } from "../../page/status.ts";
import { openTab } from "../../page/TabList.tsx";
import { bytes, duration, percent } from "../../page/words.ts";
import { chosen } from "../evaluate/chosen.ts";
import { Charts } from "./Charts.tsx";
import type { NamedCurve } from "./curves.ts";
import { Runs } from "./Runs.tsx";
import { Settings } from "./Settings.tsx";
import { settings } from "./settings.ts";

/** The runs in the charts besides the current one. */
const compared = signal<readonly string[]>(comparedBefore());
effect(() => keep("compared", compared.value));

function comparedBefore(): readonly string[] {
  const stored = kept("compared");
  return Array.isArray(stored) ? stored.filter((id) => typeof id === "string") : [];
}

export function TrainTab() {
  const { run } = state.training.value;
  const runs = state.runs.value;
  // Without those that were deleted, which nobody could remove from the charts.
  useEffect(() => {
    const left = compared.value.filter((one) => runs.some(({ id }) => id === one));
    if (runs.length > 0 && left.length < compared.value.length) compared.value = left;
  }, [runs]);
  const shown = runs.filter(({ id }) => id === run || compared.value.includes(id));
  const evaluated = shown.some(({ heldOut }) => heldOut > 1);
  const curves = shown.flatMap(({ id, name }): NamedCurve[] => {
    const curve = curveOf(id);
    return curve ? [{ name, curve }] : [];
  });
  return (
    <>
      <Buttons />
      {run && <Progress />}
      <Settings />
      {curves.some(({ curve }) => curve.losses.length > 0) && <Charts curves={curves} evaluated={evaluated} />}
      <Runs compared={compared} />
    </>
  );
}

function Buttons() {
  const { status } = state.training.value;
  const { tooLittle, people } = state.data.value;
  const { busy, once } = useOnce();
  const ready = tooLittle === null && !isUnderWay(status) && state.activity.value === null && !busy.value;
  const resumable = status === "paused" || status === "failed";
  const stoppable = status === "starting" || status === "training" || resumable;
  return (
    <section class="actions" aria-label="Training">
      <button
        type="button"
        class={resumable || status === "trained" ? undefined : "primary"}
        disabled={!ready}
        onClick={() => once(() => act("train.start", { settings: settings.value }))}
      >
        Start training
      </button>
      <button type="button" disabled={status !== "training"} onClick={() => act("train.pause", {})}>
        Pause
      </button>
      <button
        type="button"
        class={resumable ? "primary" : undefined}
        disabled={!resumable || busy.value}
        onClick={() => once(() => act("train.resume", {}))}
      >
        Resume
      </button>
      <button type="button" disabled={!stoppable} onClick={() => act("train.stop", {})}>
        Stop
      </button>
      {tooLittle && (
        <p>
          {tooLittle}{" "}
          {people.length === 0 && (
            <button type="button" class="plain" onClick={() => openTab("data")}>
              Go to Data
            </button>
          )}
        </p>
      )}
    </section>
  );
}

function Progress() {
  const { run, step, steps, loss, latest, stepsPerSecond, secondsLeft, memory, note, status } = state.training.value;
  const summary = state.runs.value.find(({ id }) => id === run);
  const device = state.device.value;
  // Of a finished run that of its model, which need not be the last.
  const shown = status === "trained" ? (summary?.best ?? latest) : latest;
  return (
    <section class="card" aria-label="Progress">
      <div class="heading">
        <h2>{summary?.name ?? "Run"}</h2>
        <span class="quiet">
          step {step} of {steps}
        </span>
      </div>
      <progress aria-label="Steps done" value={step} max={Math.max(1, steps)} />
      <dl class="figures">
        <Figure main name="AUC on held-out people" value={shown?.auc.toFixed(3)} />
        <Figure main name="Equal error rate (EER)" value={shown && percent(shown.eer)} />
        <Figure main name="Loss" value={loss === null ? null : inShort(loss)} />
        <Figure name="Steps per second" value={stepsPerSecond?.toFixed(1)} />
        <Figure name="Time left" value={status === "training" && secondsLeft !== null ? duration(secondsLeft) : null} />
        <Figure name="GPU memory" value={memory === null ? null : bytes(memory)} />
      </dl>
      {note && <p>{note}</p>}
      {run !== null && <NextSteps run={run} ready={status === "trained" && summary?.hasModel === true} />}
      <p class="quiet small">
        On {summary?.adapter || (device.status === "ready" ? device.name : "your GPU")}
        {device.status === "ready" && device.software && ". A real GPU is far faster"}. You may close this page at any
        time: a run in training continues from its last checkpoint when you return.
      </p>
    </section>
  );
}

/** Shown from the start: what appears when the run ends would move the runs below under the pointer. */
function NextSteps({ run, ready }: { run: string; ready: boolean }) {
  return (
    <div class="actions">
      <button
        type="button"
        class="primary"
        disabled={!ready}
        onClick={() => {
          chosen.value = run;
          openTab("evaluate");
        }}
      >
        Continue to evaluation
      </button>
      <button
        type="button"
        disabled={!ready || state.activity.value !== null}
        onClick={() => act("recognize.open", { model: run }).then(() => openTab("recognize"))}
      >
        Recognize people with it
      </button>
    </div>
  );
}

/** Losses that diverge have many digits. */
const inShort = (loss: number) => (Math.abs(loss) < 1e5 ? loss.toFixed(3) : loss.toExponential(1));

function Figure({ name, value, main }: { name: string; value: string | null | undefined; main?: boolean }) {
  return (
    <div class={main ? "main" : undefined}>
      <dt>{name}</dt>
      <dd>{value ?? "–"}</dd>
    </div>
  );
}
