// Which tensor of another framework is which parameter of ours: by its name and its shape, where no map says.
import { byNaturalOrder } from "../../data/naturalOrder.ts";
import { TwingradError } from "../../errors.ts";
import type { StoredTensor } from "../../formats/safetensors.ts";
import type { Framework } from "./layouts.ts";

type Kind = "conv" | "norm" | "dense";

interface Module {
  readonly name: string;
  readonly kind: Kind;
  /** Tensors by what they are to the module. */
  readonly leaves: ReadonlyMap<string, string>;
}

/** What the last part of a name is to its module: PyTorch's names of it, and Keras's. */
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

/** Kept beside the running statistics, and nothing that a network computes with. */
const counters = /(^|[./])num_batches_tracked$/;

export interface Assignment {
  /** The file's name of each of our parameters. */
  readonly tensors: ReadonlyMap<string, string>;
  readonly ignored: readonly string[];
  readonly unused: readonly string[];
}

/**
 * @param map names that are said: ours to theirs or theirs to ours. Theirs to null: not wanted.
 * @throws BAD_INPUT for a map that leaves out a tensor that is not there.
 */
export function assign(
  tensors: ReadonlyMap<string, StoredTensor>,
  from: Framework,
  map: Readonly<Record<string, string | null>> = {},
): Assignment {
  const said = new Map<string, string>();
  const ignored: string[] = [];
  const free = new Set(tensors.keys());
  for (const [key, value] of Object.entries(map)) {
    const [ours, theirs] = tensors.has(key) ? [value, key] : [key, value];
    if (theirs === null) throw new TwingradError("BAD_INPUT", `The map: "${key}" is no tensor of the file.`);
    if (ours === null) ignored.push(theirs);
    else said.set(ours, theirs);
    free.delete(theirs);
  }
  for (const name of [...free].filter((name) => counters.test(name) || /^optimizer\//.test(name))) {
    ignored.push(name);
    free.delete(name);
  }
  const found = from === "twingrad" ? new Map([...free].map((name) => [name, name])) : byRule(free, tensors, said);
  for (const theirs of found.values()) free.delete(theirs);
  return { tensors: new Map([...found, ...said]), ignored, unused: [...free] };
}

/** Convolutions and batch-norms are the blocks' in the order of their names; the dense layer comes before the head. */
function byRule(
  free: ReadonlySet<string>,
  tensors: ReadonlyMap<string, StoredTensor>,
  said: ReadonlyMap<string, string>,
): Map<string, string> {
  const modules = modulesOf(free, tensors);
  const found = new Map<string, string>();
  const take = ({ leaves }: Module, scope: string) => {
    for (const [leaf, name] of leaves) if (!said.has(`${scope}/${leaf}`)) found.set(`${scope}/${leaf}`, name);
  };
  for (const kind of ["conv", "norm"] as const) {
    const own = modules.filter((module) => module.kind === kind);
    const numbers = own.map(({ name }) => blockNumber(name));
    const first = numbers.includes(0) ? 0 : 1;
    const numbered = new Set(numbers).size === own.length && !numbers.includes(undefined);
    const key = kind === "conv" ? "kernel" : "gamma";
    const open = own.map((_, i) => i + 1 + said.size).reduce((most, n) => Math.max(most, n), 0);
    const places = Array.from({ length: open }, (_, i) => `tower/block${i + 1}/${kind}`);
    const unsaid = places.filter((place) => !said.has(`${place}/${key}`));
    for (const [i, module] of own.entries()) {
      take(module, numbered ? `tower/block${numbers[i]! - first + 1}/${kind}` : unsaid[i]);
    }
  }
  const dense = modules.filter(({ kind }) => kind === "dense");
  const outputs = ({ leaves }: Module) => tensors.get(leaves.get("bias") ?? "")?.shape[0];
  const isHead = (module: Module) => /head|logits?|classifier/i.test(module.name) || outputs(module) === 1;
  const head = dense.findLast(isHead) ?? dense[1];
  const [embedding] = dense.filter((module) => module !== head);
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

/** By the shape of its kernel; where that is missing, by what the module is called. */
function kindOf(name: string, own: ReadonlyMap<string, string>, tensors: ReadonlyMap<string, StoredTensor>) {
  if (own.has("running_mean") || own.has("moving_mean")) return "norm";
  const kernel = tensors.get(own.get("weight") ?? own.get("kernel") ?? "");
  if (kernel?.shape.length === 4) return "conv";
  if (kernel?.shape.length === 2) return "dense";
  const last = name.split(/[./]/).at(-1)!;
  return namedLike.find(([, pattern]) => pattern.test(last))?.[0];
}
