// Runs programs in the folder of an installed package, as its user would.
import { execFile } from "node:child_process";
import path from "node:path";
import { expect, inject } from "vitest";

export interface Ended {
  status: number | string | null;
  stdout: string;
  stderr: string;
}

/** Of the user: what tuning keeps goes into the tests' folder, and no output is colored. */
const own = () => ({
  ...process.env,
  XDG_CACHE_HOME: path.join(inject("packageFolder"), "cache"),
  NODE_ENV: undefined, // vitest's
  FORCE_COLOR: undefined,
  NO_COLOR: "1",
});

/** Where a program runs, and what is set there beside the tests' own. */
export type Place = string | { folder: string; environment: Record<string, string> };

/** Any outcome; what ran is printed. */
export function outcome(place: Place, command: string, ...parameters: string[]): Promise<Ended> {
  const { folder, environment = {} } = typeof place === "string" ? { folder: place } : place;
  const options = { cwd: folder, env: { ...own(), ...environment }, timeout: 300_000, maxBuffer: 2 ** 26 };
  const start = performance.now();
  return new Promise((done) => {
    execFile(command, parameters, options, (error, stdout, stderr) => {
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      console.log(`${folder}$ ${path.basename(command)} ${parameters.join(" ")}   (${seconds} s)`);
      const status = error ? (error.code ?? error.signal ?? null) : 0;
      done({ status, stdout, stderr: stderr || (error?.message ?? "") });
    });
  });
}

/** What a command prints; one that fails is a failed test. */
export async function run(place: Place, command: string, ...parameters: string[]): Promise<string> {
  const { status, stdout, stderr } = await outcome(place, command, ...parameters);
  expect(status, `${command} ${parameters.join(" ")}\n${stdout.slice(-4000)}\n${stderr.slice(-4000)}`).toBe(0);
  return stdout;
}

/** The object that a program prints as its last line. */
export async function answer<T>(place: Place, command: string, ...parameters: string[]): Promise<T> {
  return JSON.parse((await run(place, command, ...parameters)).trimEnd().split("\n").at(-1) ?? "");
}
