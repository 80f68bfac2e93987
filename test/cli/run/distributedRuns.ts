// What tests of training under MPI share: the command line's parameters, and one run that has to succeed.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { expect } from "vitest";
import { cliWithPeople, tiny } from "../cliPeople.ts";
import { type Launcher, launch } from "./mpirun.ts";

export const steps = 40;
const every = ["--checkpoint-every", "5", "--keep-checkpoints", "2"];

export function distributedRuns(name: string) {
  const { data, at, twingrad } = cliWithPeople(name);
  const cli = () => at("cli.mjs");

  const model = (folder: string) =>
    createHash("sha256")
      .update(readFileSync(at(folder, "model.safetensors")))
      .digest("hex");

  function parameters(folder: string, ...more: string[]): string[] {
    const train = ["train", data, "--out", at(folder), "--distributed", "--json", ...tiny, ...every];
    return [cli(), ...train, "--steps", String(steps), ...more];
  }

  async function trained(launcher: Launcher, ranks: number, folder: string, ...more: string[]) {
    const { status, stdout, stderr } = await launch(launcher, ranks, parameters(folder, ...more)).ended;
    expect(status, stderr).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines, "rank 0 alone tells a result").toHaveLength(1);
    return { ...JSON.parse(lines[0]), stderr };
  }

  return { data, at, twingrad, cli, model, parameters, trained };
}
