// Prints a run as tables.
import { ourName } from "./agree.ts";
import type { Measured, Result } from "./measure.ts";
import type { Profile } from "./profile.ts";
import type { Starts } from "./start.ts";

/** Columns padded to their widest cell; all but the first are right-aligned numbers. */
export function aligned(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const pad = (cell: string, i: number) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]));
  return rows.map((row) => row.map(pad).join("  ").trimEnd()).join("\n");
}

const number = (value: number) => value.toLocaleString("en-GB", { maximumSignificantDigits: 3 });
const optional = (value: number | undefined, show: (v: number) => string) => (value === undefined ? "-" : show(value));
const percent = (value: number) => `${(value * 100).toFixed(1)}%`;
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
        optional(m.shareOfPeak, percent),
        ...counts.map(String),
        s.encodeMilliseconds.toFixed(2),
        number(s.peakBytes / 1e6),
        String(s.liveBuffers),
      ];
    }),
  );
  const convolutions = results.flatMap(({ configuration, ours }) => {
    const c = ours.convolutions;
    return c
      ? [
          `${configuration}: convolutions ${number(c.milliseconds)} ms, ${number(c.gflops)} GFLOP/s, ${percent(c.shareOfPeak)} of peak`,
        ]
      : [];
  });
  return [aligned([head, ...rows]), ...convolutions].join("\n");
}

export function kernelTable(results: readonly Result[], peers: readonly string[]): string {
  const head = ["operation", `${ourName} ms`, "GFLOP/s", "of peak", ...peers.flatMap((p) => [`${p} ms`, "ratio"])];
  const rows = results.map(({ name, configuration, ours, peers: measured, ratio }) => [
    `${configuration} ${name}`,
    milliseconds(ours),
    optional(ours.gflops, number),
    optional(ours.shareOfPeak, percent),
    ...peers.flatMap((p) => [milliseconds(measured[p]), number(ratio[p])]),
  ]);
  return aligned([head, ...rows]);
}

/** By kernel, then by the operation that a launch belongs to; a convolution's GFLOP/s are those of its direct form. */
export function profileTable({ configuration, milliseconds: total, kernels, parts, convolutions }: Profile): string {
  const row = (s: Profile["kernels"][number]) => [
    s.name,
    String(s.launches),
    number(s.milliseconds),
    percent(s.share),
    optional(s.gigabytesPerSecond, number),
    optional(s.shareOfBandwidth, percent),
  ];
  const head = (what: string) => [`${configuration} by ${what}`, "launches", "ms", "of step", "GB/s", "of bandwidth"];
  const { gflops, shareOfPeak, milliseconds } = convolutions;
  const all = ["convolutions together", "", number(milliseconds), percent(milliseconds / total), "", ""];
  const products = parts.map((p) => [...row(p), optional(p.gflops, number), optional(p.shareOfPeak, percent)]);
  return [
    aligned([head("kernel"), ...kernels.map(row)]),
    aligned([[...head("part"), "GFLOP/s", "of peak"], ...products, [...all, number(gflops), percent(shareOfPeak)]]),
  ].join("\n\n");
}

export function startTable(starts: readonly Starts[]): string {
  const head = ["start to first step, ms", "in all", "device", "compile", "step", "pipelines", "wall", "sum", "timed"];
  const rows = starts.flatMap(({ configuration, first, tuning, tuned }) =>
    Object.entries({ "first, by rule": first, "first, tuning": tuning, "second, tuned": tuned }).map(([name, s]) => [
      `${configuration} ${name}`,
      ...[s.milliseconds, s.device, s.compile, s.step].map((v) => v.toFixed(0)),
      ...[s.pipelines, s.pipelinesWall, s.pipelinesSum, s.timed].map((v) => v.toFixed(0)),
    ]),
  );
  return aligned([head, ...rows]);
}
