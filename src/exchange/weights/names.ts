// Matches another framework's tensors to our parameters: by a map, or else by name and shape.
import { byNaturalOrder } from "../../data/naturalOrder.ts";
import { TwingradError } from "../../errors.ts";
import type { StoredTensor } from "../../formats/safetensors.ts";
import type { Framework } from "./layouts.ts";
import { nameIn } from "./theirNames.ts";

type Kind = "conv" | "norm" | "dense";

interface Module {
  readonly name: string;
  readonly kind: Kind;
  /** The module's tensors by the last part of their names. */
  readonly leaves: ReadonlyMap<string, string>;
}

/** Parameters by the last part of a name, as PyTorch and Keras name them. */
const leaves: Readonly<Record<Kind, Readonly<Record<string, string>>>> = {
  conv: { weight: "kernel", kernel: "kernel", bias: "bias" },
  dense: { weight: "kernel", kernel: "kernel", bias: "bias" },
  norm: {
    weight: "gamma",
    gamma: "gamma",
    bias: "beta",
    beta: "beta",
    running_mean: "moving_mean",
    moving_mean: "moving_mean",
    running_var: "moving_variance",
    moving_variance: "moving_variance",
  },
};

const namedLike: readonly (readonly [Kind, RegExp])[] = [
  ["norm", /(norm|bn)[a-z]*[_\d]*$/i],
  ["conv", /conv[a-z\d]*[_\d]*$/i],
  ["dense", /(dense|linear|fc|head|logits?|classifier|output|embedding)[_\d]*$/i],
];

/** A counter beside the running statistics, which inference does not use. */
const counters = /(^|[./])num_batches_tracked$/;

export interface Assignment {
  /** The file's name of each of our parameters. */
  readonly tensors: ReadonlyMap<string, string>;
  readonly ignored: readonly string[];
  readonly unused: readonly string[];
}

/**
 * @param map given names: ours to theirs or theirs to ours; theirs to null to ignore a tensor.
 * @throws BAD_INPUT for a map that ignores a tensor that does not exist.
 */
