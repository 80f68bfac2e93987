// Bona fide pictures and presentation attacks with their identities, and splits that keep every identity on one side.
import { TwingradError } from "../../errors.ts";
import { type Dataset, type Item, subset } from "../dataset.ts";
import { byNaturalOrder } from "../naturalOrder.ts";
import { Random, streams } from "../random.ts";
import { picturesOfEach, Sampler } from "../sampling/sampler.ts";
import { type Divided, type Fold, isFold, type Split } from "../split.ts";
import { folderDataset, type PictureFile } from "./folders.ts";
import type { RecordItem } from "./recordDataset.ts";

/** `identity` is the person shown, the same for bona fide pictures and for presentation attacks. */
export interface LivenessItem extends Item {
  /** True for a bona fide presentation, false for a presentation attack. */
  readonly live: boolean;
}

/** Pictures of bona fide presentations and of attacks. */
export type LivenessDataset = Dataset<LivenessItem>;

/**
 * A dataset of `live/PERSON/...` and `spoof/PERSON/...`: a name in both folders is one person. A picture directly in
 * `live` or `spoof` counts as a person of its own, since its person is unknown.
 * @param folder its name in messages.
 * @param warn called where several pictures may show the same unknown person.
 * @throws BAD_INPUT for pictures elsewhere, or without pictures of both kinds.
 */
export function livenessFolder(
  folder: string,
  files: readonly PictureFile[],
  warn: (text: string) => void,
): LivenessDataset {
  const kinds = new Map<string, boolean>(); // by name, since paths of live and spoof may be merged
  let single = 0;
  const people = files.map((file): PictureFile => {
    const [kind, ...rest] = file.path.split("/");
    if ((kind !== "live" && kind !== "spoof") || rest.length === 0) {
      throw new TwingradError(
        "BAD_INPUT",
        `${file.name}: expected ${folder} to have the folders live and spoof, with one folder for each person in both.`,
      );
    }
    kinds.set(file.name, kind === "live");
    if (rest.length > 1) return { ...file, path: rest.join("/") };
    single++;
    return { ...file, path: `${file.path}/${rest[0]}` };
  });
  const live = [...kinds.values()].filter(Boolean).length;
  if (live === 0 || live === files.length) {
    throw new TwingradError(
      "BAD_INPUT",
      `${folder}: expected pictures in both folders, live and spoof; there are ${live} and ${files.length - live}.`,
    );
  }
  if (single > 0) {
    warn(`${single} pictures are directly in live or spoof and not in a person's folder: ${ownPeople}`);
  }
  const { identities, items } = folderDataset(folder, people);
  return { identities, items: items.map((item) => ({ ...item, live: kinds.get(item.name)! })) };
}

/**
 * A dataset of records with the label live or 1, spoof or 0. The record's name is the person; a picture without a name
 * counts as a person of its own.
 * @param warn as in `livenessFolder`.
 * @throws BAD_INPUT for another label, or without pictures of both kinds.
 */
export function livenessRecords(
  { identities: names, items }: Dataset<RecordItem>,
  warn: (text: string) => void,
): LivenessDataset {
  const kinds = new Map([
    ...["live", "1"].map((label) => [label, true] as const),
    ...["spoof", "0"].map((label) => [label, false] as const),
  ]);
  const unknown = items.find(({ label }) => !kinds.has(label));
  if (unknown) {
    throw new TwingradError(
      "BAD_INPUT",
      `${unknown.name}: invalid label "${unknown.label}"; for liveness expected live or 1, spoof or 0, and the person in the name.`,
    );
  }
  const live = items.filter(({ label }) => kinds.get(label)).length;
  if (live === 0 || live === items.length) {
    throw new TwingradError(
      "BAD_INPUT",
      `Expected records of both kinds, live and spoof; there are ${live} and ${items.length - live}.`,
    );
  }
  const alone = items.filter(({ named }) => !named).length;
  if (alone > 0) warn(`${alone} records have no name: ${ownPeople}`);
  // A record's own name holds the file's name and a colon, so it cannot equal a person's name.
  const people = items.map((item) => (item.named ? names[item.identity] : item.name));
  const identities = [...new Set(people)].sort(byNaturalOrder);
  const positions = new Map(identities.map((name, position) => [name, position]));
  return {
    identities,
    items: items.map((item, n) => ({ ...item, identity: positions.get(people[n])!, live: kinds.get(item.label)! })),
  };
}

const ownPeople =
  "each counts as a person of its own, so a person may be on both sides of a split, which makes the results look better than they are";

/**
 * The people ordered by the kinds of their pictures: only bona fide, both, only presentation attacks; shuffled within
 * each. The order depends on the set of names, not on their order.
 */
export function peopleByKind(dataset: LivenessDataset, random: Random): number[] {
  const seen = dataset.identities.map(() => ({ live: false, spoof: false }));
  for (const { identity, live } of dataset.items) seen[identity][live ? "live" : "spoof"] = true;
  const byNaturalOrder = dataset.identities.map((_, person) => person);
  byNaturalOrder.sort((a, b) => (dataset.identities[a] < dataset.identities[b] ? -1 : 1));
  const those = (live: boolean, spoof: boolean) =>
    random.shuffle(byNaturalOrder.filter((person) => seen[person].live === live && seen[person].spoof === spoof));
  return [...those(true, false), ...those(true, true), ...those(false, true)];
}

/** The number of people with bona fide pictures, and of those with presentation attacks. */
export function peopleOfKinds({ items }: LivenessDataset): { live: number; spoof: number } {
  const count = (kind: boolean) => new Set(items.filter(({ live }) => live === kind).map((item) => item.identity)).size;
  return { live: count(true), spoof: count(false) };
}

