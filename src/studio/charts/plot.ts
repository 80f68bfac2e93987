// Shared parts of the charts drawn with uPlot.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { theme } from "../page/ThemeButton.tsx";

/** A custom property of the current theme, for charts, which do not use CSS. */
export const cssValue = (name: string) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** An axis with a label, in the theme's colors. */
export function axis(label: string, more: uPlot.Axis = {}): uPlot.Axis {
  return {
    label,
    labelSize: 22,
    labelFont: "12px system-ui, sans-serif",
    font: "12px system-ui, sans-serif",
    stroke: cssValue("--text-quiet"),
    grid: { stroke: cssValue("--line"), width: 1 },
    ticks: { show: false },
    ...more,
  };
}

/**
 * Draws a plot into an element, at its size, while the element exists. It is redrawn when `key` or the theme changes;
 * `data` may change at any time.
 */
export function usePlot(key: string, data: uPlot.AlignedData, options: () => Omit<uPlot.Options, "width" | "height">) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(undefined);
  const shownTheme = theme.value;
  useEffect(() => {
    const element = host.current!;
    const size = () => ({ width: Math.max(120, element.clientWidth), height: element.clientHeight });
    const made = new uPlot(
      { cursor: { show: false }, legend: { show: false }, ...options(), ...size() },
      data,
      element,
    );
    plot.current = made;
    const observer = new ResizeObserver(() => made.setSize(size()));
    observer.observe(element);
    return () => {
      observer.disconnect();
      made.destroy();
    };
  }, [key, shownTheme]);
  useEffect(() => {
    plot.current?.setData(data);
  }, [data]);
  return { host, plot };
}
