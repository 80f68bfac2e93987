// Commands of README.md and docs/, run as they stand there, one after the other, with the installed command line.
import { mkdir } from "node:fs/promises";
import path from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { drawFiles } from "./drawn.ts";
import { commandsOf, type Example } from "./examples.ts";
import { commandLine } from "./installed.ts";
import { outcome } from "./run.ts";

export const listed = (examples: Example[]) =>
  examples.flatMap((example) => commandsOf(example).map((command) => [example.place, command] as const));

/** Two folders of the installed command line: one with drawn pictures, one without files. */
export function tourFolders() {
  const folders = { drawn: "", empty: "" };
  beforeAll(async () => {
    const installed = await commandLine();
    folders.drawn = path.join(installed, "tour");
    folders.empty = path.join(installed, "empty");
    await mkdir(folders.empty);
    await drawFiles(folders.drawn);
  }, 300_000);
  return folders;
}

/** A training of the docs would take minutes here: it stops after two steps, a resumed one after four; no kernels are timed. */
function short(command: string): string {
  if (!/^npx twingrad train /.test(command)) return command;
  return `${command} --steps ${command.includes("--resume") ? 4 : 2} --no-tune`;
}

export function runTour(tour: Example[], folders: { drawn: string }) {
  describe("the tour", () => {
    it.each(listed(tour))("%s: %s", { timeout: 120_000 }, async (_, command) => {
      const [program, ...parameters] = short(command)
        .split(" ")
        .filter((word) => word);
      const { status, stdout, stderr } = await outcome(folders.drawn, program, ...parameters);
      console.log((stdout || stderr).trimEnd().split("\n").at(-1));
      // Two steps do not teach what a live person looks like, nor to tell identities apart at one false accept in a thousand.
      const refused =
        (command.includes("--liveness") && /: rejected as a presentation attack/.test(stderr)) ||
        (command.includes("calibrate") && /--far 0.001 cannot be reached/.test(stderr));
      expect(status, stderr).toBe(refused ? 1 : 0);
    });
  });
}
