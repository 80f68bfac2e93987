// scripts/run.mjs: a program in TypeScript runs as if Node had started it.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = path.resolve(import.meta.dirname, "../..");
const folder = path.join(root, "build", `run-test-${process.pid}`); // the programs; in the repository, where shaders are
const bundles = path.join(root, "build", path.relative(root, folder));

const programs = {
  tells: `
    import shader from "../../shaders/relu.forward.wgsl";
    const [, script, ...rest]: string[] = process.argv;
    console.log(JSON.stringify({ script, rest, shader: shader.name }));
    process.exitCode = 3;`,
  waits: `
    process.once("SIGTERM", () => process.exit(7));
    setTimeout(() => undefined, 60_000);
    console.log("waiting");`,
  broken: 'import "./nowhere.ts";',
};

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of Object.entries(programs)) writeFileSync(path.join(folder, `${name}.ts`), text);
});
afterAll(() => {
  for (const each of [folder, bundles]) rmSync(each, { recursive: true });
});

const start = (...parameters: string[]) =>
  spawn(process.execPath, [path.join(root, "scripts/run.mjs"), ...parameters], { cwd: folder });

async function ended(child: ChildProcess) {
  const output = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream]!.on("data", (text) => {
      output[stream] += text;
    });
  }
  const [status, signal] = await once(child, "close");
  return { status, signal, ...output };
}

test("the program has its arguments, its shaders, and its exit status", async () => {
  const { status, stdout } = await ended(start("tells.ts", "--json", "a b"));
  const { script, ...told } = JSON.parse(stdout);
  expect(told).toEqual({ rest: ["--json", "a b"], shader: "relu.forward" });
  expect(path.basename(script)).toBe("tells.mjs");
  expect(status).toBe(3);
});

test("a signal reaches the program", async () => {
  const child = start("waits.ts");
  const end = ended(child);
  await once(child.stdout, "data");
  child.kill("SIGTERM");
  expect(await end).toMatchObject({ status: 7, signal: null });
});

test("a program that cannot be bundled is told once, with the place", async () => {
  const { status, stderr } = await ended(start("broken.ts"));
  expect(status).toBe(1);
  expect(stderr.match(/Could not resolve "\.\/nowhere\.ts"/g)).toHaveLength(1);
  expect(stderr).toContain("broken.ts:1:7");
});

test.each([[[]], [["/nowhere/outside.ts"]]])(
  "without a program of the repository, %j, it tells its usage",
  async (parameters) => {
    const { status, stdout, stderr } = await ended(start(...parameters));
    expect({ status, stdout }).toEqual({ status: 2, stdout: "" });
    expect(stderr).toMatch(/^usage: node scripts\/run\.mjs PROGRAM\.ts \[ARGUMENTS\.\.\.\].*\n$/);
  },
);
