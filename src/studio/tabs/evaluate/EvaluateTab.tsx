// Evaluation of a network on held-out people, and its worst mistakes.
import { useComputed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { RunEvaluation, RunSummary } from "../../messages.ts";
import { act, state } from "../../page/client.ts";
import { save } from "../../page/save.ts";
import { openTab } from "../../page/TabList.tsx";
import { count } from "../../page/words.ts";
import { Curves } from "./Curves.tsx";
import { Figures } from "./Figures.tsx";
import { Mistakes } from "./Mistakes.tsx";
import { ThresholdCard } from "./ThresholdCard.tsx";

export function EvaluateTab() {
  const finished = useComputed(() => state.runs.value.filter(({ hasModel }) => hasModel));
  const chosen = useSignal<string | null>(null);
  const run = finished.value.find(({ id }) => id === chosen.value) ?? finished.value[0];
  if (!run) {
    return (
      <section class="card">
        <h2>Nothing to evaluate yet</h2>
        <p class="measure">
          After training, this tab shows how well the network recognizes people that it never trained on (held-out
          identities), and its worst mistakes.
        </p>
        <div class="actions">
          <button type="button" onClick={() => openTab("train")}>
            Go to training
          </button>
        </div>
      </section>
    );
  }
  return (
    <>
      {finished.value.length > 1 && (
        <div class="field measure">
          <label for="evaluated-run">Run</label>
          <select
            id="evaluated-run"
            value={run.id}
            onChange={({ currentTarget }) => {
              chosen.value = currentTarget.value;
            }}
          >
            {finished.value.map(({ id, name, step }) => (
              <option key={id} value={id}>
                {name}, {count(step, "step")}
              </option>
            ))}
          </select>
        </div>
      )}
      <OfRun key={`${run.id} ${run.step}`} run={run} />
    </>
  );
}

function OfRun({ run }: { run: RunSummary }) {
  const found = useSignal<RunEvaluation | null>(null);
  const threshold = useSignal(0);
  const failed = useSignal(false);
  const evaluate = async () => {
    failed.value = false;
    const evaluation = await act("evaluate.run", { run: run.id });
    failed.value = !evaluation;
    if (!evaluation) return;
    threshold.value = evaluation.threshold;
    found.value = evaluation;
  };
  useEffect(() => void evaluate(), []);
  const evaluation = found.value;
  if (!evaluation) {
    return failed.value ? (
      <div class="actions">
        <button type="button" onClick={evaluate}>
          Evaluate again
        </button>
      </div>
    ) : (
      <p class="quiet">Comparing pictures of held-out people …</p>
    );
  }
  const { people, pictures, genuine, impostor, changed } = evaluation;
  const saveReport = async () => {
    const report = await act("evaluate.report", { run: run.id });
    if (report) save(report, `${run.name}.html`);
  };
  return (
    <>
      <section class="card">
        <div class="heading">
          <h2>Evaluation of {run.name}</h2>
          <button type="button" onClick={saveReport} disabled={state.activity.value !== null}>
            Save report
          </button>
        </div>
        <p class="quiet measure">
          {count(genuine.length + impostor.length, "pair")} from {count(pictures, "picture")} of{" "}
          {count(people, "held-out person", "held-out people")}, never seen in training.
        </p>
        {changed && (
          <p class="notice">
            The pictures have changed since this run was trained. Some of these people may have been in its training
            set, which makes the results look better than they are.
          </p>
        )}
        <Figures evaluation={evaluation} />
      </section>
      <ThresholdCard evaluation={evaluation} threshold={threshold} />
      <Curves evaluation={evaluation} threshold={threshold} />
      <Mistakes evaluation={evaluation} threshold={threshold.value} />
    </>
  );
}
