// What every command line has: a version, help under headings, quiet, completion, and output that may close or be full.
import { execFile, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { presetNames } from "../../../src/cli/options/settingsSchema.ts";
import { trainingRecord } from "../../../src/cli/run/runRecord.ts";
import { cliWithPeople, tiny } from "../cliPeople.ts";

const { data, at, twingrad, json } = cliWithPeople("every-command-test");
const { version } = JSON.parse(await readFile(resolve(import.meta.dirname, "../../../package.json"), "utf8"));

it("--version", async () => {
  expect(await twingrad("--version")).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
});

it("train --help stands under headings, what is needed every day first", async () => {
  const { stdout } = await twingrad("train", "--help");
  const headings = stdout.match(/^\S.*:$/gm)!;
  expect(headings.slice(0, 3)).toEqual(["Arguments:", "Everyday:", "Data:"]);
  for (const name of [
    "Network:",
    "Loss:",
    "Optimizer and schedule:",
    "Augmentation:",
    "Evaluation:",
    "Checkpoints:",
    "Device:",
    "Output:",
  ])
    expect(headings).toContain(name);
  const under = (heading: string) =>
    stdout
      .split(`\n${heading}\n`)[1]
      .split(/\n\n/)[0]
      .match(/^ {2}(-\S+ )?--\S+/gm)!;
  expect(under("Everyday:")).toHaveLength(11);
  const presets = stdout.split("\nPresets (--preset; any given option takes precedence):\n")[1];
  expect(
    presets
      .trim()
      .split("\n")
      .map((line) => line.trim().split(" ")[0]),
  ).toEqual(presetNames);
  if (headings.includes("Options:")) expect(under("Options:").map((line) => line.trim())).toEqual(["-h, --help"]);
});

it("train --preset trains by it, with what is said beside it, says so and keeps it", async () => {
  const quick = ["--image-size", "16", "--filters", "4,4", "--embedding", "8", "--batch-size", "8", "--steps", "1"];
  const out = ["--out", at("preset"), "--no-tune", "--validation", "0"];
  const { stderr } = await json("train", data, "--preset", "faces", ...quick, ...out);
  expect(stderr).toMatch(/--preset faces: \{"channels":1,.*"loss":"supervised-contrastive"/);
  const record = trainingRecord(await readFile(at("preset/model.safetensors")));
  expect(record!.settings).toMatchObject({ preset: "faces", channels: 1, views: ["mirror"], steps: 1, embedding: 8 });
  const unknown = await twingrad("train", data, "--preset", "face", ...out);
  expect(unknown).toMatchObject({ status: 2, stderr: expect.stringContaining('did you mean "faces"?') });
});

it("devices", async () => {
  const { adapters } = await json("devices");
  expect(adapters[0].limits.maxBufferSize).toBeGreaterThan(2 ** 20);
  expect(adapters[0].features).toEqual([...adapters[0].features].sort());
  const { stdout } = await twingrad("devices");
  expect(stdout).toMatch(/maxStorageBufferBindingSize +\d+\n/);
});

const execute = promisify(execFile);
const hasShell = (name: string) =>
  execute(name, ["-c", "true"]).then(
    () => true,
    () => false,
  );
const [hasZsh, hasFish] = await Promise.all(["zsh", "fish"].map(hasShell));

/** The completions of a command line's last word, by the function that bash, or zsh in its place, calls. */
async function completedBy(shell: "bash" | "zsh", ...words: string[]): Promise<string[]> {
  const file = at(`complete.${shell}`);
  if (!existsSync(file)) await writeFile(file, (await twingrad("completion", shell)).stdout);
  const complete = `COMP_WORDS=(twingrad "$@"); COMP_CWORD=$#; _twingrad; printf '%s\\n' "\${COMPREPLY[@]}"`;
  const script = {
    bash: `. "$0"; ${complete}`,
    zsh: `compdef() { :; }; . "$0"; within() { emulate -L sh; setopt kshglob noshglob braceexpand; ${complete}; }; within "$@"`,
  };
  const options = { bash: ["--norc"], zsh: ["-f"] };
  const { stdout } = await execute(shell, [...options[shell], "-c", script[shell], file, ...words]);
  const last = words[words.length - 1];
  return stdout
    .trim()
    .split("\n")
    .filter((word) => word.startsWith(last)); // zsh leaves that to its caller
}

it.each(["bash", "zsh"] as const)("completion in %s", async (shell) => {
  if (shell === "zsh" && !hasZsh) return console.warn("skipped: zsh is not installed");
  const completed = (...words: string[]) => completedBy(shell, ...words);
  expect(await completed("tr")).toEqual(["train"]);
  expect(await completed("records", "cre")).toEqual(["create"]);
  expect(await completed("train", "people/", "--learn")).toEqual(["--learning-rate"]);
  expect(await completed("records", "create", "a", "b", "--compression", "g")).toEqual(["gzip"]);
  expect(await completed("train", "--loss", "c")).toEqual(["cross-entropy", "contrastive"]);
  expect(await completed("train", "--out", "")).toEqual([""]); // the shell offers files
  expect(await completed("completion", "f")).toEqual(["fish"]);
  if (shell === "bash") expect(await completed("train", "--loss", "=", "t")).toEqual(["triplet"]);
  else expect(await completed("train", "--loss=t")).toEqual(["--loss=triplet"]);
});

it("completion in fish", async () => {
  const { stdout } = await twingrad("completion", "fish");
  expect(stdout).toMatch(/-l learning-rate -r -d /);
  if (!hasFish) return console.warn("skipped: fish is not installed");
  await writeFile(at("complete.fish"), stdout);
  const completed = async (line: string) => {
    const script = `source ${at("complete.fish")}; cd ${at("cache")}; complete -C"${line}"`;
    const { stdout } = await execute("fish", ["--no-config", "-c", script]);
    return stdout.trim().split("\n").map((found) => found.split("\t")[0]); // biome-ignore format: one expression
  };
  expect(await completed("twingrad train --optimizer ")).toEqual(["adam", "adamw", "sgd"]);
  expect(await completed("twingrad completion ")).toEqual(["bash", "fish", "zsh"]);
});

it("completion for a shell that it does not know", async () => {
  expect((await twingrad("completion", "tcsh")).status).toBe(2);
});

it("--quiet says nothing but warnings, which are told all the same", async () => {
  const quiet = ["train", data, "--out", at("quiet"), ...tiny, "--steps", "2", "--quiet"];
  expect((await twingrad(...quiet)).stderr).toBe("");
  await mkdir(join(data, "nobody"));
  await writeFile(join(data, "nobody", "1.bmp"), "BM");
  const { stderr } = await twingrad("records", "create", data, at("quiet.tfrecord"), "--quiet");
  expect(stderr).toMatch(/^skipped: 1 \.bmp; without other pictures, left out: nobody\. .*\n$/);
});

/** With its output as the shell command says; the status is the program's. */
const shell = (command: string) =>
  new Promise<{ status: number | null; stderr: string }>((done) => {
    const child = spawn("bash", ["-c", command], {
      env: { ...process.env, CLI: at("cli.mjs"), NODE: process.execPath },
    });
    let stderr = "";
    child.stderr.on("data", (text) => {
      stderr += text;
    });
    child.on("close", (status) => done({ status, stderr }));
  });

it("output that closes ends quietly", async () => {
  for (const command of ["--help", "train --help", "completion bash", `records inspect ${at("quiet.tfrecord")}`]) {
    const { status, stderr } = await shell(`"$NODE" "$CLI" ${command} | true; exit \${PIPESTATUS[0]}`);
    expect([command, status, stderr]).toEqual([command, 0, ""]);
  }
});

it.runIf(existsSync("/dev/full"))("a full output is told in a line, and costs a training nothing", async () => {
  const inspected = await shell(`"$NODE" "$CLI" records inspect ${at("quiet.tfrecord")} > /dev/full`);
  expect(inspected).toEqual({
    status: 1,
    stderr: expect.stringMatching(/^twingrad: standard output cannot be written: ENOSPC.*\n$/),
  });
  const options = [...tiny, "--steps", "2"].join(" ");
  const trained = await shell(`"$NODE" "$CLI" train ${data} --out ${at("full")} ${options} > /dev/full 2> /dev/full`);
  expect(trained.status).toBe(1);
  expect(existsSync(at("full", "model.safetensors"))).toBe(true);
  const piped = await shell(
    `"$NODE" "$CLI" train ${data} --out ${at("piped")} ${options} 2>&1 | true; exit \${PIPESTATUS[0]}`,
  );
  expect(piped.status).toBe(0);
  expect(existsSync(at("piped", "model.safetensors"))).toBe(true);
});
