// The one place where an operation chooses among several algorithms or kernels.
import { TwingradError } from "../../errors.ts";
import type { Choice, Lowering } from "../lower.ts";
import { Tensor } from "../tensor.ts";
import { type Candidate, contestants, type Results } from "./contestants.ts";

export type { Candidate };

/**
 * Launches one candidate: the portable one if the device allows no other, else among those that fit the one that the
 * device's tuner measured fastest, else the first preferred one. `key` names the computation with every extent that its
 * time depends on (see `keyOf`); equal keys get equal choices.
 * @param results a candidate's results besides the tensors that all candidates write: by default the tensor that it
 * returns. May launch kernels that make the results comparable.
 */
export function choose<T>(
  to: Lowering,
  key: string,
  candidates: Readonly<Record<string, Candidate<T>>>,
  results: Results<T> = (made) => (made instanceof Tensor ? [made] : []),
): T {
  const all = Object.entries(candidates);
  const portables = all.filter(([, candidate]) => candidate.portable);
  if (portables.length !== 1) {
    throw new TwingradError("SHADER", `${key}: ${portables.length} portable candidates; expected exactly one.`);
  }
  const [[portable, plain]] = portables;
  const { tuner, portable: only } = to.device;
  const fitting = only ? portables : all.filter(([, { fits = true }]) => fits);
  if (fitting.length === 0) throw new TwingradError("LIMIT", `${key}: none of its kernels fits this device.`);
  const sound = fitting.filter(([name]) => !tuner.refuses(key, name));
  const [byRule] = sound.find(([, { preferred = true }]) => preferred) ?? sound[0] ?? portables[0];
  const names = fitting.map(([name]) => name);
  const known = only ? undefined : tuner.choice(key, names, portable);
  const choice: Choice = {
    key,
    taken: known ?? byRule,
    why: only ? "portable" : known !== undefined ? "timed" : names.length === 1 ? "only" : "rule",
    candidates: names,
  };
  const first = to.launches.length;
  const result = candidates[choice.taken].launch();
  for (const launch of to.launches.slice(first)) launch.choice = choice; // overrides the choices within this one
  // After the real launch: its inputs have storages by then, which capturing must not remove.
  if (known === undefined && (fitting.length > 1 || byRule !== portable)) {
    tuner.unknown(key, byRule, () => contestants(to, first, [portable, plain], fitting, results));
  }
  return result;
}

/** `conv2d.forward batch=8 y=28,28,3,1,1`: the computation, then its extents by name. */
export function keyOf(what: string, extents: Readonly<Record<string, number | readonly number[]>>): string {
  return [what, ...Object.entries(extents).map(([name, value]) => `${name}=${value}`)].join(" ");
}
