// Runs the engines in a Node process on Dawn, so that a server with a GPU can be measured without a browser.
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "esbuild";
import { esbuildPlugin } from "../shaders/reflect.mjs";
import { type BenchHost, Waiting } from "./host.ts";

/** A message of bench/node/main.ts. */
type Answer = [id: number, error: string | null, value: string];

export class BenchProcess implements BenchHost {
  private readonly program: string;
  /** Keeps the tuning table from one process to the next. */
  private readonly folder: string;
  private readonly tuned: boolean;
  private readonly waiting = new Waiting();
  private child?: ChildProcess;
  readonly page = this.waiting.through(async (id, method, rest) => {
    this.child!.send([id, method, rest]);
  });

  private constructor(program: string, folder: string, tuned: boolean) {
    this.program = program;
    this.folder = folder;
    this.tuned = tuned;
  }

  /** @param entry the program, with the page's functions and possibly more. */
  static async open(root: string, { tuned = true, entry = "bench/node/main.ts" } = {}): Promise<BenchProcess> {
    const program = `${root}/build/${entry.replace(/\.ts$/, ".mjs")}`; // inside the repository, where packages resolve
    await build({
      entryPoints: [`${root}/${entry}`],
      outfile: program,
      bundle: true,
      format: "esm",
      platform: "node",
      packages: "external",
      logLevel: "error",
      plugins: [esbuildPlugin()],
    });
    return new BenchProcess(program, await mkdtemp(join(tmpdir(), "twingrad-bench-")), tuned);
  }

  async versions(): Promise<Record<string, string>> {
    return { node: process.version };
  }

  async reload(): Promise<void> {
    await this.stop();
    const child = fork(this.program, [this.folder], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    this.child = child;
    child.on("message", (message) => {
      if (Array.isArray(message)) this.waiting.settle(...(message as Answer));
    });
    child.on("exit", (status, signal) => {
      if (this.child === child) this.waiting.lose(`Node ended with ${signal ?? `status ${status}`}.`);
    });
    await Promise.race([
      once(child, "message"), // ready
      once(child, "exit").then(() => Promise.reject(new Error("The bench's process ended before it was ready."))),
    ]);
    await this.page.tuned(this.tuned);
  }

  async close(): Promise<void> {
    await this.stop();
    await rm(this.folder, { recursive: true, force: true });
  }

  private async stop(): Promise<void> {
    const { child } = this;
    this.child = undefined;
    if (!child || child.exitCode !== null) return;
    child.kill("SIGKILL"); // Dawn may wait forever for a hanging driver
    await once(child, "exit");
  }
}
