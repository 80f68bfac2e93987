// The threshold: where it lies, and what it makes of the pairs.
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Figure, RunEvaluation } from "../../messages.ts";
import { request, trouble } from "../../page/client.ts";
import { percent } from "../../page/words.ts";
import { accepted } from "./counting.ts";
import { ThresholdChart } from "./ThresholdChart.tsx";

interface Mistakes {
  readonly threshold: number;
  readonly falseAccepts: Figure;
  readonly falseRejects: Figure;
}

/** The intervals are asked for when the threshold has stood still for so many milliseconds. */
const still = 200;

export function ThresholdCard({ evaluation, threshold }: { evaluation: RunEvaluation; threshold: Signal<number> }) {
  const { run, genuine, impostor } = evaluation;
  const at = threshold.value;
  const own = useSignal(evaluation.threshold);
  const intervals = useSignal<Mistakes | null>(null);
  useEffect(() => {
    const timer = setTimeout(async () => {
      const found = await request("evaluate.at", { run, threshold: at }).catch(() => null); // the counts are there
      if (found) intervals.value = { threshold: at, ...found };
    }, still);
    return () => clearTimeout(timer);
  }, [run, at, intervals]);
  const known = intervals.value?.threshold === at ? intervals.value : null;
  const [falseAccepts, falseRejects] = [accepted(impostor, at), genuine.length - accepted(genuine, at)];
  const [accepts, rejects] = [percent(falseAccepts / impostor.length), percent(falseRejects / genuine.length)];
  const take = async () => {
    try {
      await request("evaluate.useThreshold", { run, threshold: at });
      own.value = at;
    } catch (error) {
      trouble.value = (error as Error).message;
    }
  };
  return (
    <section class="card">
      <h2>Where to draw the line</h2>
      <p class="quiet measure">
        Two pictures are taken for one person when their distance is at most the threshold. Further left lets in fewer
        strangers and turns away more friends.
      </p>
      <div class="threshold-columns">
        <ThresholdChart
          genuine={genuine}
          impostor={impostor}
          threshold={at}
          meaning={`${at.toFixed(3)}: ${accepts} false accepts, ${rejects} false rejects`}
          move={(value) => {
            threshold.value = value;
          }}
        />
        <div class="threshold-side">
          <dl class="figures">
            <div>
              <dt>Threshold</dt>
              <dd>{at.toFixed(3)}</dd>
              <dd class="note">
                {at === own.value ? "the model's own" : `the model's own is ${own.value.toFixed(3)}`}
              </dd>
            </div>
            <Count
              name="Strangers let in (false accepts)"
              wrong={falseAccepts}
              all={impostor.length}
              share={accepts}
              interval={known?.falseAccepts.interval}
            />
            <Count
              name="Friends turned away (false rejects)"
              wrong={falseRejects}
              all={genuine.length}
              share={rejects}
              interval={known?.falseRejects.interval}
            />
          </dl>
          <div class="actions">
            <button type="button" disabled={at === own.value} onClick={take}>
              Use this threshold
            </button>
            <button
              type="button"
              class="plain"
              disabled={at === own.value}
              onClick={() => {
                threshold.value = own.value;
              }}
            >
              Back to the model's own
            </button>
          </div>
        </div>
      </div>
    </section>
  );
}

interface CountProps {
  readonly name: string;
  readonly wrong: number;
  readonly all: number;
  readonly share: string;
  readonly interval: readonly [number, number] | undefined;
}

function Count({ name, wrong, all, share, interval }: CountProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{share}</dd>
      <dd class="note">
        {wrong} of {all} pairs{interval ? `; ${percent(interval[0])} to ${percent(interval[1])}` : ""}
      </dd>
    </div>
  );
}
