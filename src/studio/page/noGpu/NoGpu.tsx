// Shown without WebGPU: the browsers that have it, and a recorded run.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Evaluation, RunSettings } from "../../messages.ts";
import { Charts } from "../../tabs/train/Charts.tsx";
import { count, percent } from "../words.ts";

/** Written by scripts/studio/recordRun.mjs. */
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
      .catch(() => undefined); // optional
  }, [run]);
  const last = run.value?.evaluations[run.value.evaluations.length - 1];
  return (
    <>
      <section class="card" aria-label="No WebGPU">
        <div class="measure">
          <h2>This browser has no WebGPU, so it cannot train</h2>
          <p>
            The studio computes on your graphics card through WebGPU, which only recent browsers support. Nothing is
            computed on a server instead, so that nothing leaves your machine.
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
          WebGPU also needs https or localhost, and hardware acceleration switched on. The browser reported: {reason}
        </p>
      </section>
      {run.value && (
        <>
          <section class="card" aria-label="A recorded run">
            <h2>A recorded run</h2>
            <p class="measure">
              Trained on {count(run.value.pictures, "drawn picture")} of {count(run.value.people, "person", "people")}{" "}
              on {run.value.adapter}, {run.value.recorded}
              {last &&
                `. On ${run.value.heldOut} held-out people: AUC ${last.auc.toFixed(3)}, equal error rate ${percent(last.eer)}`}
              .
            </p>
          </section>
          <Charts evaluated curves={[{ name: "Recorded run", curve: run.value }]} />
        </>
      )}
    </>
  );
}
