// From curves to lines of a chart.
import type { Line } from "../../charts/LineChart.tsx";
import type { Curve } from "../../messages.ts";

/** Points of a line: a screen shows no more. */
const most = 300;

export interface NamedCurve {
  readonly name: string;
  readonly curve: Curve;
}

/** The loss, of long runs the mean of a few steps at each point. */
export function lossLines(curves: readonly NamedCurve[]): Line[] {
  return curves.map(({ name, curve: { losses } }) => {
    const stride = Math.max(1, Math.ceil(losses.length / most));
    const x: number[] = [];
    const y: number[] = [];
    for (let first = 0; first < losses.length; first += stride) {
      const some = losses.slice(first, first + stride);
      x.push(first + some.length);
      y.push(some.reduce((sum, loss) => sum + loss, 0) / some.length);
    }
    return { label: name, x, y };
  });
}

export function evaluationLines(curves: readonly NamedCurve[], what: "auc" | "eer"): Line[] {
  return curves.map(({ name, curve: { evaluations } }) => ({
    label: name,
    x: evaluations.map(({ step }) => step),
    y: evaluations.map((evaluation) => evaluation[what]),
    points: true,
  }));
}
