// What is shown where there is no WebGPU: what has it, and a run that was recorded elsewhere.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Evaluation, RunSettings } from "../../messages.ts";
import { Charts } from "../../tabs/train/Charts.tsx";
import { count, percent } from "../words.ts";

/** As scripts/studio/recordRun.mjs writes it. */
interface RecordedRun {
  readonly recorded: string;
  readonly adapter: string;
  readonly people: number;
  readonly heldOut: number;
  readonly pictures: number;
  readonly settings: RunSettings;
  readonly losses: readonly number[];
  readonly evaluations: readonly Evaluation[];
}

/** https://caniuse.com/webgpu */
const browsers = [
  ["Chrome, Edge", "from 113 on Windows, macOS and ChromeOS; from 121 on Android"],
  ["Safari", "from 26 on macOS, iOS and iPadOS"],
  ["Firefox", "from 141 on Windows; from 145 on Macs with Apple silicon"],
] as const;

export function NoGpu({ reason }: { reason: string }) {
  const run = useSignal<RecordedRun | null>(null);
  useEffect(() => {
    fetch("recorded-run.json")
      .then((response) => response.json())
      .then((recorded) => {
        run.value = recorded;
      })
      .catch(() => undefined); // what has to be said stands above
  }, [run]);
  const last = run.value?.evaluations[run.value.evaluations.length - 1];
  return (
    <>
      <section class="card" aria-label="No WebGPU">
        <div class="measure">
          <h2>This browser cannot train: it has no WebGPU</h2>
          <p>
            The studio computes on your graphics card by WebGPU, which browsers have only lately. Nothing is computed on
            a server instead, as nothing is to leave your machine.
          </p>
        </div>
        <dl class="figures">
          {browsers.map(([name, versions]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd class="plain-text">{versions}</dd>
            </div>
          ))}
        </dl>
        <p class="quiet small">
          They have it on https and on localhost, and where hardware acceleration is not switched off. What this browser
          said: {reason}
        </p>
      </section>
      {run.value && (
        <>
          <section class="card" aria-label="A recorded run">
            <h2>Meanwhile: a run that was recorded</h2>
            <p class="measure">
              It learnt from {count(run.value.pictures, "drawn picture")} of{" "}
              {count(run.value.people, "person", "people")} on {run.value.adapter}, {run.value.recorded}
              {last &&
                `. Of ${run.value.heldOut} people it had never seen it told apart two pictures of one from pictures of two at an AUC of ${last.auc.toFixed(3)} and an equal error rate of ${percent(last.eer)}`}
              .
            </p>
          </section>
          <Charts curves={[{ name: "Recorded run", curve: run.value }]} />
        </>
      )}
    </>
  );
}
