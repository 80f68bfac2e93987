// ROC and DET, with the threshold's place on both.
import type { Signal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import { CurveChart } from "../../charts/CurveChart.tsx";
import type { RunEvaluation } from "../../messages.ts";
import { accepted } from "./counting.ts";

export function Curves({ evaluation, threshold }: { evaluation: RunEvaluation; threshold: Signal<number> }) {
  const { roc, det, genuine, impostor } = evaluation;
  const falseAccept = accepted(impostor, threshold.value) / impostor.length;
  const trueAccept = accepted(genuine, threshold.value) / genuine.length;
  const rocPoints = useMemo(
    () =>
      roc.map((point) => ({
        x: point.falseAccept,
        y: point.trueAccept,
        row: Number.isFinite(point.threshold) ? point.threshold.toFixed(4) : "below all",
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
          title="Hits against false alarms (ROC)"
          explanation="Each threshold is a point: how many pairs of one person it accepts, and how many of two. The nearer the curve comes to the upper left corner, the better; the dashed line is guessing."
          rowLabel="threshold"
          xLabel="false accepts"
          yLabel="true accepts"
          points={rocPoints}
          marker={{ x: falseAccept, y: trueAccept }}
        />
      </section>
      <section class="card">
        <CurveChart
          title="Both kinds of mistake (DET)"
          explanation="The same thresholds by their mistakes, on axes that spread out the small ones (normal deviates). Nearer to the lower left is better; on the dashed line both mistakes are as frequent."
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