export function assign(
  tensors: ReadonlyMap<string, StoredTensor>,
  from: Framework,
  map: Readonly<Record<string, string | null>> = {},
): Assignment {
  const mapped = new Map<string, string>();
  const ignored: string[] = [];
  const free = new Set(tensors.keys());
  const refuse = (what: string): never => {
    throw new TwingradError("BAD_INPUT", `The map: ${what}.`);
  };
  for (const [key, value] of Object.entries(map)) {
    const [ours, theirs] = tensors.has(key) ? [value, key] : [key, value];
    if (theirs === null) return refuse(`"${key}" is not a tensor of the file`);
    if (ours === null) ignored.push(theirs);
    else if ([...mapped.values()].includes(theirs)) refuse(`"${theirs}" is given to two parameters`);
    else mapped.set(ours, theirs);
    free.delete(theirs);
  }
  for (const name of [...free].filter((name) => counters.test(name) || /^optimizer\//.test(name))) {
    ignored.push(name);
    free.delete(name);
  }
  const found = from === "twingrad" ? new Map([...free].map((name) => [name, name])) : byTable(free, from, mapped);
  for (const theirs of found.values()) free.delete(theirs);
  if (from !== "twingrad") {
    for (const [ours, theirs] of byRule(free, tensors, mapped, found)) {
      found.set(ours, theirs);
      free.delete(theirs);
    }
  }
  return { tensors: new Map([...found, ...mapped]), ignored, unused: [...free] };
}

/** The parameters that the file has under the names of docs/exchange.md. */
function byTable(free: ReadonlySet<string>, from: Framework, mapped: ReadonlyMap<string, string>): Map<string, string> {
  const found = new Map<string, string>();
  /** Takes the parameters of a module; tells if there are any. */
  const take = (scope: string, kind: Kind) => {
    const names = [...new Set(Object.values(leaves[kind]))].map((leaf) => `${scope}/${leaf}`);
    const own = names.filter((ours) => !mapped.has(ours) && free.has(nameIn(from, ours)));
    for (const ours of own) found.set(ours, nameIn(from, ours));
    return own.length > 0 || names.some((ours) => mapped.has(ours));
  };
  const count = (kind: Kind) => {
    let blocks = 0;
    while (take(`tower/block${blocks + 1}/${kind}`, kind)) blocks++;
    return blocks;
  };
  // Other numbers of convolutions than of batch-norms: only some have these names, so that all are matched by order.
  if (count("conv") !== count("norm")) found.clear();
  const hasDense = take("tower/dense", "dense");
  if (from === "pytorch" || hasDense) take("head", "dense"); // a lone dense_1 of Keras is not its second dense layer
  return found;
}

/**
 * Assigns convolutions and batch-norms to blocks in the order of their names; the dense layer comes before the head.
 * @param table parameters that have been found: modules of these kinds are complete.
 */
function byRule(
  free: ReadonlySet<string>,
  tensors: ReadonlyMap<string, StoredTensor>,
  mapped: ReadonlyMap<string, string>,
  table: ReadonlyMap<string, string>,
): Map<string, string> {
  const has = (start: string) => [...table.keys()].some((name) => name.startsWith(start));
  const modules = modulesOf(free, tensors);
  const found = new Map<string, string>();
  const take = ({ leaves }: Module, scope: string) => {
    for (const [leaf, name] of leaves) if (!mapped.has(`${scope}/${leaf}`)) found.set(`${scope}/${leaf}`, name);
  };
  for (const kind of has("tower/block") ? [] : (["conv", "norm"] as const)) {
    const own = modules.filter((module) => module.kind === kind);
    const numbers = own.map(({ name }) => blockNumber(name));
    const first = numbers.includes(0) ? 0 : 1;
    const numbered = new Set(numbers).size === own.length && !numbers.includes(undefined);
    const key = kind === "conv" ? "kernel" : "gamma";
    const open = own.map((_, i) => i + 1 + mapped.size).reduce((most, n) => Math.max(most, n), 0);
    const places = Array.from({ length: open }, (_, i) => `tower/block${i + 1}/${kind}`);
    const unmapped = places.filter((place) => !mapped.has(`${place}/${key}`));
    for (const [i, module] of own.entries()) {
      take(module, numbered ? `tower/block${numbers[i]! - first + 1}/${kind}` : unmapped[i]);
    }
  }
  const dense = modules.filter(({ kind }) => kind === "dense");
  const outputs = ({ leaves }: Module) => tensors.get(leaves.get("bias") ?? "")?.shape[0];
  const isHead = (module: Module) => /head|logits?|classifier/i.test(module.name) || outputs(module) === 1;
  const head = has("head/") ? undefined : (dense.findLast(isHead) ?? (has("tower/dense/") ? undefined : dense[1]));
  const [embedding] = has("tower/dense/") ? [] : dense.filter((module) => module !== head);
  if (embedding) take(embedding, "tower/dense");
  if (head) take(head, "head");
  return found;
}

/** The number in blocks.2.conv or block3/norm. */
function blockNumber(name: string): number | undefined {
  const number = /(?:^|[./])blocks?[._/]?(\d+)[./]/.exec(name)?.[1];
  return number === undefined ? undefined : Number(number);
}

function modulesOf(free: ReadonlySet<string>, tensors: ReadonlyMap<string, StoredTensor>): Module[] {
  const groups = new Map<string, Map<string, string>>();
  for (const name of free) {
    const [, module, leaf] = /^(.+)[./]([^./]+)$/.exec(name.replace(/:\d+$/, "")) ?? [];
    if (module === undefined) continue;
    groups.set(module, (groups.get(module) ?? new Map()).set(leaf, name));
  }
  const modules = [...groups].flatMap(([name, own]) => {
    const kind = kindOf(name, own, tensors);
    if (!kind) return [];
    const known = [...own].flatMap(([leaf, tensor]) => (leaves[kind][leaf] ? [[leaves[kind][leaf], tensor] as const] : [])); // biome-ignore format: one list
    return known.length > 0 ? [{ name, kind, leaves: new Map(known) }] : [];
  });
  return modules.sort((a, b) => byNaturalOrder(a.name, b.name));
}

/** A module's kind by the shape of its kernel, or without one by the module's name. */
function kindOf(name: string, own: ReadonlyMap<string, string>, tensors: ReadonlyMap<string, StoredTensor>) {
  if (own.has("running_mean") || own.has("moving_mean")) return "norm";
  const kernel = tensors.get(own.get("weight") ?? own.get("kernel") ?? "");
  if (kernel?.shape.length === 4) return "conv";
  if (kernel?.shape.length === 2) return "dense";
  const last = name.split(/[./]/).at(-1)!;
  return namedLike.find(([, pattern]) => pattern.test(last))?.[0];
}
