// The report's charts, rendered to SVG by echarts without a browser. Colors are CSS variables, so that one drawing
// works in the light and the dark theme.

import { BarChart, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent } from "echarts/components";
import { type EChartsCoreOption, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import { normalQuantile } from "../evaluation/bootstrap.ts";

use([BarChart, LineChart, GridComponent, LegendComponent, SVGRenderer]);

const width = 560;
const height = 330;
const [ink, line, main, second] = ["var(--soft)", "var(--line)", "var(--accent)", "var(--other)"];

type Point = [number, number];

function draw(label: string, option: EChartsCoreOption): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height });
  chart.setOption({
    animation: false,
    textStyle: { fontFamily: "system-ui, sans-serif", color: ink },
    grid: { left: 56, right: 18, top: 40, bottom: 48 },
    legend: { top: 4, itemGap: 30, icon: "roundRect", itemWidth: 14, itemHeight: 8, textStyle: { color: ink } },
    ...option,
  });
  const svg = chart.renderToSVGString({ useViewBox: true });
  chart.dispose();
  return svg.replace("<svg ", `<svg role="img" aria-label="${label}" `);
}

function axis(name: string, extra: object = {}) {
  return {
    type: "value",
    name,
    nameLocation: "middle",
    nameGap: 30,
    nameTextStyle: { color: ink },
    axisLine: { show: true, lineStyle: { color: line } },
    axisTick: { show: false },
    axisLabel: { color: ink },
    splitLine: { lineStyle: { color: line, opacity: 0.6 } },
    ...extra,
  };
}

function curve(name: string, data: Point[], color: string, style: object = {}) {
  return { name, type: "line", showSymbol: false, data, color, lineStyle: { width: 2, color, ...style } };
}

/** The loss of each step, and its running mean over `window` steps. */
export function lossChart(losses: readonly number[], window = 20): string {
  const raw = losses.map((loss, index): Point => [index + 1, loss]);
  const smooth = losses.map((_, index): Point => {
    const part = losses.slice(Math.max(0, index - window + 1), index + 1);
    return [index + 1, part.reduce((sum, loss) => sum + loss, 0) / part.length];
  });
  return draw("Training loss by step", {
    xAxis: axis("step", { max: losses.length }),
    yAxis: axis("loss", { min: 0, nameGap: 38 }),
    series: [
      curve("each step", raw, second, { width: 1, opacity: 0.55 }),
      curve(`mean of ${window} steps`, smooth, main, { width: 2.5 }),
    ],
  });
}

interface RocCurve {
  name: string;
  points: readonly { falseAccept: number; trueAccept: number }[];
}

/** @param baseline another curve for comparison. */
export function rocChart(network: RocCurve, baseline?: RocCurve): string {
  const data = ({ points }: RocCurve) => points.map((p): Point => [p.falseAccept, p.trueAccept]);
  return draw("Receiver operating characteristic", {
    xAxis: axis("false accepts", { min: 0, max: 1 }),
    yAxis: axis("true accepts", { min: 0, max: 1, nameGap: 38 }),
    series: [
      curve(network.name, data(network), main, { width: 2.5 }),
      ...(baseline ? [curve(baseline.name, data(baseline), second)] : []),
      curve("chance", [[0, 0], [1, 1]], line, { type: "dashed", width: 1.5 }), // biome-ignore format: two points
    ],
  });
}

/** Labels of the axes of a DET curve. */
const namedRates = [0.0001, 0.001, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8];

/**
 * The detection error trade-off on axes of normal deviates. A rate of 0 is infinitely far away there: it is drawn at
 * the edge, at half an error among the pairs of its kind.
 */
export function detChart(
  points: readonly { falseAccept: number; falseReject: number }[],
  pairs: { same: number; different: number },
): string {
  const least = { x: 0.5 / pairs.different, y: 0.5 / pairs.same };
  const place = (rate: number, edge: number) => normalQuantile(Math.min(1 - edge, Math.max(edge, rate)));
  const range = (edge: number) => ({
    min: normalQuantile(edge),
    max: Math.max(normalQuantile(0.6), normalQuantile(edge) + 1),
  });
  const deviates = (name: string, edge: number, extra: object = {}) => {
    const { min, max } = range(edge);
    const customValues = namedRates.map(normalQuantile).filter((value) => value >= min && value <= max);
    const formatter = (value: number) => {
      const rate = namedRates.reduce((a, b) =>
        Math.abs(normalQuantile(b) - value) < Math.abs(normalQuantile(a) - value) ? b : a,
      );
      return `${Number((100 * rate).toPrecision(2))} %`;
    };
    const axisLabel = { color: ink, customValues, formatter };
    return axis(name, {
      min,
      max,
      axisLabel,
      axisTick: { show: true, customValues },
      splitLine: { show: false },
      axisLine: { show: true, onZero: false, lineStyle: { color: line } },
      ...extra,
    });
  };
  const data = points.map((p): Point => [place(p.falseAccept, least.x), place(p.falseReject, least.y)]);
  const low = Math.max(range(least.x).min, range(least.y).min);
  const high = Math.min(range(least.x).max, range(least.y).max);
  return draw("Detection error trade-off", {
    xAxis: deviates("false accepts", least.x),
    yAxis: deviates("false rejects", least.y, { nameGap: 44 }),
    series: [
      curve("network", data, main, { width: 2.5 }),
      curve("equal errors", [[low, low], [high, high]], line, { type: "dashed", width: 1.5 }), // biome-ignore format: two points
    ],
  });
}

/**
 * Histograms of the scores of genuine and impostor pairs, with the threshold.
 * @param name of the score.
 */
export function histogramChart(
  same: readonly number[],
  different: readonly number[],
  threshold: number,
  name: string,
): string {
  const bins = 36;
  const all = [...same, ...different].sort((a, b) => a - b);
  const low = all[Math.floor(all.length * 0.005)];
  const high = all[Math.ceil(all.length * 0.995) - 1];
  const step = (high - low) / bins || 1;
  const shares = (values: readonly number[]) => {
    const counts = new Array<number>(bins).fill(0);
    for (const value of values) counts[Math.max(0, Math.min(bins - 1, Math.floor((value - low) / step)))]++;
    return counts.map((count, bin): Point => [low + (bin + 0.5) * step, count / values.length]);
  };
  const bars = (name: string, values: readonly number[], color: string) => ({
    name,
    type: "bar",
    data: shares(values),
    barWidth: Math.floor((width - 74) / bins) - 1,
    barGap: "-100%",
    color,
    itemStyle: { color, opacity: 0.62 },
  });
  const top = Math.max(...[...shares(same), ...shares(different)].map(([, share]) => share));
  return draw("Distribution of scores", {
    xAxis: axis(name, {
      min: low,
      max: high,
      axisLabel: {
        color: ink,
        showMinLabel: false,
        showMaxLabel: false,
        formatter: (value: number) => (step < 0.1 ? value.toFixed(1) : value.toFixed(0)),
      },
    }),
    yAxis: axis("share of pairs", { nameGap: 38 }),
    series: [
      bars("impostor pairs", different, second),
      bars("genuine pairs", same, main),
      curve("threshold", [[threshold, 0], [threshold, top]], ink, { type: "dashed", width: 1.5 }), // biome-ignore format: two points
    ],
  });
}
