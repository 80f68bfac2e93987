// All runs: compare them in the charts and by their settings, rename, resume and delete them.
import type { Signal } from "@preact/signals";
import type { RunSummary } from "../../messages.ts";
import { Confirm } from "../../page/Confirm.tsx";
import { act, state } from "../../page/client.ts";
import { percent } from "../../page/words.ts";
import { described } from "./described.ts";

const statuses = {
  training: "training",
  paused: "paused",
  trained: "finished",
  stopped: "stopped early",
  failed: "failed",
} as const;

/** The number of colors in the palette. */
export const mostCompared = 5;

export function Runs({ compared }: { compared: Signal<readonly string[]> }) {
  const runs = state.runs.value;
  if (runs.length === 0) return null;
  const shown = state.training.value.run;
  const toggle = (id: string, on: boolean) => {
    const others = compared.value.filter((one) => one !== id);
    compared.value = on ? [...others, id] : others;
  };
  const rename = async ({ id, name }: RunSummary, input: HTMLInputElement) => {
    if (input.value.trim() !== "") await act("train.rename", { run: id, name: input.value });
    input.value = state.runs.value.find((one) => one.id === id)?.name ?? name;
  };
  return (
    <section class="card" aria-label="Runs">
      <h2>Runs</h2>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard */}
      <section class="scroll" aria-label="Runs, table" tabIndex={0}>
        <table class="wide">
          <thead>
            <tr>
              <th scope="col">Charts</th>
              <th scope="col">Name</th>
              <th scope="col" class="number">
                Best AUC
              </th>
              <th scope="col" class="number">
                EER
              </th>
              <th scope="col">State</th>
              <th scope="col" class="number">
                Steps
              </th>
              <th scope="col">People</th>
              <th scope="col">
                <span class="hidden">Actions</span>
              </th>
            </tr>
          </thead>
          <tbody>
            {runs.map((run) => (
              <tr key={run.id}>
                <td>
                  <label class="target">
                    <input
                      type="checkbox"
                      aria-label={`${run.name} in the charts`}
                      checked={run.id === shown || compared.value.includes(run.id)}
                      disabled={
                        run.id === shown ||
                        (compared.value.length >= mostCompared - 1 && !compared.value.includes(run.id))
                      }
                      onChange={(event) => toggle(run.id, event.currentTarget.checked)}
                    />
                  </label>
                </td>
                <td>
                  <input
                    class="text"
                    aria-label={`Name of ${run.name}`}
                    defaultValue={run.name}
                    onChange={(event) => rename(run, event.currentTarget)}
                  />
                </td>
                <td class="number">{run.best ? run.best.auc.toFixed(3) : "–"}</td>
                <td class="number">{run.best ? percent(run.best.eer) : "–"}</td>
                <td>{statuses[run.status]}</td>
                <td class="number">
                  {run.step} of {run.settings.steps}
                </td>
                <td>
                  {run.people} training, {run.heldOut} held out
                </td>
                <td>
                  <div class="actions">
                    {(run.status === "paused" || run.status === "failed") && run.id !== shown && (
                      <button type="button" class="plain" onClick={() => act("train.resume", { run: run.id })}>
                        Resume {run.name}
                      </button>
                    )}
                    <Confirm
                      quiet
                      label={`Delete ${run.name}`}
                      question={`Delete ${run.name}${run.hasModel ? ", its model, and the people enrolled with it" : ""}?`}
                      yes="Delete"
                      onYes={() => act("train.delete", { run: run.id })}
                    />
                  </div>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <Differences runs={runs.filter(({ id }) => id === shown || compared.value.includes(id))} />
    </section>
  );
}

/** The settings that differ between the runs in the charts. */
function Differences({ runs }: { runs: readonly RunSummary[] }) {
  if (runs.length < 2)
    return <p class="quiet small">Select a second run to compare both in the charts and by their settings.</p>;
  const differing = Object.entries(described).filter(
    ([, text]) => new Set(runs.map(({ settings }) => text(settings))).size > 1,
  );
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
    <section class="scroll" aria-label="Differences between the runs" tabIndex={0}>
      <table>
        <caption class="hidden">Differences between the runs</caption>
        <thead>
          <tr>
            <th scope="col">Setting</th>
            {runs.map(({ id, name }) => (
              <th key={id} scope="col">
                {name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {differing.map(([name, text]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {runs.map(({ id, settings }) => (
                <td key={id}>{text(settings)}</td>
              ))}
            </tr>
          ))}
          {differing.length === 0 && (
            <tr>
              <td colSpan={runs.length + 1}>No settings differ; the pictures may.</td>
            </tr>
          )}
        </tbody>
      </table>
    </section>
  );
}
