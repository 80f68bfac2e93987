// The kernel suites' own small test framework: cases are registered by name and run on whatever WebGPU the host has
// (a page, Dawn in Node, wgpu in Deno), so nothing here may depend on vitest, Node or the DOM.

import fc from "fast-check";
import type { Device, OpenDeviceOptions } from "../../src/index.ts";
import { difference } from "../compare.ts";
import type { Fixtures } from "../fixtures.ts";

/**
 * The hosts that a case depends on. `everywhere`: it depends on the runtime (queues, mapping, errors, lost devices).
 * `compilers`: the arithmetic of kernels, which depends on the WGSL compiler only. `once`: decisions of our own code,
 * and combinations of kernels that other cases compare with their references.
 */
export type Where = "everywhere" | "compilers" | "once";

export interface Case {
  readonly name: string;
  readonly where: Where;
  readonly needsFixtures: boolean;
  run(device: Device, fixtures: Fixtures): Promise<void>;
}

export const cases: Case[] = [];

function register(entry: Case) {
  if (cases.some(({ name }) => name === entry.name)) throw new Error(`two cases are called "${entry.name}"`);
  cases.push(entry);
}

type Run = (device: Device) => Promise<void>;

/** A case for every host. */
export function define(name: string, run: Run): void {
  register({ name, where: "everywhere", needsFixtures: false, run });
}

/** A case about a kernel's arithmetic: for one host per WGSL compiler. */
export function defineKernel(name: string, run: Run): void {
  register({ name, where: "compilers", needsFixtures: false, run });
}

/** A case that cannot differ from host to host. */
export function defineOnce(name: string, run: Run): void {
  register({ name, where: "once", needsFixtures: false, run });
}

/** A case that the host skips if the PyTorch fixtures are absent. */
export function defineWithFixtures(name: string, where: Where, run: Case["run"]): void {
  register({ name, where, needsFixtures: true, run });
}

/** Tolerances of the product: largest absolute error over the largest absolute value of the reference. */
export const OPERATION_TOLERANCE = 1e-5;
export const NETWORK_TOLERANCE = 1e-4;

export interface Worst {
  what: string;
  relative: number;
  tolerance: number;
}

/** The largest relative error of each check, by name: the runner reports it. */
export const worst = new Map<string, Worst>();

export interface Tolerance {
  tolerance?: number;
  /** Replaces the reference's largest value if that is a small remainder of large terms that cancel. */
  scale?: number;
}

export function assertClose(
  what: string,
  actual: ArrayLike<number>,
  reference: ArrayLike<number>,
  { tolerance = OPERATION_TOLERANCE, scale }: Tolerance = {},
): void {
  if (actual.length !== reference.length) {
    throw new Error(`${what}: ${actual.length} values, expected ${reference.length}`);
  }
  const found = difference(actual, reference, scale);
  if (found.relative > (worst.get(what)?.relative ?? 0)) worst.set(what, { what, relative: found.relative, tolerance });
  if (found.relative <= tolerance) return;
  const at = found.index;
  throw new Error(
    `${what}: relative error ${found.relative.toExponential(2)} passes ${tolerance}: ` +
      `element ${at} of ${actual.length} is ${actual[at]}, expected ${reference[at]} (largest value ${found.scale})`,
  );
}

export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new Error(message);
}

export function assertEqual(what: string, actual: unknown, expected: unknown): void {
  const [a, e] = [JSON.stringify(actual), JSON.stringify(expected)];
  if (a !== e) throw new Error(`${what}: got ${a}, expected ${e}`);
}

/** Bit for bit: distinguishes -0 from 0 and one NaN from another. */
export function assertSameBits(what: string, actual: Float32Array, expected: Float32Array): void {
  const bits = (x: Float32Array) => new Uint32Array(x.buffer, x.byteOffset, x.length);
  const [a, e] = [bits(actual), bits(expected)];
  if (a.length !== e.length) throw new Error(`${what}: ${a.length} values, expected ${e.length}`);
  const at = a.findIndex((word, i) => word !== e[i]);
  if (at >= 0) throw new Error(`${what}: element ${at} is ${actual[at]}, the other time it was ${expected[at]}`);
}

/** `work` must throw, or reject with, an error whose message contains all of `parts`. */
export async function assertThrows(what: string, work: () => unknown, parts: readonly string[]): Promise<void> {
  let message: string | undefined;
  try {
    await work();
  } catch (error) {
    message = error instanceof Error ? error.message : String(error);
  }
  if (message === undefined) throw new Error(`${what}: nothing was thrown`);
  for (const part of parts) {
    if (!message.includes(part)) throw new Error(`${what}: the message lacks "${part}": ${message}`);
  }
}

/**
 * Set by the host: the seed of random examples (a failure's message gives it), the share of them that is tried, and for
 * cases that open devices of their own how the host opened its.
 */
export const settings: { seed: number; share: number; opening: Pick<OpenDeviceOptions, "gpu" | "kernels"> } = {
  seed: 20240607,
  share: 1,
  opening: {},
};

/** How long a failing example may be shrunk, in ms. */
const SHRINK_LIMIT = 10_000;

/**
 * Checks `runs` random examples, or the host's share of them: few, because each new shape may cost a software adapter a
 * second of compilation. For the same reason the search for a smaller failing example is cut short.
 */
export async function forAll<T>(example: fc.Arbitrary<T>, runs: number, check: (example: T) => Promise<void>) {
  let failed: number | undefined;
  const property = fc.asyncProperty(example, async (value) => {
    if (failed !== undefined && Date.now() - failed > SHRINK_LIMIT) return;
    try {
      await check(value);
    } catch (error) {
      failed ??= Date.now();
      throw error;
    }
  });
  await fc.assert(property, { numRuns: Math.ceil(runs * settings.share), seed: settings.seed });
}
