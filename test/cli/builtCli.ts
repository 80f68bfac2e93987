// The command line, built from the sources as they are and run in processes of its own.
import { execFile } from "node:child_process";
import { join, resolve } from "node:path";
import { expect } from "vitest";
import { buildPrograms } from "../bundle.ts";

const root = resolve(import.meta.dirname, "../..");

export interface Ended {
  status: number | string | null;
  stdout: string;
  stderr: string;
}

/** A folder for one test file, inside the repository, where packages resolve. */
export const testFolder = (name: string) => join(root, "build", `${name}-${process.pid}`);

export const cliSource = join(root, "src/cli/cli.ts");

/**
 * Builds into `folder`. `run` takes any outcome; `json` insists on success and gives the last line's object.
 * @param environment set beside the test's own.
 */
export async function buildCli(folder: string, environment: Record<string, string> = {}) {
  await buildPrograms(folder, { cli: cliSource });
  const cli = join(folder, "cli.mjs");
  const env = { ...process.env, ...environment };

  function run(...parameters: string[]): Promise<Ended> {
    return new Promise((done) => {
      execFile(process.execPath, [cli, ...parameters], { timeout: 300_000, env }, (error, stdout, stderr) => {
        done({ status: error ? (error.code ?? null) : 0, stdout, stderr });
      });
    });
  }

  async function json(...parameters: string[]) {
    const { status, stdout, stderr } = await run(...parameters, "--json");
    expect(status, stderr).toBe(0);
    return { ...JSON.parse(stdout.trimEnd().split("\n").pop()!), stderr };
  }
  return { cli, run, json };
}
