// One probe against a gallery on the GPU, beside a plain loop over the same numbers in the same page.
import { type Device, GalleryIndex } from "../../src/index.ts";
import { generator } from "../configurations.ts";
import type { Account } from "./count.ts";
import { open } from "./ours.ts";

export const metrics = ["euclidean", "weighted"] as const;
export type MetricName = (typeof metrics)[number];

export interface MatchSize {
  readonly rows: number;
  readonly dimensions: number;
  /** The number of nearest rows to find. */
  readonly k: number;
}

export interface MatchTimes {
  /** Milliseconds of each probe, one at a time. */
  readonly milliseconds: number[];
  /** The time per probe with four in flight. */
  readonly together: number;
}

export interface MatchSetup {
  /** Milliseconds to lay out the rows and upload them, chunk by chunk. */
  readonly fillMilliseconds: number;
  /** Milliseconds to compile the search and answer the first probe. */
  readonly firstMilliseconds: number;
  readonly parts: number;
  /** Bytes of the gallery's parts, and the peak of GPU memory, including the search. */
  readonly galleryBytes: number;
  readonly peakBytes: number;
}

const chunkRows = 65_536;
const probesTogether = 4;

interface Subject {
  readonly device: Device;
  readonly index: GalleryIndex;
  readonly chunks: Float32Array[];
  readonly weights?: Float32Array;
  readonly size: MatchSize;
  readonly random: () => number;
}

let subject: Subject | undefined;

const draw = (random: () => number, length: number) => Float32Array.from({ length }, () => 2 * random() - 1);

/** The loop needs the rows as well: only what the GPU holds is our own. */
export async function openMatch(metric: MetricName, size: MatchSize, account: Account): Promise<MatchSetup> {
  const device = await open();
  const random = generator(1);
  const weights = metric === "weighted" ? draw(random, size.dimensions).map(Math.abs) : undefined;
  const index = new GalleryIndex(device, size.dimensions, { weights, distanceOf: (score) => score });
  const chunks: Float32Array[] = [];
  let fillMilliseconds = 0;
  for (let row = 0; row < size.rows; row += chunkRows) {
    const chunk = draw(random, Math.min(chunkRows, size.rows - row) * size.dimensions);
    chunks.push(chunk);
    const begun = performance.now();
    await index.add(chunk);
    fillMilliseconds += performance.now() - begun;
  }
  await device.gpu.queue.onSubmittedWorkDone();
  subject = { device, index, chunks, weights, size, random };
  const begun = performance.now();
  await index.search(draw(random, size.dimensions), size.k);
  const firstMilliseconds = performance.now() - begun;
  const { bytes: galleryBytes, parts } = index;
  return { fillMilliseconds, firstMilliseconds, parts, galleryBytes, peakBytes: account.peakBytes };
}

/** @throws if the loop finds other rows, or distances that differ by more than float32 rounding. */
export async function checkMatch(): Promise<void> {
  const { index, size, random } = subject!;
  const probe = draw(random, size.dimensions);
  const found = await index.search(probe, size.k);
  const expected = loop(probe);
  if (found.length !== Math.min(size.k, size.rows)) throw new Error(`${found.length} rows were found.`);
  for (const [n, { row, distance }] of found.entries()) {
    const other = expected[n];
    const error = Math.abs(distance - other.distance) / Math.abs(other.distance);
    if (row !== other.row || !(error <= 1e-5)) {
      throw new Error(`Nearest ${n}: row ${row} at ${distance}; the loop has row ${other.row} at ${other.distance}.`);
    }
  }
}

export async function timeMatch(probes: number): Promise<MatchTimes> {
  const { index, size, random } = subject!;
  const milliseconds: number[] = [];
  for (let n = 0; n < probes; n++) {
    const probe = draw(random, size.dimensions);
    const begun = performance.now();
    await index.search(probe, size.k);
    milliseconds.push(performance.now() - begun);
  }
  const several = Array.from({ length: probesTogether }, () => draw(random, size.dimensions));
  const begun = performance.now();
  await Promise.all(several.map((probe) => index.search(probe, size.k)));
  return { milliseconds, together: (performance.now() - begun) / probesTogether };
}

export async function timeLoop(probes: number): Promise<number[]> {
  const { size, random } = subject!;
  return Array.from({ length: probes }, () => {
    const probe = draw(random, size.dimensions);
    const begun = performance.now();
    loop(probe);
    return performance.now() - begun;
  });
}

export async function closeMatch(): Promise<void> {
  await subject?.index.dispose();
  subject?.device.dispose();
  subject = undefined;
}

/** The plain form: row after row, in JavaScript's float64, keeping the k lowest in order. */
function loop(probe: Float32Array): { row: number; distance: number }[] {
  const { chunks, weights, size } = subject!;
  const { dimensions, k } = size;
  const best: { row: number; distance: number }[] = [];
  let row = 0;
  for (const chunk of chunks) {
    for (let at = 0; at < chunk.length; at += dimensions, row++) {
      let distance = 0;
      if (weights) for (let d = 0; d < dimensions; d++) distance += weights[d] * Math.abs(probe[d] - chunk[at + d]);
      else {
        for (let d = 0; d < dimensions; d++) {
          const difference = probe[d] - chunk[at + d];
          distance += difference * difference;
        }
      }
      if (best.length === k && distance >= best[k - 1].distance) continue;
      let place = best.length;
      while (place > 0 && best[place - 1].distance > distance) place--;
      best.splice(place, 0, { row, distance });
      if (best.length > k) best.pop();
    }
  }
  return best;
}
