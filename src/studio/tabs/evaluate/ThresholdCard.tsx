// Choosing the threshold, with its error rates.
import { type Signal, useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { Figure, ModelEvaluation } from "../../messages.ts";
import { request, trouble } from "../../page/client.ts";
import { percent } from "../../page/words.ts";
import { accepted, equalErrorThreshold } from "./counting.ts";
import { ThresholdChart } from "./ThresholdChart.tsx";

interface Mistakes {
  readonly threshold: number;
  readonly falseAccepts: Figure;
  readonly falseRejects: Figure;
}

/** Milliseconds without a change of the threshold before the intervals are requested. */
const still = 200;

export function ThresholdCard({ evaluation, threshold }: { evaluation: ModelEvaluation; threshold: Signal<number> }) {
  const { model, genuine, impostor } = evaluation;
  const at = threshold.value;
  const own = useSignal(evaluation.threshold);
  const intervals = useSignal<Mistakes | null>(null);
  useEffect(() => {
    const timer = setTimeout(async () => {
      const found = await request("evaluate.at", { model, threshold: at }).catch(() => null); // rates are shown without intervals
      if (found) intervals.value = { threshold: at, ...found };
    }, still);
    return () => clearTimeout(timer);
  }, [model, at, intervals]);
  const known = intervals.value?.threshold === at ? intervals.value : null;
  const [falseAccepts, falseRejects] = [accepted(impostor, at), genuine.length - accepted(genuine, at)];
  const [accepts, rejects] = [percent(falseAccepts / impostor.length), percent(falseRejects / genuine.length)];
  const take = async () => {
    try {
      await request("evaluate.useThreshold", { model, threshold: at });
      own.value = at;
    } catch (error) {
      trouble.value = (error as Error).message;
    }
  };
  return (
    <section class="card">
      <h2>Threshold</h2>
      <p class="quiet measure">
        Two pictures count as the same person when their distance is at most the threshold. A lower threshold accepts
        fewer strangers (false accepts), but rejects the same person more often (false rejects).
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
                {at === own.value ? "current threshold of the model" : `the model uses ${own.value.toFixed(3)}`}
              </dd>
            </div>
            <Count
              name="False accepts (strangers accepted)"
              wrong={falseAccepts}
              all={impostor.length}
              share={accepts}
              interval={known?.falseAccepts.interval}
            />
            <Count
              name="False rejects (same person rejected)"
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
              Reset
            </button>
            <button
              type="button"
              class="plain"
              onClick={() => {
                threshold.value = equalErrorThreshold(genuine, impostor);
              }}
            >
              Equal errors (EER)
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
  readonly interval: Figure["interval"] | undefined;
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
