// The run as a table on the terminal.
import { ourName } from "./agree.ts";
import type { Measured, Result } from "./measure.ts";

/** Columns padded to their widest cell; all but the first are numbers and stand on the right. */
function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const pad = (cell: string, i: number) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]));
  return rows.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}

const number = (value: number) => value.toLocaleString("en-GB", { maximumSignificantDigits: 3 });
const optional = (value: number | undefined, show: (v: number) => string) => (value === undefined ? "-" : show(value));
const milliseconds = (m: Measured) => `${number(m.milliseconds)}${m.once ? " (once)" : ""}`;

export function stepTable(results: readonly Result[]): string {
  const head = [
    [
      "step",
      "ms",
      "ratio",
      "GFLOP/s",
      "of peak",
      "dispatches",
      "passes",
      "submits",
      "bind groups",
      "buffers",
      "writes",
    ],
    ["modules", "encode ms", "peak MB", "buffers alive"],
  ].flat();
  const rows = results.flatMap(({ configuration, ours, peers, ratio }) =>
    Object.entries({ [ourName]: ours, ...peers }).map(([engine, m]) => {
      const s = m.step!;
      const counts = [
        s.dispatches,
        s.computePasses,
        s.submits,
        s.bindGroups,
        s.buffers,
        s.bufferWrites,
        s.shaderModules,
      ];
      return [
        `${configuration} ${engine}`,
        milliseconds(m),
        engine === ourName ? "1" : number(ratio[engine]),
        optional(m.gflops, number),
        optional(m.shareOfPeak, (v) => `${(v * 100).toFixed(1)}%`),
        ...counts.map(String),
        s.encodeMilliseconds.toFixed(1),
        number(s.peakBytes / 1e6),
        String(s.liveBuffers),
      ];
    }),
  );
  return aligned([head, ...rows]);
}

export function kernelTable(results: readonly Result[], peers: readonly string[]): string {
  const head = ["operation", `${ourName} ms`, "GFLOP/s", "of peak", ...peers.flatMap((p) => [`${p} ms`, "ratio"])];
  const rows = results.map(({ name, configuration, ours, peers: measured, ratio }) => [
    `${configuration} ${name}`,
    milliseconds(ours),
    optional(ours.gflops, number),
    optional(ours.shareOfPeak, (v) => `${(v * 100).toFixed(1)}%`),
    ...peers.flatMap((p) => [milliseconds(measured[p]), number(ratio[p])]),
  ]);
  return aligned([head, ...rows]);
}
