// Reads the files of published protocols: LFW's pair lists and Omniglot's one-shot runs.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import type { Dataset, Item } from "../../data/dataset.ts";
import { byNaturalOrder } from "../../data/naturalOrder.ts";
import { isPictureName } from "../../data/pictures/storedPicture.ts";
import type { EvaluationPair, Trial } from "../../data/sampling/evaluationPairs.ts";
import { findPairs, parsePairs } from "../../data/sources/lfw.ts";
import { parseClassLabels, runTrials } from "../../data/sources/omniglot.ts";
import { TwingradError } from "../../errors.ts";
import { diskError } from "./diskError.ts";
import { readPicture, readStored } from "./images.ts";
import { readText } from "./textFiles.ts";

/** Pairs of a list in LFW's format. */
export interface PairProtocol {
  /** Only the pictures that occur in a pair. */
  dataset: Dataset;
  /** By index into the dataset's pictures. */
  pairs: EvaluationPair[];
  /** For each pair the set it belongs to, from 0. */
  sets: Int32Array;
}

/**
 * Reads a list of pairs in LFW's format; every error names the list.
 * @throws BAD_INPUT for a list in another format, or one that names a missing picture.
 * @example
 * ```ts
 * import { imageFolder, readPairs } from "twingrad/node";
 *
 * const protocol = await readPairs("pairs.txt", await imageFolder("lfw/"));
 * const { report } = await evaluateModel(model, protocol.dataset, protocol.pairs, protocol.sets);
 * ```
 */
export async function readPairs(path: string, dataset: Dataset): Promise<PairProtocol> {
  return naming(path, async () => {
    const { pairs, sets } = findPairs(dataset, parsePairs(await reading(path)));
    const used = [...new Set(pairs.flatMap(({ left, right }) => [left, right]))].sort((a, b) => a - b);
    const positions = new Map(used.map((index, position) => [index, position]));
    return {
      dataset: { identities: dataset.identities, items: used.map((index) => dataset.items[index]) },
      pairs: pairs.map(({ left, right, same }) => ({ left: positions.get(left)!, right: positions.get(right)!, same })),
      sets,
    };
  });
}

/** Omniglot's one-shot runs (Lake et al. 2015). */
export interface OneShotRuns {
  /** All drawings; each is an identity of its own. */
  dataset: Dataset;
  /** One for each drawing to classify. */
  trials: Trial[];
  /** How many runs. */
  runs: number;
  /** The number of classes in each trial, the same in all runs. */
  ways: number;
}

/**
 * Reads the runs below a folder: its sub-folders with a class_labels.txt and the folders training and test.
 * @throws BAD_INPUT if there is no run, or if the runs have different numbers of training drawings.
 * @example
 * ```ts
 * import { readOneShotRuns } from "twingrad/node";
 *
 * const { dataset, trials } = await readOneShotRuns("all_runs/");
 * console.log(await evaluateOneShot(model, dataset, trials));
 * ```
 */
export async function readOneShotRuns(folder: string): Promise<OneShotRuns> {
  const names = await listing(folder);
  const items: Item[] = [];
  const add = (path: string): number => {
    const name = join(folder, path);
    const decode = (size: Parameters<Item["decode"]>[0]) => readPicture(name, size);
    return items.push({ identity: items.length, name, decode, stored: () => readStored(name) }) - 1;
  };
  const trials: Trial[] = [];
  const counts = new Set<number>();
  let runs = 0;
  for (const run of names.sort(byNaturalOrder)) {
    const labels = join(folder, run, "class_labels.txt");
    if (!(await stat(labels).catch(() => undefined))) continue;
    runs++;
    await naming(labels, async () => {
      const questions = parseClassLabels(await reading(labels));
      const drawings = (await listing(join(folder, run, "training"))).filter(isPictureName);
      const found = runTrials(
        questions,
        drawings.map((name) => `${run}/training/${name}`),
      );
      const support = found.support.map(add);
      counts.add(support.length);
      for (const { probe, answer } of found.trials) trials.push({ probe: add(probe), support, answer });
    });
  }
  const [ways] = counts;
  if (runs === 0) {
    throw new TwingradError(
      "BAD_INPUT",
      `${folder}: there are no runs; expected sub-folders with class_labels.txt, training and test`,
    );
  }
  if (counts.size > 1) {
    throw new TwingradError(
      "BAD_INPUT",
      `${folder}: the runs have ${[...counts].join(" and ")} training drawings; expected the same number in each, so that their accuracies are comparable`,
    );
  }
  return { dataset: { identities: items.map((item) => item.name), items }, trials, runs, ways };
}

const reading = (path: string) =>
  readText(path).catch((error: Error) => {
    throw diskError(path, "read", error);
  });

const listing = (folder: string) =>
  readdir(folder).catch((error: Error) => {
    throw diskError(folder, "read", error);
  });

async function naming<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof TwingradError && error.message.startsWith(path)) throw error;
    const code = error instanceof TwingradError ? error.code : "BAD_INPUT";
    throw new TwingradError(code, `${path}: ${(error as Error).message}`, { cause: error });
  }
}
