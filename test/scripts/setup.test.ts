// The set-up: what it decides on machines of every kind, what it says when it cannot go on, and that it is quick.
import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { type Choice, choiceFile, readChoice, writeChoice } from "../../scripts/chrome/choice.mjs";
import {
  type Actions,
  choiceKey,
  choose,
  describe as describeChoice,
  firstThatWorks,
} from "../../scripts/setup/choose.mjs";
import { lastWords, run, SetupError } from "../../scripts/setup/command.mjs";
import { dependenciesMatch } from "../../scripts/setup/dependencies.mjs";
import { type FakeMachine, fakeMachine } from "../node/machine.ts";

const root = path.resolve(import.meta.dirname, "../..");
const folders: string[] = [];
const temporary = () => {
  folders.push(mkdtempSync(path.join(tmpdir(), "twingrad-setup-")));
  return folders.at(-1)!;
};
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

const chrome = "/usr/bin/chromium";
const driver = "/usr/lib/chromium/vk_swiftshader_icd.json";
const graphics = { name: "nvidia hopper", software: false };
const swiftShader = { name: "SwiftShader", software: true };
const browser: NonNullable<Choice["browser"]> = { path: chrome, version: "Chromium 156", adapter: "software" };

/** Dawn answers as it would: with the GPU of the machine, else with SwiftShader where Chrome's driver lies. */
function play(machine: FakeMachine, given: { gpu?: boolean; gets?: boolean; browserWorks?: boolean } = {}) {
  const calls: string[] = [];
  const actions: Actions = {
    proveAdapter: () => {
      calls.push("proveAdapter");
      if (given.gpu) return { adapter: graphics, tried: [] };
      if (machine.exists(driver)) return { adapter: swiftShader, tried: ["GPU: no Vulkan driver is installed"] };
      return { adapter: null, tried: ["GPU: no Vulkan driver is installed"] };
    },
    proveBrowser: async (file, preferred) => {
      calls.push(`proveBrowser ${preferred}`);
      return given.browserWorks === false ? null : { ...browser, path: file, adapter: preferred };
    },
    getChrome: () => {
      calls.push("getChrome");
      if (!given.gets) throw new SetupError("`apt-get update` failed (exit status 100)\n    E: no network");
      machine.files.add(chrome).add(driver);
    },
  };
  const start = (remembered: Choice | null, withBrowser: boolean) =>
    choose(machine, {
      remembered,
      key: () => choiceKey(machine, "1", () => "same"),
      browser: withBrowser,
      actions,
    });
  return { calls, start };
}

const linux = (files: string[]) => fakeMachine("linux", files, { env: { PATH: "/usr/bin" } });

describe("choosing", () => {
  test("a GPU is enough without a browser, and no Chrome is got for it", async () => {
    const { start, calls } = play(linux([]), { gpu: true });
    const { choice } = await start(null, false);
    expect(choice).toMatchObject({ adapter: graphics, browser: null });
    expect(calls).toEqual(["proveAdapter"]);
  });

  test("a GPU without a Chrome: one is got when a browser is asked for, and it uses the GPU", async () => {
    const { start, calls } = play(linux([]), { gpu: true, gets: true });
    const { choice } = await start(null, true);
    expect(choice.browser).toMatchObject({ path: chrome, adapter: "gpu" });
    expect(calls).toEqual(["proveAdapter", "getChrome", "proveBrowser gpu"]);
  });

  test("a Chrome without a GPU gives the software adapter", async () => {
    const { start, calls } = play(linux([chrome, driver]));
    const { choice } = await start(null, true);
    expect(choice).toMatchObject({ adapter: swiftShader, browser: { adapter: "software" } });
    expect(calls).toEqual(["proveAdapter", "proveBrowser software"]);
  });

  test("neither: a Chrome is got, and its software adapter is proved", async () => {
    const { start, calls } = play(linux([]), { gets: true });
    expect((await start(null, false)).choice.adapter).toEqual(swiftShader);
    expect(calls).toEqual(["proveAdapter", "getChrome", "proveAdapter"]);
  });

  test("neither, and none can be got: the message holds the reasons, the failed command and what to install", async () => {
    const failed = play(linux([])).start(null, false);
    await expect(failed).rejects.toBeInstanceOf(SetupError);
    await expect(failed).rejects.toThrow(
      /no WebGPU adapter[\s\S]*no Vulkan driver is installed[\s\S]*`apt-get update` failed[\s\S]*no network[\s\S]*Install a GPU driver with Vulkan, or Chrome/,
    );
  });

  test("a GPU, no Chrome, and none can be got: only what needs the browser fails", async () => {
    const { start } = play(linux([]), { gpu: true });
    await expect(start(null, true)).rejects.toThrow(/tests and benchmarks need Chrome[\s\S]*apt-get update/);
    await expect(start(null, false)).resolves.toMatchObject({ changed: true });
  });

  test("a Chrome without any adapter is named", async () => {
    const { start } = play(linux([chrome, driver]), { browserWorks: false });
    await expect(start(null, true)).rejects.toThrow("/usr/bin/chromium gives no WebGPU adapter");
  });
});

