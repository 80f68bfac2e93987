// A chart of one curve of two error rates (ROC or DET) with a marker for the threshold, and the same numbers as a
// table.
import { useEffect, useMemo, useRef } from "preact/hooks";
import type uPlot from "uplot";
import { normalQuantile } from "../../evaluation/bootstrap.ts";
import { percent } from "../page/words.ts";
import { axis, cssValue, usePlot } from "./plot.ts";

export interface Rates {
  readonly x: number;
  readonly y: number;
  /** The heading of the point's row in the table. */
  readonly row: string;
}

export interface CurveChartProps {
  readonly title: string;
  readonly explanation: string;
  readonly xLabel: string;
  readonly yLabel: string;
  readonly rowLabel: string;
  /** Rates from 0 to 1, ascending in x. */
  readonly points: readonly Rates[];
  readonly marker?: { readonly x: number; readonly y: number };
  /**
   * Scales both axes as normal deviates, where normally distributed distances give a straight line. A rate of 0 is
   * infinitely far away there: it is drawn at `least`, the edge of the axis.
   */
  readonly deviates?: { readonly leastX: number; readonly leastY: number };
}

/** Labels of axes of normal deviates. */
const namedRates = [0.0001, 0.001, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8];
const mostRows = 40;
/** The least distance between two labels of an axis, in pixels. */
const labelRoom = 40;
const inPercent = (share: number) => `${Number((100 * share).toPrecision(3))} %`;

export function CurveChart(props: CurveChartProps) {
  const { title, explanation, xLabel, yLabel, points, marker, deviates } = props;
  const place = (rate: number, least = 0) =>
    deviates ? normalQuantile(Math.min(1 - least, Math.max(least, rate))) : rate;
  const placed = ({ x, y }: { x: number; y: number }) =>
    [place(x, deviates?.leastX), place(y, deviates?.leastY)] as const;
  const marked = useRef<readonly [number, number]>(undefined);
  marked.current = marker && placed(marker);
  const data = useMemo((): uPlot.AlignedData => {
    const at = points.map(placed);
    return [at.map(([x]) => x), at.map(([, y]) => y)];
  }, [points]);
  const { host, plot } = usePlot(`${title} ${deviates?.leastX} ${deviates?.leastY}`, data, () => {
    const range = (least: number): [number, number] => [
      normalQuantile(least),
      Math.max(normalQuantile(0.6), normalQuantile(least) + 1),
    ];
    const rates: uPlot.Axis = deviates
      ? {
          splits: (u, index) => {
            const { min, max } = u.scales[index === 0 ? "x" : "y"];
            const room = u.bbox[index === 0 ? "width" : "height"] / devicePixelRatio / (max! - min!);
            const shown: number[] = [];
            for (const at of namedRates.map(normalQuantile)) {
              const free = shown.length === 0 || (at - shown[shown.length - 1]) * room >= labelRoom;
              if (at >= min! && at <= max! && free) shown.push(at);
            }
            return shown;
          },
          values: (_, splits) => splits.map((at) => inPercent(nearestRate(at))),
        }
      : { values: (_, splits) => splits.map(inPercent) };
    return {
      scales: {
        x: { time: false, range: deviates ? range(deviates.leastX) : [0, 1] },
        y: { range: deviates ? range(deviates.leastY) : [0, 1] },
      },
      axes: [axis(xLabel, { ...rates, size: 32 }), axis(yLabel, { ...rates, size: 56 })],
      series: [{}, { stroke: cssValue("--series-1"), width: 2, points: { show: false } }],
      hooks: { draw: [drawReference, (u) => drawMarker(u, marked.current)] },
    };
    function drawReference(u: uPlot) {
      const { ctx } = u;
      const line = deviates
        ? ([[-9, -9], [9, 9]] as const) // biome-ignore format: two points
        : ([[0, 0], [1, 1]] as const); // biome-ignore format: two points
      const [[x0, y0], [x1, y1]] = line.map(([x, y]) => [u.valToPos(x, "x", true), u.valToPos(y, "y", true)]);
      ctx.save();
      ctx.beginPath();
      ctx.rect(u.bbox.left, u.bbox.top, u.bbox.width, u.bbox.height);
      ctx.clip();
      ctx.beginPath();
      ctx.setLineDash([5 * devicePixelRatio, 5 * devicePixelRatio]);
      ctx.lineWidth = 1.5 * devicePixelRatio;
      ctx.strokeStyle = cssValue("--line-strong");
      ctx.moveTo(x0, y0);
      ctx.lineTo(x1, y1);
      ctx.stroke();
      ctx.restore();
    }
  });
  useEffect(() => {
    plot.current?.redraw(false);
  }, [marker?.x, marker?.y]);

  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}</h3>
        <p class="quiet small">{explanation}</p>
      </figcaption>
      <div class="chart-canvas chart-square" ref={host} aria-hidden="true" />
      <details>
        <summary class="small">Values as a table</summary>
        <RatesTable {...props} />
      </details>
    </figure>
  );
}

function RatesTable({ title, rowLabel, xLabel, yLabel, points }: CurveChartProps) {
  const stride = Math.max(1, Math.ceil(points.length / mostRows));
  const rows = points.filter((_, i) => i % stride === 0 || i === points.length - 1);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
    <section class="scroll" aria-label={`${title}, table`} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{rowLabel}</th>
            <th scope="col" class="number">
              {xLabel}
            </th>
            <th scope="col" class="number">
              {yLabel}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ row, x, y }) => (
            <tr key={row}>
              <th scope="row">{row}</th>
              <td class="number">{percent(x, 2)}</td>
              <td class="number">{percent(y, 2)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function nearestRate(at: number): number {
  const far = (rate: number) => Math.abs(normalQuantile(rate) - at);
  return namedRates.reduce((a, b) => (far(b) < far(a) ? b : a));
}

function drawMarker(u: uPlot, at: readonly [number, number] | undefined): void {
  if (!at) return;
  const { ctx } = u;
  ctx.save();
  ctx.beginPath();
  ctx.arc(u.valToPos(at[0], "x", true), u.valToPos(at[1], "y", true), 5 * devicePixelRatio, 0, 2 * Math.PI);
  ctx.fillStyle = cssValue("--series-2");
  ctx.strokeStyle = cssValue("--surface");
  ctx.lineWidth = 2 * devicePixelRatio;
  ctx.fill();
  ctx.stroke();
  ctx.restore();
}
