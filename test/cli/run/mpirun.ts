// The MPI launchers of this machine, and the command line under them.
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, readdirSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";

export interface Launcher {
  readonly name: "Open MPI" | "MPICH";
  /** Undefined where it is not installed. */
  readonly program: string | undefined;
  readonly options: readonly string[];
}

function onPath(...names: readonly string[]): string | undefined {
  for (const name of names) {
    for (const folder of (process.env.PATH ?? "").split(delimiter)) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {} // not there
    }
  }
  return undefined;
}

/** More ranks than cores, and as root, as in a container. */
export const launchers: readonly Launcher[] = [
  { name: "Open MPI", program: onPath("mpirun.openmpi"), options: ["--oversubscribe", "--allow-run-as-root"] },
  { name: "MPICH", program: onPath("mpirun.mpich", "mpiexec.hydra"), options: [] },
];

export const installed = launchers.filter(({ program }) => program !== undefined);

/** What to say where a launcher is missing. */
export const howToInstall = "install it as root with: apt-get install openmpi-bin mpich";

export interface Run {
  readonly process: ChildProcess;
  /** When it is over: its exit status, and all that it wrote. */
  readonly ended: Promise<{ status: number | null; stdout: string; stderr: string }>;
}

export function launch(
  { program, options }: Launcher,
  ranks: number,
  parameters: readonly string[],
  { env = {} }: { readonly env?: Readonly<Record<string, string>> } = {},
): Run {
  const child = spawn(program!, [...options, "-n", String(ranks), process.execPath, ...parameters], {
    env: { ...process.env, ...env },
  });
  const written = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) child[stream].on("data", (text) => (written[stream] += text));
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  return { process: child, ended: ended.then((status) => ({ status, ...written })) };
}

/** The ranks' processes: those of Node whose command line names this file. */
export function ranksOf(file: string): number[] {
  return readdirSync("/proc")
    .map(Number)
    .filter((pid) => {
      if (!Number.isInteger(pid)) return false;
      try {
        const [program, ...rest] = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
        return program === process.execPath && rest.includes(file);
      } catch {
        return false; // it ended meanwhile
      }
    });
}
