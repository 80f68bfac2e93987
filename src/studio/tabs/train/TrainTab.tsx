// A run: what it is told, how it goes.
import { act, state } from "../../page/client.ts";
import { defaultSettings } from "./defaults.ts";

export function TrainTab() {
  const { status, step, steps, loss, latest } = state.training.value;
  const { tooLittle } = state.data.value;
  const running = status === "training" || status === "starting" || status === "pausing" || status === "finishing";
  return (
    <>
      <section class="actions">
        <button
          type="button"
          class="primary"
          disabled={tooLittle !== null || running || status === "paused"}
          onClick={() => act("train.start", { settings: defaultSettings })}
        >
          Start training
        </button>
        <button type="button" disabled={status !== "training"} onClick={() => act("train.pause", {})}>
          Pause
        </button>
        <button type="button" disabled={status !== "paused"} onClick={() => act("train.resume", {})}>
          Resume
        </button>
        <button
          type="button"
          disabled={status !== "training" && status !== "paused"}
          onClick={() => act("train.stop", {})}
        >
          Stop
        </button>
      </section>
      <p>
        Step {step} of {steps}, loss {loss?.toFixed(3)}, AUC {latest?.auc.toFixed(3)}
      </p>
    </>
  );
}
