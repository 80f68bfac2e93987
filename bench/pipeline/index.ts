// The input pipeline's part of the bench: in Node, on the adapter that Node has, with the decoder of the command line.
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import type { Device } from "../../src/gpu/device.ts";
import { openDevice } from "../../src/node/adapter/device.ts";
import { imageFolder } from "../../src/node/files/imageFolders.ts";
import { writeRecords } from "../../src/node/tfrecord/recordWriter.ts";
import { tfrecords } from "../../src/node/tfrecord/tfrecords.ts";
import { type LabelFirst, measureLabelFirst } from "./labelFirst.ts";
import { measureWaiting, type Waiting } from "./waiting.ts";

export type PipelineResult =
  | { name: string; suite: "pipeline"; ours: Waiting; peers: Record<string, never>; ratio: Record<string, never> }
  | {
      name: string;
      suite: "pipeline";
      ours: LabelFirst["ours"];
      peers: { "decode first": LabelFirst["decodeFirst"] };
      ratio: { "decode first": number };
      data: Pick<LabelFirst, "people" | "pictures" | "keep">;
    };

/**
 * @param data a folder with one folder per identity; if absent, measurements that need it are skipped with a message.
 */
export async function measurePipeline(
  root: string,
  { rounds, data, progress }: { rounds: number; data?: string; progress: (line: string) => void },
) {
  const results: PipelineResult[] = [];
  const folder = data ?? resolve(root, "../shared/data/orl");
  let adapter: Device["adapter"] | undefined;
  const open = async () => {
    const device = await openDevice();
    adapter = device.adapter;
    return device;
  };
  if (existsSync(folder)) {
    const temporary = await mkdtemp(join(tmpdir(), "twingrad-bench-"));
    try {
      const record = join(temporary, "people.tfrecord");
      const pictures = await imageFolder(folder);
      await writeRecords(record, pictures);
      for (const [source, dataset] of [["folder", pictures] as const, ["TFRecord", await tfrecords(record)] as const]) {
        progress(`training on ${folder}, ${source}`);
        const ours = await measureWaiting(open, dataset, rounds);
        results.push({ name: `waiting for data, ${source}`, suite: "pipeline", ours, peers: {}, ratio: {} });
      }
    } finally {
      await rm(temporary, { recursive: true });
    }
  } else progress(`${folder}: the folder does not exist, so no training run is measured; use --data to name another`);
  progress("labels first, and the article's order");
  const { ours, decodeFirst, ratio, ...about } = await measureLabelFirst(rounds);
  results.push({
    name: "labels before decoding",
    suite: "pipeline",
    ours,
    peers: { "decode first": decodeFirst },
    ratio: { "decode first": ratio },
    data: about,
  });
  return { adapter, results };
}

export function pipelineTable(results: readonly PipelineResult[]): string {
  const percent = (share: number) => `${(100 * share).toFixed(2)} %`;
  const number = (value: number) => value.toLocaleString("en-GB", { maximumSignificantDigits: 3 });
  const lines = results.map((result) => {
    if ("data" in result) {
      const { ours, peers, ratio, data } = result;
      const theirs = peers["decode first"];
      return [
        `${result.name}: ${number(ratio["decode first"])} times the pairs a second of the article's order`,
        `  ${data.people} people, ${data.pictures} pictures, ${data.keep.sameProbability} / ${data.keep.differentProbability}: ` +
          `${number(ours.pairsPerSecond)} pairs/s and ${number(ours.decodesPerPair)} decodes a pair, ` +
          `beside ${number(theirs.pairsPerSecond)} and ${number(theirs.decodesPerPair)}`,
      ].join("\n");
    }
    const { ours } = result;
    return [
      `${result.name}: ${percent(ours.share)} of the time (${ours.shares.map(percent).join(", ")}); after the first epoch ${percent(ours.laterShare)}`,
      `  ${ours.steps} steps of ${number(ours.millisecondsPerStep)} ms after ${number(ours.compiling)} ms of compiling; the first waited ${number(ours.firstWait)} ms, the longest ${number(ours.longestWait)} ms; ` +
        `${ours.decoded} decodes for ${ours.shown} pictures`,
      `  the stream alone: ${number(ours.pairsPerSecond.decoding)} pairs/s decoding (${ours.threads} threads), ` +
        `${number(ours.pairsPerSecond.cached)} from the cache`,
    ].join("\n");
  });
  return lines.join("\n");
}
