// The one place where an operation takes one of several algorithms or kernels.
import { TwingradError } from "../../errors.ts";
import type { Choice, Launch, Lowering } from "../lower.ts";

export interface Candidate<T> {
  /** Launches and does nothing else: a tuner may call it only to time what it launches. */
  launch(): T;
  /**
   * Marks the plain kernel that computes this on every adapter, whatever the extents: exactly one of the candidates. A
   * device opened with portable kernels takes no other, and does not ask for its `fits`, which can only be about speed.
   */
  readonly portable?: true;
  /** Whether it can compute this at all on this device (shape, features, limits); true by default. */
  readonly fits?: boolean;
  /** Whether the rules of thumb take it where nothing was timed; true by default. The first that is counts. */
  readonly preferred?: boolean;
}

/**
 * Launches the portable candidate where the device is to take no other, else one of those that fit: the one that the device's tuner has found faster, else the first preferred one.
 * `key` says what is computed, with every extent that its time depends on (see `keyOf`); equal keys get equal choices.
 */
export function choose<T>(to: Lowering, key: string, candidates: Readonly<Record<string, Candidate<T>>>): T {
  const all = Object.entries(candidates);
  const portable = all.filter(([, candidate]) => candidate.portable);
  if (portable.length !== 1) {
    throw new TwingradError("SHADER", `${key}: ${portable.length} portable candidates; expected exactly one.`);
  }
  const { tuner, portable: only } = to.device;
  const fitting = only ? portable : all.filter(([, { fits = true }]) => fits);
  if (fitting.length === 0) throw new TwingradError("LIMIT", `${key}: none of its kernels fits this device.`);
  const [byRule] = fitting.find(([, { preferred = true }]) => preferred) ?? fitting[0];
  const names = fitting.map(([name]) => name);
  const known = only ? undefined : tuner.choice(key, names);
  const choice: Choice = {
    key,
    taken: known ?? byRule,
    why: only ? "portable" : names.length === 1 ? "only" : known === undefined ? "rule" : "timed",
    candidates: names,
  };
  const first = to.launches.length;
  const result = candidates[choice.taken].launch();
  for (const launch of to.launches.slice(first)) launch.choice = choice; // choices within this one give way to it
  // After the real launch: what it reads has a place by then, and is not among what is taken off again.
  if (known === undefined && fitting.length > 1) {
    tuner.unknown(key, byRule, () => new Map(fitting.map(([name, { launch }]) => [name, taken(to, launch)])));
  }
  return result;
}

/** What it launches, taken off again. */
function taken(to: Lowering, launch: () => unknown): readonly Launch[] {
  const first = to.launches.length;
  launch();
  return to.launches.splice(first);
}

/** `conv2d.forward batch=8 y=28,28,3,1,1`: what is computed, then its extents by name. */
export function keyOf(what: string, extents: Readonly<Record<string, number | readonly number[]>>): string {
  return [what, ...Object.entries(extents).map(([name, value]) => `${name}=${value}`)].join(" ");
}
