// twingrad devices: lists the GPU adapters.
import type { Command } from "commander";
import { type AdapterReport, adapterReports } from "../../internal.ts";
import { action } from "../outcome.ts";

export function addDevices(program: Command): void {
  const command = program
    .command("devices")
    .description("Lists the GPU adapters, their limits and features, and the tuner's choices for each.");
  action(command, async () => {
    const { adapters, tried, tuning } = await adapterReports();
    const lines = adapters.flatMap((adapter, n) => inWords(adapter, n === 0));
    const missing = tried.map((reason) => `not available: ${reason}`);
    const text = [...lines, ...missing, `tuning tables: ${tuning}`].join("\n");
    return { result: { adapters, tried, tuning }, text };
  });
}

function inWords(
  { kind, software, features, limits, tuned, refused, ...adapter }: AdapterReport,
  used: boolean,
): string[] {
  const { vendor, architecture, description } = adapter;
  const name = [vendor, architecture, description].filter(Boolean).join(" ");
  const choices = Object.entries(tuned ?? {});
  const width = Math.max(0, ...Object.keys(limits).map((limit) => limit.length));
  return [
    `${kind}: ${name}${software ? ", on the CPU" : ""}${used ? "; used by default" : ""}`,
    ...Object.entries(limits).map(([limit, value]) => `  ${limit.padEnd(width)}  ${value}`),
    `  features: ${features.join(", ") || "none"}`,
    choices.length === 0 ? "  tuner: nothing timed yet" : `  tuner: ${choices.length} choices timed`,
    ...choices.map(([choice, candidate]) => `    ${choice}: ${candidate}`),
    ...refused.map(({ key, kernel, why }) => `    never taken: ${kernel} for ${key}: ${why}`),
  ];
}
