// Evaluates the trained network, and raw pixels as a baseline. Thresholds and calibration come from the validation people;
// every reported metric comes from the unseen people.
import {
  bestThreshold,
  type Calibration,
  type Dataset,
  DecodedImages,
  embedAll,
  fitCalibration,
  Gallery,
  labelsOf,
  type Model,
  oneShotAccuracy,
  oneShotTrials,
  pairsPerIdentity,
  type RocPoint,
  roc,
  type ScoredPair,
  type VerificationReport,
  verificationReport,
} from "../../index.ts";
import { type EvaluationPair, indicesByIdentity } from "../../internal.ts";

const perIdentity = 50;
const ways = 20;
const trials = 1000;
const enrolledPeople = 5;
const strangers = 20;
const picturesOfStrangers = 2;
/** The false-accept rate, on the validation people, of the identification threshold. */
const falseAccepts = 0.02;

type Distance = (a: number, b: number) => number;

/** The metrics of one distance on the unseen people. */
export interface DistanceFigures {
  report: VerificationReport;
  roc: RocPoint[];
  scored: (EvaluationPair & ScoredPair)[];
  oneShot: number;
}

export interface DemoEvaluation {
  network: DistanceFigures;
  pixels: DistanceFigures;
  /** Thresholds of the network's distance: for verification, and a stricter one for identification. */
  thresholds: { verify: number; identify: number };
  /** From the network's distance to the probability of a genuine pair, at even prior odds. */
  calibration: Calibration;
  oneShot: { ways: number; trials: number };
  identification: {
    enrolled: { name: string; picture: number }[];
    /** `truth` is null for a stranger, `answer` for "unknown"; pictures are indices into the unseen people's. */
    probes: { picture: number; truth: string | null; answer: string | null }[];
  };
}

export async function evaluateDemo(
  model: Model,
  { validation, unseen }: { validation: Dataset; unseen: Dataset },
  seed: number,
): Promise<DemoEvaluation> {
  const known = scorePairs(await networkDistance(model, validation), validation, seed);
  const strict = roc(known).filter((point) => point.falseAccept <= falseAccepts);
  const thresholds = { verify: bestThreshold(known).threshold, identify: strict[strict.length - 1].threshold };
  return {
    network: figuresOf(await networkDistance(model, unseen), unseen, seed),
    pixels: figuresOf(await pixelDistance(unseen, model.imageSize), unseen, seed),
    thresholds,
    calibration: fitCalibration(known),
    oneShot: { ways, trials },
    identification: await identify(model, unseen, thresholds.identify),
  };
}

function figuresOf(distance: Distance, people: Dataset, seed: number): DistanceFigures {
  const scored = scorePairs(distance, people, seed);
  const labels = labelsOf(people);
  return {
    report: verificationReport(scored, scored, labels),
    roc: roc(scored),
    scored,
    oneShot: oneShotAccuracy(oneShotTrials(labels, { ways, trials, seed }), distance),
  };
}

function scorePairs(distance: Distance, people: Dataset, seed: number) {
  const pairs = pairsPerIdentity(labelsOf(people), { perIdentity, seed });
  return pairs.map((pair) => ({ ...pair, distance: distance(pair.left, pair.right) }));
}

async function networkDistance(model: Model, people: Dataset): Promise<Distance> {
  const embeddings = await embedAll(model, people);
  const row = (index: number) => embeddings.subarray(index * model.embedding, (index + 1) * model.embedding);
  return (a, b) => model.distances(row(a), row(b))[0];
}

/** Euclidean distance between pixels. */
async function pixelDistance(people: Dataset, size: Model["imageSize"]): Promise<Distance> {
  const images = new DecodedImages(people, size);
  const pictures = await Promise.all(people.items.map((_, index) => images.get(index)));
  return (a, b) => {
    const [left, right] = [pictures[a], pictures[b]];
    let sum = 0;
    for (let i = 0; i < left.length; i++) sum += (left[i] - right[i]) ** 2;
    return Math.sqrt(sum);
  };
}

/** Enrolls the first unseen people by their first picture, then identifies their other pictures and strangers. */
async function identify(model: Model, unseen: Dataset, threshold: number): Promise<DemoEvaluation["identification"]> {
  const images = new DecodedImages(unseen, model.imageSize);
  const gallery = new Gallery(model);
  const groups = indicesByIdentity(labelsOf(unseen));
  const names = unseen.identities.slice(0, enrolledPeople);
  for (const [person, name] of names.entries()) await gallery.enroll(name, await images.get(groups[person][0]));
  const asked = [
    ...names.flatMap((name, person) => groups[person].slice(1).map((picture) => ({ picture, truth: name }))),
    ...groups
      .slice(enrolledPeople, enrolledPeople + strangers)
      .flatMap((pictures) => pictures.slice(0, picturesOfStrangers).map((picture) => ({ picture, truth: null }))),
  ];
  const probes = [];
  for (const { picture, truth } of asked) {
    const { name: answer } = await gallery.identify(await images.get(picture), { threshold });
    probes.push({ picture, truth, answer });
  }
  return { enrolled: names.map((name, person) => ({ name, picture: groups[person][0] })), probes };
}
