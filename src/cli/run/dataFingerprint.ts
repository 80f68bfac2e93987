// Detects whether the data of a resumed run changed: names and counts alone do not show changed pictures.

import { createHash } from "node:crypto";
import { stat } from "node:fs/promises";
import { basename, join, relative } from "node:path";
import { type Dataset, TwingradError } from "../../index.ts";
import { recordFiles } from "../../internal.ts";
import { isImageFolder } from "../options/dataOptions.ts";
import type { DataFingerprint } from "./runIdentity.ts";

/** How the data of a resumed run are compared. */
export const dataChecks = ["times", "contents"] as const;
export type DataCheck = (typeof dataChecks)[number];

/** Number of files or pictures read concurrently. */
const together = 64;

/** @param boxes the table of boxes, if the options name one. */
export async function dataFingerprint(
  paths: readonly string[],
  dataset: Dataset,
  { check, boxes }: { check: DataCheck; boxes?: string },
): Promise<DataFingerprint> {
  // Names are relative to the folder: moved data are the same data.
  const inFolder = await isImageFolder(paths);
  const files = inFolder
    ? [...new Set([...dataset.items.map(({ name }) => name), join(paths[0], "boxes.csv")])]
    : await recordFiles(paths);
  const named = files.map((file) => ({ file, name: inFolder ? relative(paths[0], file) : basename(file) }));
  if (boxes !== undefined) named.push({ file: boxes, name: "boxes" });
  named.sort((a, b) => (a.name < b.name ? -1 : 1));
  const [sizes, times] = [createHash("sha256"), createHash("sha256")];
  for (let start = 0; start < named.length; start += together) {
    const chunk = named.slice(start, start + together);
    const stats = await Promise.all(chunk.map(({ file }) => stat(file).catch(() => undefined)));
    for (const [n, { name }] of chunk.entries()) {
      if (!stats[n]) continue; // a folder without a table of boxes
      sizes.update(`${JSON.stringify([name, stats[n].size])}\n`);
      times.update(`${JSON.stringify([name, stats[n].mtimeMs])}\n`);
    }
  }
  const contents = check === "contents" ? await contentsDigest(dataset) : undefined;
  const kind = inFolder ? "folder" : "records";
  return { kind, sizes: sizes.digest("hex"), times: times.digest("hex"), contents };
}

/** The digest of every stored picture, its identity and its crop. */
async function contentsDigest({ items, identities }: Dataset): Promise<string> {
  const hash = createHash("sha256");
  for (let start = 0; start < items.length; start += together) {
    const chunk = items.slice(start, start + together);
    const stored = await Promise.all(chunk.map((item) => item.stored?.()));
    for (const [n, { identity }] of chunk.entries()) {
      const { bytes = new Uint8Array(0), raw, crop } = stored[n] ?? {};
      hash.update(`${JSON.stringify([identities[identity], bytes.length, raw, crop])}\n`);
      hash.update(bytes);
    }
  }
  return hash.digest("hex");
}

const began = { folder: "a folder of pictures", records: "record files" } as const;

/**
 * @param path the data's name in messages.
 * @throws CHECKPOINT_MISMATCH if the data changed; if only file times differ, calls `warn`.
 */
export function compareData(
  path: string,
  begun: DataFingerprint | undefined,
  now: DataFingerprint,
  warn: (text: string) => void,
): void {
  const changed = (what: string) =>
    new TwingradError(
      "CHECKPOINT_MISMATCH",
      `${path}: ${what} since the run to resume started: restore the original data, or start a new run`,
    );
  if (!begun) return;
  if (begun.kind === now.kind && begun.sizes !== now.sizes) throw changed("names or sizes of the files changed");
  if (begun.contents !== undefined && now.contents !== undefined) {
    if (begun.contents !== now.contents) throw changed("pictures changed");
    return;
  }
  if (now.contents !== undefined)
    warn(`${path}: the run started without --check-data contents: comparing sizes and times`);
  if (begun.kind !== now.kind) {
    warn(`${path}: the run to resume started on ${began[begun.kind]}: cannot compare the pictures`);
  } else if (begun.times !== now.times) {
    warn(
      `${path}: files were rewritten with the same sizes since the run to resume started: if pictures changed, the losses will differ; start runs with --check-data contents to detect this`,
    );
  }
}