/**
 * Splits by person, so that nobody is in both parts. Holds out `fraction` of the people, or those of one fold,
 * stratified by the kinds of their pictures (only bona fide, both, only attacks). At least two people of each kind are
 * held out, because a cross-fitted threshold for one is set on others. The choice depends on the seed and on the names,
 * not on their order.
 * @throws BAD_INPUT if nobody of some kind remains for training, or a fold has too few people.
 * @example
 * ```ts
 * const { training, heldOut } = splitLiveness(livenessDataset, { fraction: 0.3, seed: 1 });
 * ```
 */
export function splitLiveness(dataset: LivenessDataset, { fraction, fold, seed }: Split): Divided<LivenessItem> {
  const people = dataset.identities.length;
  const ascending = (held: ReadonlySet<number>, wanted: boolean) =>
    dataset.identities.map((_, person) => person).filter((person) => held.has(person) === wanted);
  for (const held of fold ? dealt(dataset, fold, seed) : shares(dataset, fraction, seed)) {
    const heldOut = subset(dataset, ascending(held, true));
    const kinds = peopleOfKinds(heldOut);
    if (kinds.live < 2 || kinds.spoof < 2) continue;
    const training = subset(dataset, ascending(held, false));
    const trained = peopleOfKinds(training);
    if (trained.live > 0 && trained.spoof > 0) return { training, heldOut };
  }
  const { live, spoof } = peopleOfKinds(dataset);
  const what = fold ? `part ${fold.number}/${fold.of}` : `${fraction}`;
  throw new TwingradError(
    "BAD_INPUT",
    `Cannot hold out ${what} of ${people} people, ${live} of them in live pictures and ${spoof} in spoofs: ${fold ? "there can be at most as many folds as people" : "the fraction must lie between 0 and 1"}, and of each kind at least 2 people are held out and 1 remains`,
  );
}

/** The people to hold out for this fraction, then for more and more people, while too few of a kind are held out. */
function* shares(dataset: LivenessDataset, fraction: number, seed: number): Iterable<Set<number>> {
  if (!(fraction > 0 && fraction < 1)) return;
  const people = dataset.identities.length;
  for (let count = Math.max(1, Math.round(fraction * people)); count < people; count++)
    yield spread(dataset, count, seed);
}

/** The people of a fold, if it is valid: each n-th in the order by kind. */
function dealt(dataset: LivenessDataset, fold: Fold, seed: number): Set<number>[] {
  if (!isFold(fold)) return [];
  const order = peopleByKind(dataset, new Random(seed, streams.split));
  return [new Set(order.filter((_, place) => place % fold.of === fold.number - 1))];
}

/** `count` people: one from each of `count` equal stretches of `peopleByKind`. */
function spread(dataset: LivenessDataset, count: number, seed: number): Set<number> {
  const random = new Random(seed, streams.split);
  const order = peopleByKind(dataset, random);
  const edge = (n: number) => Math.floor((n * order.length) / count);
  return new Set(Array.from({ length: count }, (_, n) => order[edge(n) + random.integer(edge(n + 1) - edge(n))]));
}

/** The index of one picture. */
export interface Single {
  /** By index. */
  picture: number;
  /** From 0. */
  epoch: number;
}

/**
 * Bona fide pictures and presentation attacks in turn, uniform over the groups of the kind where pictures have some
 * (`grouped`), then over people and then over their pictures: any even number of consecutive examples is half of each
 * kind. An epoch is as many examples as there are pictures.
 * @throws BAD_INPUT without pictures of both kinds.
 * @example
 * ```ts
 * const pictures = balancedLiveness(livenessDataset, { seed: 1 });
 * const stream = livenessBatches(new DecodedImages(livenessDataset, [112, 112, 3]), pictures, { batchSize: 32 });
 * ```
 */
export function balancedLiveness({ items }: LivenessDataset, { seed }: { seed: number }): Sampler<Single> {
  const groups = [...new Set(items.map(({ group }) => group))].sort();
  const people = items.reduce((most, { identity }) => Math.max(most, identity + 1), 0);
  return new BalancedLiveness(
    items.map(({ identity, live, group }) => 2 * (identity + people * groups.indexOf(group)) + Number(live)),
    people,
    seed,
  );
}

class BalancedLiveness extends Sampler<Single> {
  readonly #pictures: number;
  /** For spoof and live: by group and person, the pictures. */
  readonly #groups: readonly (readonly (readonly number[][])[])[];

  /** @param labels 2 (identity + people * group) + kind. */
  constructor(labels: readonly number[], people: number, seed: number) {
    super("balanced liveness", labels, { seed });
    const each = picturesOfEach(labels);
    this.#groups = [0, 1].map((kind) => {
      const own = each.filter(([picture]) => labels[picture] % 2 === kind);
      const groupOf = ([picture]: number[]) => Math.floor(labels[picture] / (2 * people));
      return [...new Set(own.map(groupOf))].map((group) => own.filter((pictures) => groupOf(pictures) === group));
    });
    this.#pictures = labels.length;
    if (this.#groups.some((groups) => groups.length === 0)) {
      const [spoof, live] = this.#groups.map((groups) => groups.flat().length);
      throw new TwingradError(
        "BAD_INPUT",
        `Training for liveness needs live pictures and spoofs; there are ${live} people in live pictures and ${spoof} in spoofs.`,
      );
    }
  }

  protected draw(number: number): Single {
    const random = new Random(this.seed, streams.liveness, number);
    const groups = this.#groups[(number + 1) % 2];
    const people = groups[groups.length > 1 ? random.integer(groups.length) : 0];
    const own = people[random.integer(people.length)];
    return { picture: own[random.integer(own.length)], epoch: Math.floor(number / this.#pictures) };
  }
}
