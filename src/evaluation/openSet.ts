// Open-set identification: some identities are enrolled, the others are strangers. Which enrolled identity does a probe
// show, if any? (P. Grother and M. Ngan, "Face recognition vendor test: identification", NIST IR 8009, 2014.)
import { indicesByIdentity } from "../data/dataset.ts";
import { Random, streams } from "../data/random.ts";
import { TwingradError } from "../errors.ts";
import { checkOptions } from "../options.ts";
import { type BootstrapOptions, type Interval, shareInterval } from "./bootstrap.ts";
import { roc, trueAcceptAt } from "./metrics.ts";

/** How people are divided into known ones and strangers. */
export interface OpenSetOptions {
  /** Pictures enrolled for each known identity. @default 1 */
  shots?: number;
  /** The share of identities that are strangers. @default 0.5 */
  strangers?: number;
  /** Seed of the random division. */
  seed: number;
}

/** An open-set identification protocol: enrolled identities, their probes, and strangers. */
export interface OpenSet {
  /** For each known identity its enrolled pictures; all pictures are given by index. */
  enrolled: { identity: number; pictures: number[] }[];
  /** The other pictures of known identities; `person` is the correct position in `enrolled`. */
  probes: { picture: number; identity: number; person: number }[];
  /** All pictures of identities that are not enrolled. */
  strangers: { picture: number; identity: number }[];
}

/**
 * Divides people at random into known ones and strangers; people without a further picture for a probe are strangers.
 * @throws BAD_INPUT where fewer than two people could be known, or nobody would be a stranger.
 * @example
 * ```ts
 * const protocol = openSet(labelsOf(dataset), { shots: 2, strangers: 0.5, seed: 1 });
 * console.log(protocol.enrolled.length, protocol.probes.length, protocol.strangers.length);
 * ```
 */
export function openSet(labels: ArrayLike<number>, options: OpenSetOptions): OpenSet {
  checkOptions("openSet", options, { shots: "finite number", strangers: "finite number", seed: "finite number" });
  const { shots = 1, strangers = 0.5, seed } = options;
  if (!Number.isInteger(shots) || shots < 1)
    throw new TwingradError("BAD_INPUT", `openSet: shots is ${shots}; expected an integer of at least 1.`);
  if (strangers < 0 || strangers > 1)
    throw new TwingradError("BAD_INPUT", `openSet: strangers is ${strangers}; expected a share from 0 to 1.`);
  const random = new Random(seed, streams.openSet);
  const people = indicesByIdentity(labels).flatMap((pictures, identity) =>
    pictures.length > 0 ? [{ identity, pictures }] : [],
  );
  const several = random.shuffle(people.filter(({ pictures }) => pictures.length > shots));
  const wanted = Math.max(2, Math.round((1 - strangers) * people.length));
  const known = several.slice(0, Math.min(wanted, people.length - 1));
  if (known.length < 2) {
    throw new TwingradError(
      "BAD_INPUT",
      `open-set identification needs 2 people with ${shots + 1} pictures and a stranger; ${several.length} of ${people.length} people have as many`,
    );
  }
  const identities = new Set(known.map(({ identity }) => identity));
  const shuffled = known.map(({ identity, pictures }) => ({ identity, pictures: random.shuffle([...pictures]) }));
  return {
    enrolled: shuffled.map(({ identity, pictures }) => ({ identity, pictures: pictures.slice(0, shots) })),
    probes: shuffled.flatMap(({ identity, pictures }, person) =>
      pictures.slice(shots).map((picture) => ({ picture, identity, person })),
    ),
    strangers: people
      .filter(({ identity }) => !identities.has(identity))
      .flatMap(({ identity, pictures }) => pictures.map((picture) => ({ picture, identity }))),
  };
}

/** The nearest enrolled identity of a picture, and its distance. */
export interface Nearest {
  /** The distance to the nearest enrolled person. */
  distance: number;
  /** Position among the enrolled; null where two are equally near. */
  person: number | null;
}

/** Open-set identification: known people, and strangers who should be called unknown. */
export interface OpenSetReport {
  /** The number of enrolled people. */
  known: number;
  /** The number of people who are not enrolled. */
  strangers: number;
  /** The number of probes of enrolled people. */
  probes: number;
  /** The number of probes of strangers. */
  strangerProbes: number;
  /** Rank-1 identification rate: the share of probes whose nearest identity is the correct one, without a threshold. */
  rank1: number;
  /** Probes farther than this from every enrolled identity are called unknown. */
  threshold: number;
  /** True-positive identification rate (TPIR) at that threshold: the share of probes identified correctly. */
  truePositive: number;
  /** False-positive identification rate (FPIR): the share of strangers' probes identified as anybody. */
  falsePositive: number;
  /** The largest TPIR of any threshold with at most this FPIR. */
  truePositiveAt: { "0.1": number; "0.01": number };
  /** Confidence intervals over the probes' identities, for a fixed gallery. */
  intervals: { level: number; rank1: Interval; truePositive: Interval; falsePositive: Interval };
}

/**
 * The metrics of an open-set protocol at a threshold.
 * @param nearest for each of the probes, then for each of the strangers.
 * @returns Rates as shares, with confidence intervals over the people of the probes.
 * @throws BAD_INPUT unless there is one nearest person for each probe and stranger.
 * @example
 * ```ts
 * const protocol = openSet(labels, { seed: 1 });
 * const asked = [...protocol.probes, ...protocol.strangers];
 * const nearest = asked.map(({ identity }): Nearest => ({ distance: 0.4, person: identity }));
 * console.log(openSetReport(protocol, nearest, 0.7).rank1);
 * ```
 */
export function openSetReport(
  { enrolled, probes, strangers }: OpenSet,
  nearest: readonly Nearest[],
  threshold: number,
  options: BootstrapOptions = {},
): OpenSetReport {
  const correct = probes.map(({ person, identity }, n) => ({
    identities: [identity],
    hit: nearest[n].person === person,
    distance: nearest[n].distance,
  }));
  const named = strangers.map(({ identity }, n) => {
    const { distance } = nearest[probes.length + n];
    return { identities: [identity], hit: distance <= threshold, distance };
  });
  const accepted = correct.map(({ identities, hit, distance }) => ({ identities, hit: hit && distance <= threshold }));
  // A probe whose nearest identity is wrong is identified correctly at no threshold.
  const curve = roc([
    ...correct.map(({ hit, distance }) => ({ same: true, distance: hit ? distance : Number.POSITIVE_INFINITY })),
    ...named.map(({ distance }) => ({ same: false, distance })),
  ]).filter((point) => point.threshold < Number.POSITIVE_INFINITY);
  const share = (outcomes: readonly { hit: boolean }[]) => outcomes.filter(({ hit }) => hit).length / outcomes.length;
  return {
    known: enrolled.length,
    strangers: new Set(strangers.map(({ identity }) => identity)).size,
    probes: probes.length,
    strangerProbes: strangers.length,
    rank1: share(correct),
    threshold,
    truePositive: share(accepted),
    falsePositive: share(named),
    truePositiveAt: { "0.1": trueAcceptAt(curve, 0.1), "0.01": trueAcceptAt(curve, 0.01) },
    intervals: {
      level: options.level ?? 0.95,
      rank1: shareInterval(correct, options),
      truePositive: shareInterval(accepted, options),
      falsePositive: shareInterval(named, options),
    },
  };
}
