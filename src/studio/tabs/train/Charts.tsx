// The curves of the run that is shown, and of earlier ones laid over it.
import { useMemo } from "preact/hooks";
import { LineChart } from "../../charts/LineChart.tsx";
import { percent } from "../../page/words.ts";
import { evaluationLines, lossLines, type NamedCurve } from "./curves.ts";

export function Charts({ curves }: { curves: readonly NamedCurve[] }) {
  const grown = (of: (curve: NamedCurve) => unknown) => curves.map((one) => `${one.name}:${of(one)}`).join();
  const [losses, evaluations] = [
    grown(({ curve }) => curve.losses.length),
    grown(({ curve }) => curve.evaluations.length),
  ];
  // Made anew where they have grown alone: each draws its chart.
  const loss = useMemo(() => lossLines(curves), [losses]);
  const auc = useMemo(() => evaluationLines(curves, "auc"), [evaluations]);
  const eer = useMemo(() => evaluationLines(curves, "eer"), [evaluations]);
  return (
    <>
      <section class="card" aria-label="Loss">
        <LineChart
          title="Loss"
          explanation="How wrong it is on what it learns from. It should fall, fast at first."
          xLabel="Step"
          lines={loss}
        />
      </section>
      <div class="columns">
        <section class="card" aria-label="Held-out AUC">
          <LineChart
            title="AUC on held-out people"
            explanation="Of a pair of one person and a pair of two: how often the pair of one looks more alike. 0.5 is guessing, 1 is always."
            xLabel="Step"
            lines={auc}
            format={(value) => value.toFixed(3)}
          />
        </section>
        <section class="card" aria-label="Held-out equal error rate">
          <LineChart
            title="Equal error rate on held-out people (EER)"
            explanation="Where as many strangers are let in as friends are turned away: how many. Less is better."
            xLabel="Step"
            lines={eer}
            format={(value) => percent(value)}
          />
        </section>
      </div>
    </>
  );
}