describe("remembering", () => {
  test("what is remembered is not proved again, until something that it depends on changes", async () => {
    const machine = linux([chrome, driver]);
    const { start, calls } = play(machine);
    const { choice } = await start(null, true);
    calls.length = 0;
    expect(await start(choice, true)).toEqual({ choice, changed: false });
    expect(calls).toEqual([]);
    machine.files.add("/usr/share/vulkan/icd.d/nvidia_icd.json"); // a GPU driver was installed
    expect((await start(choice, true)).changed).toBe(true);
    expect(calls).toContain("proveAdapter");
  });

  test("a browser that was not needed before is added to what is remembered", async () => {
    const { start, calls } = play(linux([chrome, driver]));
    const { choice } = await start(null, false);
    const second = await start(choice, true);
    expect(second.choice).toEqual({ ...choice, browser: { ...browser } });
    expect(calls).toEqual(["proveAdapter", "proveBrowser software"]);
  });

  test("the choice is kept in a file; one that is cut short counts as none", () => {
    const folder = temporary();
    expect(readChoice(folder)).toBeNull();
    const choice: Choice = { key: "k", adapter: swiftShader, browser };
    writeChoice(folder, choice);
    expect(readChoice(folder)).toEqual(choice);
    writeFileSync(choiceFile(folder), '{"key": "k", "adap');
    expect(readChoice(folder)).toBeNull();
  });

  test.each([
    [
      { adapter: swiftShader, browser },
      "SwiftShader (software) through Dawn in Node; Chromium 156 for the browser tests",
    ],
    [{ adapter: graphics, browser: null }, "nvidia hopper (GPU) through Dawn in Node"],
    [
      { adapter: graphics, browser },
      "nvidia hopper (GPU) through Dawn in Node; Chromium 156 with its software adapter for the browser tests",
    ],
  ])("one line says what was chosen: %#", (choice, line) => {
    expect(describeChoice({ key: "", ...choice })).toBe(line);
  });
});

test("a browser that does not reach the GPU is tried with its software adapter", async () => {
  const start = async (adapter: string) => (adapter === "software" ? "Chrome 156" : null);
  expect(await firstThatWorks("gpu", start)).toEqual({ version: "Chrome 156", adapter: "software" });
  expect(await firstThatWorks("software", async () => null)).toBeNull();
});

describe("dependencies", () => {
  const lock = (packages: object) => JSON.stringify({ lockfileVersion: 3, packages });
  const install = (locked: object, installed: object | null) => {
    const folder = temporary();
    writeFileSync(path.join(folder, "package-lock.json"), lock(locked));
    mkdirSync(path.join(folder, "node_modules"));
    if (installed) writeFileSync(path.join(folder, "node_modules", ".package-lock.json"), lock(installed));
    return folder;
  };
  const a = { "node_modules/a": { version: "1.0.0" } };
  const forOthers = { "node_modules/a-win32": { version: "1.0.0", optional: true } };

  test("match when every package is there, but for optional ones of other platforms", () => {
    expect(dependenciesMatch(install({ "": {}, ...a, ...forOthers }, a))).toBe(true);
  });

  test.each([
    ["another version", { "node_modules/a": { version: "1.0.1" } }],
    ["a package that is missing", {}],
    ["an installation that did not finish", null],
  ])("do not match with %s", (_, installed) => {
    expect(dependenciesMatch(install({ "": {}, ...a }, installed))).toBe(false);
  });
});

