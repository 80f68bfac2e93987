// The page's state as one line and, for programs that drive the page, on the document element: `dataset.state`,
// `dataset.step` and `dataset.auc`, as the README promises.
import { computed, effect, signal } from "@preact/signals";
import type { State } from "../messages.ts";
import { withoutUnsorted } from "../worker/data/people.ts";
import { state } from "./client.ts";
import { count, duration, percent } from "./words.ts";

export type PageState = "idle" | "loading" | "training" | "paused" | "trained" | "failed";

/** Milliseconds between two updates of the line during training: a screen reader reads each. */
const betweenLines = 2000;

export const pageState = computed((): PageState => {
  const { status } = state.training.value;
  const device = state.device.value.status;
  if (device === "opening" || device === "elsewhere" || state.activity.value || status === "starting") return "loading";
  if (status === "finishing") return "loading";
  return status === "pausing" ? "training" : status;
});

/** Whether a run uses the device. */
export const isUnderWay = (status: State["training"]["status"]): boolean =>
  ["starting", "training", "pausing", "finishing"].includes(status);

export const line = computed(() =>
  lineOf({
    device: state.device.value,
    activity: state.activity.value,
    training: state.training.value,
    data: state.data.value,
    runs: state.runs.value,
  }),
);

function lineOf({
  device,
  activity,
  training,
  data,
  runs,
}: Pick<State, "device" | "activity" | "training" | "data" | "runs">): string {
  if (device.status === "opening") return "Opening your GPU";
  if (device.status === "elsewhere") return "The studio is open in another tab. Close that tab to continue here.";
  if (activity) {
    const { text, done = 0, total } = activity;
    return total ? `${text}: ${Math.floor(done)} of ${total}` : text;
  }
  const { step, steps, latest, secondsLeft, note } = training;
  const auc = latest ? `, AUC ${latest.auc.toFixed(3)} on held-out people` : "";
  switch (training.status) {
    case "starting":
      return "Preparing the network on your GPU";
    case "training":
      return `Training: step ${step} of ${steps}${auc}${secondsLeft === null ? "" : `, about ${duration(secondsLeft)} left`}`;
    case "pausing":
      return "Pausing when the current steps are done";
    case "paused":
      return `Paused at step ${step} of ${steps}${auc}`;
    case "finishing":
      return "Finishing: choosing the best checkpoint";
    case "trained": {
      const kept = runs.find(({ id }) => id === training.run)?.best; // the checkpoint that became the model
      if (!kept) return `Trained for ${count(step, "step")}`;
      const at = kept.step === step ? "" : ` (best checkpoint: step ${kept.step})`;
      return `Trained for ${count(step, "step")}: AUC ${kept.auc.toFixed(3)}, equal error rate ${percent(kept.eer)} on held-out people${at}`;
    }
    case "failed":
      return note ?? "Training failed";
  }
  if (device.status === "missing") return "No WebGPU in this browser";
  if (device.status === "failed") return device.reason;
  if (data.people.length === 0) return "Ready. Add pictures to begin.";
  const people = withoutUnsorted(data.people).length;
  return `Ready: ${count(data.pictures, "picture")} of ${count(people, "person", "people")}`;
}

/** The line for screen readers: updated at once when the state changes, and at intervals while numbers change. */
export const spoken = signal("");

export function announce(): void {
  let last = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let before: PageState | undefined;
  effect(() => {
    const [text, now] = [line.value, pageState.value];
    clearTimeout(timer);
    const speak = () => {
      last = performance.now();
      spoken.value = text;
    };
    const wait = now === before ? last + betweenLines - performance.now() : 0;
    before = now;
    if (wait <= 0) speak();
    else timer = setTimeout(speak, wait);
  });
  effect(() => {
    const { dataset } = document.documentElement;
    const { step, latest } = state.training.value;
    dataset.state = pageState.value;
    dataset.step = String(step);
    if (latest) dataset.auc = String(latest.auc);
    else delete dataset.auc;
  });
}
