// Line chart drawn with uPlot, with the same numbers as a table.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { theme } from "../page/ThemeButton.tsx";
import { axis, cssValue } from "./plot.ts";

export interface Line {
  readonly label: string;
  readonly x: ArrayLike<number>;
  readonly y: ArrayLike<number>;
  /** A color of the palette, from 1. @default its index among the lines */
  readonly color?: 1 | 2 | 3 | 4 | 5;
  /** Draws a dot for each point, for lines with few points. */
  readonly points?: boolean;
  readonly dashed?: boolean;
}

export interface LineChartProps {
  readonly title: string;
  /** What it shows, in a sentence for everybody. */
  readonly explanation?: string;
  readonly xLabel: string;
  readonly lines: readonly Line[];
  /** The least and the greatest possible value. */
  readonly limits?: readonly [number, number];
  readonly format?: (value: number) => string;
}

const colorOf = (line: Line, index: number) => line.color ?? (index % 5) + 1;
const plainly = (value: number) => String(Number(value.toPrecision(4)));
/** Distances of an axis's ticks between steps, which are whole numbers. */
const wholeSteps = Array.from({ length: 7 }, (_, power) => [1, 2, 5].map((n) => n * 10 ** power)).flat();
/** The range of the values, with a margin, but within the limits. */
const within =
  ([least, most]: readonly [number, number]) =>
  (_: uPlot, min: number | null, max: number | null): [number, number] => {
    const [from, to] = [min ?? least, max ?? most];
    const margin = Math.max(0.1 * (to - from), 0.01 * (most - least));
    return [Math.max(least, from - margin), Math.min(most, to + margin)];
  };
/** Rows of the table; a longer one would be of no use. */
const mostRows = 40;

export function LineChart({ title, explanation, xLabel, lines, limits, format = plainly }: LineChartProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const table = useSignal(false);
  const shape = lines.map((line, i) => `${line.label} ${colorOf(line, i)} ${line.points} ${line.dashed}`).join("|");
  const shownTheme = theme.value;

  useEffect(() => {
    const element = host.current!;
    const made = new uPlot(
      {
        width: Math.max(120, element.clientWidth),
        height: element.clientHeight,
        cursor: { show: false },
        legend: { show: false },
        scales: { x: { time: false }, y: limits ? { range: within(limits) } : {} },
        axes: [
          axis(xLabel, { size: 28, incrs: wholeSteps }),
          axis("", { size: 56, label: undefined, values: (_, values) => values.map(format) }),
        ],
        series: [
          {},
          ...lines.map((line, index) => ({
            label: line.label,
            stroke: cssValue(`--series-${colorOf(line, index)}`),
            width: line.dashed ? 1.5 : 2,
            ...(line.dashed && { dash: [5, 5] }),
            spanGaps: true,
            points: { show: line.points ?? false, size: 6, fill: cssValue("--surface") },
          })),
        ],
      },
      joined(lines),
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => {
      made.setSize({ width: Math.max(120, element.clientWidth), height: element.clientHeight });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [shape, shownTheme]);

  useEffect(() => {
    plot.current?.setData(joined(lines));
  }, [lines]);

  return (
    <figure class="chart">
      <figcaption>
        <h3>{title}</h3>
        {explanation && <p class="quiet small">{explanation}</p>}
      </figcaption>
      <div class="chart-canvas" ref={host} aria-hidden="true" />
      <ul class="legend">
        {lines.map((line, index) => (
          <li key={line.label}>
            <span class={`swatch swatch-${colorOf(line, index)}`} aria-hidden="true" />
            {line.label}
          </li>
        ))}
      </ul>
      <details
        onToggle={(event) => {
          table.value = event.currentTarget.open;
        }}
      >
        <summary class="small">Values as a table</summary>
        {table.value && <LinesTable {...{ title, xLabel, lines, format }} />}
      </details>
    </figure>
  );
}

function LinesTable({
  title,
  xLabel,
  lines,
  format,
}: Pick<LineChartProps, "title" | "xLabel" | "lines"> & { format: (value: number) => string }) {
  const [xs, ...ys] = joined(lines);
  const stride = Math.max(1, Math.ceil(xs.length / mostRows));
  const rows = Array.from(xs.keys()).filter((row) => row % stride === 0 || row === xs.length - 1);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by the keyboard
    <section class="scroll" aria-label={`${title}, table`} tabIndex={0}>
      <table>
        <thead>
          <tr>
            <th scope="col">{xLabel}</th>
            {lines.map(({ label }) => (
              <th key={label} scope="col" class="number">
                {label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={xs[row]}>
              <th scope="row">{plainly(xs[row])}</th>
              {ys.map((values, index) => (
                <td key={lines[index].label} class="number">
                  {values[row] == null ? "" : format(values[row])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

/** One x array for all lines, in uPlot's format; a line without a value there has null. */
function joined(lines: readonly Line[]): uPlot.AlignedData {
  const xs = [...new Set(lines.flatMap(({ x }) => Array.from(x)))].sort((a, b) => a - b);
  if (xs.length === 0) return [[], ...lines.map(() => [])];
  const columns = lines.map(({ x, y }) => {
    const values = new Map(Array.from(x, (at, index) => [at, y[index]]));
    return xs.map((at) => values.get(at) ?? null);
  });
  return [xs, ...columns];
}
