// The suites in a process of their own: Dawn in Node, wgpu in Deno.

import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { bundle } from "./bundle.ts";
import type { Host } from "./host.ts";
import type { Outcome, Start } from "./runner.ts";

export type Request = { start: Start } | { run: string };
export type Answer = { value: unknown } | { error: string };

export interface Command {
  executable: string;
  parameters: string[]; // before the bundle's file
  environment: Record<string, string>;
}

/** Within the repository, so that the bundle finds the webgpu package. */
const folder = new URL("../../../build/test/", import.meta.url);

/** One run of the process; requests are answered one after the other. */
class Child {
  private readonly process: ChildProcess;
  private readonly waiting: ((answer: Answer) => void)[] = [];
  private readonly noise: string[] = [];
  private readonly exited: Promise<void>;
  private alive = true;

  constructor({ executable, parameters, environment }: Command, file: string) {
    this.process = spawn(executable, [...parameters, file], { env: { ...process.env, ...environment } });
    createInterface({ input: this.process.stdout! }).on("line", (line) => {
      if (line.startsWith("@")) this.waiting.shift()?.(JSON.parse(line.slice(1)));
      else this.noise.push(line);
    });
    createInterface({ input: this.process.stderr! }).on("line", (line) => this.noise.push(line));
    this.process.stdin!.on("error", () => {}); // a crash closes the pipe: `exit` tells why
    this.exited = new Promise((resolve) => {
      const ended = (how: string) => {
        this.alive = false;
        const error = `the process ended (${how}):\n${this.noise.slice(-20).join("\n")}`;
        for (const answer of this.waiting.splice(0)) answer({ error });
        resolve();
      };
      this.process.on("error", (error) => ended(error.message));
      this.process.on("exit", (code, signal) => ended(signal ?? `exit status ${code}`));
    });
  }

  async ask<T>(request: Request): Promise<T> {
    const answer = await new Promise<Answer>((resolve) => {
      if (!this.alive) resolve({ error: "the process has ended" });
      this.waiting.push(resolve);
      this.process.stdin!.write(`${JSON.stringify(request)}\n`);
    });
    if ("error" in answer) throw new Error(answer.error);
    return answer.value as T;
  }

  async end(): Promise<void> {
    this.process.stdin!.end();
    const timer = setTimeout(() => this.process.kill("SIGKILL"), 5_000);
    await this.exited;
    clearTimeout(timer);
  }
}

let text: Promise<string> | undefined;

export async function openProcess(command: Command, start: Start): Promise<Host> {
  text ??= bundle("stdio");
  mkdirSync(folder, { recursive: true });
  const file = fileURLToPath(new URL(`suites-${process.pid}.mjs`, folder));
  writeFileSync(file, await text);
  const child = new Child(command, file);
  const close = async () => {
    await child.end();
    rmSync(file);
  };
  try {
    const adapter = await child.ask<string>({ start });
    return { adapter, run: (name) => child.ask<Outcome>({ run: name }), close };
  } catch (error) {
    await close();
    throw error;
  }
}