test("the lock holds the optional packages of every platform: npm ci refuses one that does not", () => {
  const { packages } = JSON.parse(readFileSync(path.join(root, "package-lock.json"), "utf8"));
  const missing = Object.entries<{ optionalDependencies?: object }>(packages).flatMap(([where, entry]) =>
    Object.keys(entry.optionalDependencies ?? {}).filter(
      (name) => !packages[`node_modules/${name}`] && !packages[`${where}/node_modules/${name}`],
    ),
  );
  expect(missing).toEqual([]);
});

describe("a command that fails", () => {
  test("is named with its exit status and its error, without the stack", () => {
    const script = "console.log('working'); console.error('E: no network\\n    at f (x.js:1:2)'); process.exit(7)";
    expect(() => run([process.execPath, "-e", script], { show: "npm ci" })).toThrow(
      "`npm ci` failed (exit status 7)\n    E: no network",
    );
  });

  test("or that is not there, says so", () => {
    expect(() => run(["/nowhere/apt-get", "update"])).toThrow(/`\/nowhere\/apt-get update` failed \(.*ENOENT/);
  });

  test("is quoted from the first error on, not from the usage text around it", () => {
    const output = "Usage: install\n\nnpm warn old\nError: no such host\n  - storage\n    at install (/x.js:1:2)\n";
    expect(lastWords(output)).toEqual(["Error: no such host", "- storage"]);
  });

  test("without an error line, has its output cut to the end", () => {
    const words = lastWords(Array.from({ length: 50 }, (_, line) => `line ${line}`).join("\n\n"));
    expect(words).toEqual(["line 44", "line 45", "line 46", "line 47", "line 48", "line 49"]);
  });
});

describe("scripts/setup.mjs", () => {
  interface Ended {
    status: number;
    stderr: string;
    milliseconds: number;
  }
  const setUp = (folder: string, env: Record<string, string> = {}, args: string[] = []): Promise<Ended> => {
    const start = performance.now();
    return new Promise((resolve) => {
      const options = { env: { ...process.env, ...env } };
      execFile(process.execPath, [path.join(folder, "scripts/setup.mjs"), ...args], options, (error, _, stderr) => {
        resolve({ status: error ? Number(error.code) : 0, stderr, milliseconds: performance.now() - start });
      });
    });
  };
  const clone = () => {
    const folder = temporary();
    for (const part of ["scripts", "src/node", "package.json", "package-lock.json"]) {
      cpSync(path.join(root, part), path.join(folder, part), { recursive: true });
    }
    return folder;
  };

  test("proves the adapter of this machine, says so in one line, and is quick the second time", async () => {
    const folder = clone();
    symlinkSync(path.join(root, "node_modules"), path.join(folder, "node_modules"));
    const first = await setUp(folder);
    expect(first).toMatchObject({ status: 0, stderr: expect.stringMatching(/^twingrad: .+ through Dawn in Node\n$/) });
    const second = await setUp(folder);
    expect(second).toMatchObject({ status: 0, stderr: first.stderr });
    expect(second.milliseconds).toBeLessThan(10_000); // half a second where nothing else runs: it proves nothing again
  }, 120_000);

  test("names npm ci and its reason when the registry cannot be reached", async () => {
    const folder = clone();
    const npm = { npm_config_registry: "http://127.0.0.1:9/", npm_config_cache: path.join(folder, "cache") };
    const muted = { npm_config_fetch_retries: "0", npm_config_loglevel: "silent" }; // as under `npm test --silent`
    const { status, stderr } = await setUp(folder, { ...npm, ...muted });
    expect(status).toBe(1);
    expect(stderr).toMatch(/`npm ci` failed \(exit status \d+\)\n[\s\S]*ECONNREFUSED/);
    expect(stderr).not.toContain("setup.mjs:");
  }, 120_000);

  test("refuses a CHROME that is not there, without a stack", async () => {
    const { status, stderr } = await setUp(root, { CHROME: "/nowhere/chrome" });
    expect(status).toBe(1);
    expect(stderr).toBe(
      'twingrad: CHROME is "/nowhere/chrome", which does not exist: set it to Chrome\'s executable, or unset it.\n',
    );
  });
});
