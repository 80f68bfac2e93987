// Histograms of genuine and impostor distances, with a draggable threshold: by pointer anywhere in the chart, or with
// the keys of a slider.
import { useMemo, useRef } from "preact/hooks";
import uPlot from "uplot";
import { axis, cssValue, usePlot } from "../../charts/plot.ts";
import { percent } from "../../page/words.ts";
import { type Bins, binned } from "./counting.ts";

interface Props {
  readonly genuine: Float64Array;
  readonly impostor: Float64Array;
  readonly threshold: number;
  /** The error rates at the threshold, for screen readers. */
  readonly meaning: string;
  readonly move: (threshold: number) => void;
}

export function ThresholdChart({ genuine, impostor, threshold, meaning, move }: Props) {
  const bins = useMemo(() => binned(genuine, impostor), [genuine, impostor]);
  const { low, high, width } = bins;
  const handle = useRef<HTMLDivElement>(null);
  const shown = useRef(threshold);
  shown.current = threshold;
  const data = useMemo(
    (): uPlot.AlignedData => [bins.genuine.map((_, bin) => low + bin * width), [...bins.impostor], [...bins.genuine]],
    [bins, low, width],
  );
  const { host, plot } = usePlot(`${low} ${high}`, data, () => {
    const bars = (label: string, color: string): uPlot.Series => ({
      label,
      fill: `${cssValue(color)}99`,
      stroke: cssValue(color),
      width: 0,
      paths: uPlot.paths.bars!({ size: [1, Number.POSITIVE_INFINITY], align: 1, gap: 1 }),
      points: { show: false },
    });
    return {
      scales: { x: { time: false, range: [low, high] }, y: { range: (_, __, most) => [0, 1.05 * most] } },
      axes: [
        axis("distance between two pictures", { size: 32 }),
        axis("share of pairs", { size: 56, values: (_, splits) => splits.map((share) => percent(share, 0)) }),
      ],
      series: [{}, bars("impostor pairs", "--series-2"), bars("genuine pairs", "--series-1")],
      hooks: { draw: [place] },
    };
  });

  function place(u: uPlot): void {
    if (!handle.current) return;
    handle.current.style.left = `${u.bbox.left / devicePixelRatio + u.valToPos(shown.current, "x")}px`;
    handle.current.style.top = `${u.bbox.top / devicePixelRatio}px`;
    handle.current.style.height = `${u.bbox.height / devicePixelRatio}px`;
  }
  if (plot.current) place(plot.current);

  const within = (value: number) => move(Math.min(high, Math.max(low, value)));
  const drag = (event: PointerEvent) => {
    const u = plot.current;
    if (!u || (event.type === "pointermove" && event.buttons === 0)) return;
    if (event.type === "pointerdown") {
      (event.currentTarget as HTMLElement).setPointerCapture(event.pointerId);
      handle.current?.focus();
      event.preventDefault();
    }
    within(u.posToVal(event.clientX - u.over.getBoundingClientRect().left, "x"));
  };
  const press = (event: KeyboardEvent) => {
    const [fine, coarse] = [(high - low) / 200, (high - low) / 20];
    const to = {
      ArrowLeft: threshold - fine,
      ArrowDown: threshold - fine,
      ArrowRight: threshold + fine,
      ArrowUp: threshold + fine,
      PageDown: threshold - coarse,
      PageUp: threshold + coarse,
      Home: low,
      End: high,
    }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    within(to);
  };

  return (
    <figure class="chart">
      <figcaption>
        <h3>Distances</h3>
        <p class="quiet small">
          Pairs left of the line are accepted as the same person. Drag the line, or move it with the arrow keys.
        </p>
      </figcaption>
      <div class="threshold-plot" onPointerDown={drag} onPointerMove={drag}>
        <div class="chart-canvas" ref={host} aria-hidden="true" />
        <div
          ref={handle}
          class="threshold"
          role="slider"
          tabIndex={0}
          aria-label="Threshold"
          aria-orientation="horizontal"
          aria-valuemin={low}
          aria-valuemax={high}
          aria-valuenow={threshold}
          aria-valuetext={meaning}
          onKeyDown={press}
        />
      </div>
      <ul class="legend">
        <li>
          <span class="swatch swatch-1" aria-hidden="true" />
          same person (genuine pairs)
        </li>
        <li>
          <span class="swatch swatch-2" aria-hidden="true" />
          different people (impostor pairs)
        </li>
      </ul>
      <details>
        <summary class="small">Values as a table</summary>
        <BinsTable {...bins} />
      </details>
    </figure>
  );
}

function BinsTable({ low, width, genuine, impostor }: Bins) {
  const edge = (bin: number) => (low + bin * width).toFixed(3);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
    <section class="scroll" aria-label="Distances, table" tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">distance</th>
            <th scope="col" class="number">
              genuine pairs
            </th>
            <th scope="col" class="number">
              impostor pairs
            </th>
          </tr>
        </thead>
        <tbody>
          {genuine.map((share, bin) => (
            <tr key={edge(bin)}>
              <th scope="row">
                {edge(bin)} to {edge(bin + 1)}
              </th>
              <td class="number">{percent(share)}</td>
              <td class="number">{percent(impostor[bin])}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
