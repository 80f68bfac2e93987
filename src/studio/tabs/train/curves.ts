// From training curves to lines of a chart.
import type { Line } from "../../charts/LineChart.tsx";
import type { Curve } from "../../messages.ts";

/** The largest number of points of a line, about a screen's resolution. */
const most = 300;

export interface NamedCurve {
  readonly name: string;
  readonly curve: Curve;
}

/** The loss; for long runs averaged over several steps for each point. */
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
