// ROC and DET curves with the threshold marked on both.
import type { Signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { CurveChart } from "../../charts/CurveChart.tsx";
import type { ModelEvaluation } from "../../messages.ts";
import { accepted } from "./counting.ts";

export function Curves({ evaluation, threshold }: { evaluation: ModelEvaluation; threshold: Signal<number> }) {
  const { roc, det, genuine, impostor } = evaluation;
  const falseAccept = accepted(impostor, threshold.value) / impostor.length;
  const trueAccept = accepted(genuine, threshold.value) / genuine.length;
  const rocPoints = useMemo(
    () =>
      roc.map((point) => ({
        x: point.falseAccept,
        y: point.trueAccept,
        row: Number.isFinite(point.threshold) ? point.threshold.toFixed(4) : "none accepted",
      })),
    [roc],
  );
  const detPoints = useMemo(
    () => det.map((point) => ({ x: point.falseAccept, y: point.falseReject, row: point.threshold.toFixed(4) })),
    [det],
  );
  return (
    <div class="columns">
      <section class="card">
        <CurveChart
          title="ROC curve: true accepts against false accepts"
          explanation="Each point is a threshold: how many pairs of the same person it accepts (genuine), and how many of different people (impostor). The closer the curve is to the upper left corner, the better; the dashed line is guessing."
          rowLabel="threshold"
          xLabel="false accepts"
          yLabel="true accepts"
          points={rocPoints}
          marker={{ x: falseAccept, y: trueAccept }}
        />
      </section>
      <section class="card">
        <CurveChart
          title="DET curve: false rejects against false accepts"
          explanation="The two error rates at each threshold, on axes that enlarge small rates (normal deviates). The closer the curve is to the lower left corner, the better; where it crosses the dashed line, both rates are equal (EER)."
          rowLabel="threshold"
          xLabel="false accepts"
          yLabel="false rejects"
          points={detPoints}
          marker={{ x: falseAccept, y: 1 - trueAccept }}
          deviates={{ leastX: 0.5 / impostor.length, leastY: 0.5 / genuine.length }}
        />
      </section>
    </div>
  );
}
