// `npm run bench`: our training step and our kernels beside other engines, in headless Chrome or in Node on Dawn.
import { mkdir, writeFile } from "node:fs/promises";
import { cpus, loadavg } from "node:os";
import { dirname } from "node:path";
import { Command, InvalidArgumentError, Option } from "commander";
import { configurations, inferenceSizes } from "./configurations.ts";
import { type HostName, hosts, repositoryRoot } from "./host.ts";
import { measurePipeline, pipelineTable } from "./pipeline/index.ts";
import { hostSuites, measureOnHost } from "./suites.ts";

const packages: Record<string, string> = {
  tfjs: "@tensorflow/tfjs",
  "jax-js": "@jax-js/jax",
  onnxruntime: "onnxruntime-web",
  "onnxruntime-wasm": "onnxruntime-web",
};

/** A comma-separated list of known names. */
const listOf = (known: readonly string[]) => (value: string) => {
  const names = value.split(",").filter((name) => name !== "");
  const unknown = names.filter((name) => !known.includes(name));
  if (unknown.length > 0) throw new InvalidArgumentError(`Unknown: ${unknown}. Known: ${known.join(", ")}.`);
  return names;
};

const positive = (value: string) => {
  const rounds = Number(value);
  if (!Number.isInteger(rounds) || rounds < 1) throw new InvalidArgumentError("Expected an integer above 0.");
  return rounds;
};

const program = new Command("bench")
  .description(
    "Times twingrad beside TensorFlow.js, jax-js and, where it embeds, onnxruntime, interleaved, after checking that all agree.",
  )
  .addOption(new Option("--suite <name>", "what to time").choices([...hostSuites, "pipeline", "all"]).default("all"))
  .addOption(
    new Option("--host <name>", "where: headless Chrome, or Node on Dawn without a browser")
      .choices(hosts)
      .default("chrome"),
  )
  .option("--config <names>", `of ${configurations.map((c) => c.name)}`, listOf(configurations.map((c) => c.name)), [
    "S",
  ])
  .option("--size <names>", `towers of the inference suite, of ${inferenceSizes}`, listOf(inferenceSizes), ["S"])
  .option("--peers <names>", 'engines beside us; "" for none', listOf(Object.keys(packages)), Object.keys(packages))
  .option("--only <text>", "of the kernels, those whose name contains this, as in 'conv2d' or 'filter gradient'")
  .option("--data <folder>", "for the pipeline: one folder per identity (default: ../shared/data/orl, if it exists)")
  .option("--no-tune", "choose our kernels by rule instead of timing them before the measurement")
  .option("--rows <number>", "rows of the gallery that one probe is matched against", positive, 1_000_000)
  .option("--rounds <number>", "blocks timed of each engine", positive, 5)
  .option("--out <file>", "also write the result as JSON")
  .option("--json", "the result as one line of JSON on standard output, instead of the tables");

program.exitOverride((status) => process.exit(status.exitCode === 0 ? 0 : 2)).parse();
const options = program.opts<{
  suite: (typeof hostSuites)[number] | "pipeline" | "all";
  host: HostName;
  config: string[];
  size: string[];
  peers: string[];
  only?: string;
  data?: string;
  tune: boolean;
  rounds: number;
  rows: number;
  out?: string;
  json?: boolean;
}>();

const { suite } = options;
const progress = (line: string) => process.stderr.write(`${line}\n`);

async function main(): Promise<void> {
  const cores = cpus().length;
  const [loadAtStart] = loadavg();
  if (loadAtStart > cores / 2) {
    progress(`The machine is busy (load ${loadAtStart.toFixed(1)} on ${cores} cores): trust ratios, not times.`);
  }
  const suites = suite === "all" ? hostSuites : suite === "pipeline" ? [] : [suite];
  const besides = suites.length > 0 ? await measureOnHost(suites, { ...options, packages, progress }) : undefined;
  const pipeline =
    suite === "pipeline" || suite === "all"
      ? await measurePipeline(repositoryRoot, { rounds: options.rounds, data: options.data, progress })
      : undefined;
  const machine = { platform: process.platform, processor: cpus()[0]?.model ?? "unknown", cores, loadAtStart };
  const report = {
    adapter: besides?.adapter ?? pipeline?.adapter,
    peak: besides?.peak,
    tuning: besides?.tuning ?? undefined, // a page's undefined comes as null
    machine,
    versions: { node: process.version, ...besides?.versions },
    date: new Date().toISOString(),
    rounds: options.rounds,
    host: options.host,
    /** Peers that cannot run on this host, and why. */
    absent: besides?.absent,
    results: [...(besides?.results ?? []), ...(pipeline?.results ?? [])],
    profiles: besides?.profiles,
    starts: besides?.starts,
  };
  if (options.out) {
    await mkdir(dirname(options.out), { recursive: true });
    await writeFile(options.out, `${JSON.stringify(report, null, 2)}\n`);
  }
  const tables = [...(besides?.tables ?? []), ...(pipeline ? [pipelineTable(pipeline.results)] : [])];
  process.stdout.write(options.json ? `${JSON.stringify(report)}\n` : tables.map((table) => `\n${table}\n`).join(""));
}

main().catch((error: unknown) => {
  progress(`bench: ${error instanceof Error ? error.message : error}`);
  process.exitCode = 1;
});
