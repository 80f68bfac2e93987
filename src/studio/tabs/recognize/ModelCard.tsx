// The recognition model: choosing, exporting and importing it, and the liveness check.
import { Confirm } from "../../page/Confirm.tsx";
import { act, state } from "../../page/client.ts";
import { FileButton } from "../../page/files/FileButton.tsx";
import { ImportModel } from "../../page/files/ImportModel.tsx";
import { save } from "../../page/save.ts";
import { count } from "../../page/words.ts";

export function ModelCard() {
  const { model, people, liveness, threshold } = state.recognition.value;
  const imported = state.imported.value;
  const runs = state.runs.value.filter(({ hasModel }) => hasModel);
  const busy = state.activity.value !== null;
  const removable = imported.find(({ id }) => id === model);
  const enrolled = people.length > 0 ? ` and the ${count(people.length, "person", "people")} enrolled with it` : "";
  const exported = async (what: "recognize.exportModel" | "recognize.exportOnnx") => {
    const done = await act(what, {});
    if (done) save(done.file, done.name);
  };
  return (
    <section class="card">
      <h2>Model</h2>
      <div class="fields">
        <div class="field">
          <label for="recognize-model">Recognition model</label>
          <select
            id="recognize-model"
            value={model ?? ""}
            disabled={busy}
            onChange={({ currentTarget }) => act("recognize.open", { model: currentTarget.value })}
          >
            {!model && (
              <option value="" disabled>
                Choose a model
              </option>
            )}
            {runs.map(({ id, name, best }) => (
              <option key={id} value={id}>
                {name}
                {best ? `, AUC ${best.auc.toFixed(3)}` : ""}
              </option>
            ))}
            {imported.map(({ id, name }) => (
              <option key={id} value={id}>
                {name} (imported)
              </option>
            ))}
          </select>
          <p class="hint">
            Each model has its own enrolled people, since distances of different models are not comparable.
            {threshold === null ? "" : ` Its threshold is ${threshold.toFixed(3)}; change it in the Evaluate tab.`}
          </p>
        </div>
      </div>
      <div class="actions">
        <button type="button" disabled={!model} onClick={() => exported("recognize.exportModel")}>
          Export model
        </button>
        <button type="button" disabled={!model} onClick={() => exported("recognize.exportOnnx")}>
          Export ONNX
        </button>
        <ImportModel />
        {removable && (
          <Confirm
            quiet
            label="Remove this model"
            question={`Remove ${removable.name}${enrolled}?`}
            yes="Remove"
            disabled={busy}
            onYes={() => act("recognize.removeModel", { model: removable.id })}
          />
        )}
      </div>
      <details open={liveness !== null}>
        <summary class="small">Refuse photos and screens (liveness)</summary>
        <p class="quiet measure">
          A second model can reject a photo or a screen that is held in front of the camera (presentation attacks).
          Train one with <code>twingrad train --task liveness</code>; without it nothing is rejected.
        </p>
        {liveness && (
          <p>
            {liveness.name} is in use: pictures with a score below {liveness.threshold.toFixed(2)} are rejected.
          </p>
        )}
        <div class="actions">
          <FileButton
            name="Choose liveness model"
            accept=".safetensors"
            disabled={busy || !model}
            take={(file) => void act("recognize.setLiveness", { file })}
          />
          {liveness && (
            <button type="button" class="plain" onClick={() => act("recognize.setLiveness", { file: null })}>
              Remove liveness model
            </button>
          )}
        </div>
      </details>
    </section>
  );
}
