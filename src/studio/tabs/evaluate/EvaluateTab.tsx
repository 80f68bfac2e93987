// Evaluation of a model on held-out people, and its worst mistakes.
import { computed, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ModelEvaluation } from "../../messages.ts";
import { act, state } from "../../page/client.ts";
import { ImportModel } from "../../page/files/ImportModel.tsx";
import { save } from "../../page/save.ts";
import { openTab } from "../../page/TabList.tsx";
import { count } from "../../page/words.ts";
import { Curves } from "./Curves.tsx";
import { chosen } from "./chosen.ts";
import { Figures } from "./Figures.tsx";
import { Mistakes } from "./Mistakes.tsx";
import { ThresholdCard } from "./ThresholdCard.tsx";

/** A model to evaluate; `version` changes when it is trained further. */
interface Choice {
  readonly id: string;
  readonly name: string;
  readonly about: string;
  readonly version: number;
}

const choices = computed((): readonly Choice[] => [
  ...state.runs.value
    .filter(({ hasModel }) => hasModel)
    .map(({ id, name, step }) => ({ id, name, about: count(step, "step"), version: step })),
  ...state.imported.value.map((model) => ({ ...model, about: "imported", version: 0 })),
]);

const choose = (id: string) => {
  chosen.value = id;
};

export function EvaluateTab() {
  const found = choices.value;
  const model = found.find(({ id }) => id === chosen.value) ?? found[0];
  // A run that finishes meanwhile must not replace what is shown.
  useEffect(() => {
    if (model) chosen.value = model.id;
  }, [model?.id]);
  if (!model) {
    return (
      <section class="card">
        <h2>Nothing to evaluate yet</h2>
        <p class="measure">
          After training, this tab shows how well the network recognizes people that it never trained on (held-out
          identities), and its worst mistakes. A model from a file can be evaluated on your held-out people, too.
        </p>
        <div class="actions">
          <button type="button" onClick={() => openTab("train")}>
            Go to training
          </button>
          <ImportModel taken={choose} />
        </div>
      </section>
    );
  }
  return (
    <>
      <div class="heading">
        <div class="field model-choice">
          <label for="evaluated-model">Model</label>
          <select id="evaluated-model" value={model.id} onChange={({ currentTarget }) => choose(currentTarget.value)}>
            {found.map(({ id, name, about }) => (
              <option key={id} value={id}>
                {name}, {about}
              </option>
            ))}
          </select>
        </div>
        <ImportModel taken={choose} />
      </div>
      <OfModel key={`${model.id} ${model.version}`} model={model} />
    </>
  );
}

function OfModel({ model: { id, name } }: { model: Choice }) {
  const found = useSignal<ModelEvaluation | null>(null);
  const threshold = useSignal(0);
  const failed = useSignal(false);
  const evaluate = async () => {
    failed.value = false;
    const evaluation = await act("evaluate.model", { model: id });
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
  const { people, pictures, genuine, impostor, doubt } = evaluation;
  const saveReport = async () => {
    const report = await act("evaluate.report", { model: id });
    const today = new Date().toISOString().slice(0, 10);
    if (report) save(report, `Evaluation of ${name}, ${today}.html`);
  };
  return (
    <>
      <section class="card">
        <div class="heading">
          <h2>Evaluation of {name}</h2>
          <button type="button" onClick={saveReport} disabled={state.activity.value !== null}>
            Save report
          </button>
        </div>
        <p class="quiet measure">
          {count(genuine.length + impostor.length, "pair")} from {count(pictures, "picture")} of{" "}
          {count(people, "held-out person", "held-out people")}
          {doubt === null && ", never seen in training"}.
        </p>
        {doubt !== null && (
          <p class="notice">
            {doubt === "changed"
              ? "The pictures have changed since this run was trained."
              : "This model was trained elsewhere."}{" "}
            Some of these people may have been in its training set, which makes the results look better than they are.
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
