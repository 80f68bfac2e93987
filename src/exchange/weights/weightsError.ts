// The error for weights that do not fit a network, with all differences at once.
import { TwingradError } from "../../errors.ts";
import type { Framework } from "./layouts.ts";
import { nameIn } from "./theirNames.ts";

/** A tensor of a wrong shape. */
export interface WrongTensor {
  /** Its name in the file. */
  readonly name: string;
  /** The shape that the network has. */
  readonly expected: string;
  /** The shape in the file. */
  readonly found: string;
}

/** A tensor with values that no trained network has. */
export interface InvalidTensor {
  /** Its name in the file. */
  readonly name: string;
  /** What is wrong with its values. */
  readonly reason: string;
}

/** The differences of a file of weights from the network. */
export interface Misfits {
  /** Twingrad's names of parameters without a tensor. */
  readonly missing: readonly string[];
  /** Tensors of the file without a parameter. */
  readonly unused: readonly string[];
  /** Tensors of a wrong shape. */
  readonly wrong: readonly WrongTensor[];
  /** Tensors with values that are not finite, and negative variances. */
  readonly invalid: readonly InvalidTensor[];
}

/** Weights that do not fit the network: the message lists all of them. */
export class WeightsError extends TwingradError implements Misfits {
  readonly missing: readonly string[];
  readonly unused: readonly string[];
  /** Tensors of a wrong shape. */
  readonly wrong: readonly WrongTensor[];
  /** Tensors with values that are not finite, and negative variances. */
  readonly invalid: readonly InvalidTensor[];
  constructor({ missing, unused, wrong, invalid }: Misfits, advice: string, from: Framework = "twingrad") {
    const inBoth = (name: string) => (from === "twingrad" ? name : `${name} (${from}: ${nameIn(from, name)})`);
    const parts = [
      list("missing", missing.map(inBoth)),
      list("left over", unused),
      list(
        "of a wrong shape or type",
        wrong.map(({ name, expected, found }) => `${name} is ${found}, expected ${expected}`),
      ),
      list(
        "with invalid values",
        invalid.map(({ name, reason }) => `${name} has ${reason}`),
      ),
    ];
    super("CHECKPOINT_MISMATCH", `The weights do not fit: ${parts.filter(Boolean).join("; ")}. ${advice}`);
    this.name = "WeightsError";
    this.missing = missing;
    this.unused = unused;
    this.wrong = wrong;
    this.invalid = invalid;
  }
}

const list = (what: string, items: readonly string[]) => (items.length > 0 ? `${what}: ${items.join(", ")}` : "");
