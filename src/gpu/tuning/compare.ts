// The difference between a candidate's results and the portable kernel's on the same input.

import type { Bound } from "../contest.ts";
import type { Device } from "../device.ts";
import type { BufferRange } from "../dispatch.ts";

/**
 * The tolerated difference. For numbers it is relative to the mean magnitude of the 64 values around: kernels that sum
 * in another order, and Winograd's algorithm, stay below a tenth of it, and float16 rounds to half a thousandth of
 * values of several times the mean. For words with the indices of maxima it is the share of words that differ, since
 * rounding may swap two nearly equal values.
 */
export const tolerances = { f32: 2e-4, f16: 2e-2, u32: 1e-2 };

export interface Difference {
  /** The largest difference, relative to its tolerance: more than 1 is incorrect. */
  readonly difference: number;
  /** What is wrong; undefined if the results agree. */
  readonly wrong?: string;
}

/** Bytes read back at a time. */
const chunkBytes = 2 ** 24;
const blockOf = 64;
/** The results are filled with this before a run: NaN in float32 and float16. */
const unwritten = 0xffffffff;

/** Compares one result in two buffers. Elements that the reference leaves unwritten are skipped. */
export async function compareResults(
  device: Device,
  { bytes, dtype = "f32", mask }: Bound,
  reference: BufferRange,
  candidate: BufferRange,
  half: boolean,
): Promise<Difference & { readonly compared: number }> {
  const size = Math.min(bytes, chunkBytes);
  const staging = [reference, candidate].map(() => device.createBuffer("tuning read", size, "readback"));
  const found = { compared: 0, missing: 0, differing: 0, largest: 0 };
  try {
    for (let at = 0; at < bytes; at += size) {
      const length = Math.min(size, bytes - at);
      const encoder = device.gpu.createCommandEncoder();
      for (const [n, { buffer, offset }] of [reference, candidate].entries()) {
        encoder.copyBufferToBuffer(buffer, offset + at, staging[n], 0, length);
      }
      device.gpu.queue.submit([encoder.finish()]);
      await device.wait(Promise.all(staging.map((buffer) => buffer.mapAsync(0x1, 0, length))));
      const [a, b] = staging.map((buffer) => new Uint32Array(buffer.getMappedRange(0, length)));
      if (dtype === "u32") compareWords(a, b, found, (word) => mask?.(at / 4 + word) ?? unwritten);
      else compareNumbers(a, b, dtype, half ? tolerances.f16 : tolerances[dtype as "f32"], found);
      for (const buffer of staging) buffer.unmap();
    }
  } finally {
    for (const buffer of staging) device.release(buffer);
  }
  const { compared, missing, differing, largest } = found;
  const difference = dtype === "u32" ? differing / Math.max(1, compared) / tolerances.u32 : largest;
  const of = `of ${compared} values`;
  if (missing > 0) return { compared, difference, wrong: `${missing} ${of} are not finite or not written` };
  if (difference <= 1) return { compared, difference };
  return { compared, difference, wrong: `${differing} ${of} differ, by up to ${difference.toPrecision(2)} tolerances` };
}

interface Found {
  compared: number;
  missing: number;
  differing: number;
  /** Relative to the tolerance. */
  largest: number;
}

function compareWords(a: Uint32Array, b: Uint32Array, found: Found, bitsOf: (word: number) => number): void {
  for (let i = 0; i < a.length; i++) {
    if (a[i] === unwritten) continue;
    found.compared++;
    if (b[i] === unwritten) found.missing++;
    else if (((a[i] ^ b[i]) & bitsOf(i)) !== 0) found.differing++;
  }
}

function compareNumbers(a: Uint32Array, b: Uint32Array, dtype: string, tolerance: number, found: Found): void {
  const [reference, candidate] = [a, b].map((words) => numbersOf(words, dtype));
  let most = 0;
  for (const value of reference) if (Number.isFinite(value)) most = Math.max(most, Math.abs(value));
  for (let first = 0; first < reference.length; first += blockOf) {
    const last = Math.min(reference.length, first + blockOf);
    let sum = 0;
    let count = 0;
    // The last block reaches back, so that a few small values are not compared with their own magnitude alone.
    for (let i = Math.max(0, last - blockOf); i < last; i++) {
      if (!Number.isFinite(reference[i])) continue;
      sum += Math.abs(reference[i]);
      count++;
    }
    const allowed = tolerance * Math.max(sum / count, 1e-3 * most);
    for (let i = first; i < last; i++) {
      if (!Number.isFinite(reference[i])) continue;
      found.compared++;
      const difference = Math.abs(candidate[i] - reference[i]);
      if (!Number.isFinite(difference)) found.missing++;
      else if (difference > 0) {
        found.largest = Math.max(found.largest, difference / allowed);
        if (difference > allowed) found.differing++;
      }
    }
  }
}

function numbersOf(words: Uint32Array, dtype: string): Float32Array {
  if (dtype === "f32") return new Float32Array(words.buffer, words.byteOffset, words.length);
  const halves = new Uint16Array(words.buffer, words.byteOffset, 2 * words.length);
  return Float32Array.from(halves, (half) => {
    const exponent = (half >> 10) & 31;
    const mantissa = half & 1023;
    if (exponent === 31) return Number.NaN;
    const value = exponent === 0 ? mantissa * 2 ** -24 : (1024 + mantissa) * 2 ** (exponent - 25);
    return half & 0x8000 ? -value : value;
  });
}
