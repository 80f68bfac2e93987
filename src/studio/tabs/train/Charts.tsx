// The curves of the current run, and of earlier runs for comparison.
import { useMemo } from "preact/hooks";
import { LineChart } from "../../charts/LineChart.tsx";
import { percent } from "../../page/words.ts";
import { evaluationLines, lossLines, type NamedCurve } from "./curves.ts";

interface Props {
  readonly curves: readonly NamedCurve[];
  /** Whether one of the runs has enough held-out people. */
  readonly evaluated: boolean;
}

export function Charts({ curves, evaluated }: Props) {
  const grown = (of: (curve: NamedCurve) => unknown) => curves.map((one) => `${one.name}:${of(one)}`).join();
  const [losses, evaluations] = [
    grown(({ curve }) => curve.losses.length),
    grown(({ curve }) => curve.evaluations.length),
  ];
  // Recomputed only when curves have grown, since each change redraws a chart.
  const loss = useMemo(() => lossLines(curves), [losses]);
  const auc = useMemo(() => evaluationLines(curves, "auc"), [evaluations]);
  const eer = useMemo(() => evaluationLines(curves, "eer"), [evaluations]);
  return (
    <>
      <section class="card" aria-label="Loss">
        <LineChart
          title="Training loss"
          explanation="The error on the training batches. It should fall, quickly at first."
          xLabel="Step"
          lines={loss}
        />
      </section>
      {evaluated && (
        <div class="columns">
          <section class="card" aria-label="Held-out AUC">
            <LineChart
              title="AUC on held-out people"
              explanation="How often two pictures of the same person (genuine) look more alike than two of different people (impostor). 0.5 is guessing, 1 is perfect."
              xLabel="Step"
              lines={auc}
              limits={[0, 1]}
              format={(value) => value.toFixed(3)}
            />
          </section>
          <section class="card" aria-label="Held-out equal error rate">
            <LineChart
              title="Equal error rate (EER) on held-out people"
              explanation="The error rate at the threshold where false accepts and false rejects are equally frequent. Lower is better."
              xLabel="Step"
              lines={eer}
              limits={[0, 1]}
              format={(value) => percent(value)}
            />
          </section>
        </div>
      )}
    </>
  );
}
