// All ranks of a distributed run must have the same settings.
import { TwingradError } from "../../errors.ts";
import type { Communicator } from "./communicator.ts";

/**
 * Compares the settings of the ranks, field by field.
 * @throws BAD_INPUT on every rank if one differs.
 */
export async function expectSame(communicator: Communicator, own: Readonly<Record<string, unknown>>): Promise<void> {
  const entries = Object.entries(own).map(([key, value]) => [key, JSON.stringify(value) ?? "undefined"]);
  const gathered = await communicator.allGather(new TextEncoder().encode(JSON.stringify(entries)));
  const all = gathered.map((bytes) => new Map<string, string>(JSON.parse(new TextDecoder().decode(bytes))));
  for (const [rank, one] of all.entries()) {
    for (const key of new Set([...all[0].keys(), ...one.keys()])) {
      const [first, other] = [all[0].get(key) ?? "undefined", one.get(key) ?? "undefined"];
      if (first === other) continue;
      const what = `${key} is ${shortened(first)} on rank 0 and ${shortened(other)} on rank ${rank}`;
      throw new TwingradError("BAD_INPUT", `The ranks differ: ${what}; start all of them with the same options.`);
    }
  }
}

const shortened = (text: string) => (text.length > 200 ? `${text.slice(0, 200)}...` : text);
