// The command line, built from the sources as they are and run in processes of its own.
import { execFile } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { expect } from "vitest";
import { esbuildPlugin } from "../../shaders/reflect.mjs";

const root = resolve(import.meta.dirname, "../..");

export interface Ended {
  status: number | string | null;
  stdout: string;
  stderr: string;
}

/** A folder for one test file, inside the repository, where packages resolve. */
export const testFolder = (name: string) => join(root, "build", `${name}-${process.pid}`);

/** Builds into `folder`. `run` takes any outcome; `json` insists on success and gives the last line's object. */
export async function buildCli(folder: string) {
  await mkdir(folder, { recursive: true });
  const cli = join(folder, "cli.mjs");
  const options = { entryPoints: [join(root, "src/node/cli.ts")], outfile: cli, bundle: true };
  const node = { format: "esm", platform: "node", packages: "external" } as const;
  await build({ ...options, ...node, plugins: [esbuildPlugin()], logLevel: "error" });

  function run(...parameters: string[]): Promise<Ended> {
    return new Promise((done) => {
      execFile(process.execPath, [cli, ...parameters], { timeout: 120_000 }, (error, stdout, stderr) => {
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
