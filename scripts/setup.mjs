#!/usr/bin/env node
// @ts-check
// Makes a fresh clone ready: installs the locked dependencies, finds (or gets) a WebGPU adapter, tests it once and
// remembers it. With --browser it does the same for the Chrome that tests and benchmarks run in.
import { statSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ChromePathError, thisMachine } from "../src/node/adapter/findAdapter.mjs";
import { readChoice, writeChoice } from "./chrome/choice.mjs";
import { probeChrome, startChrome } from "./chrome/startChrome.mjs";
import { choiceKey, choose, describe, firstThatWorks } from "./setup/choose.mjs";
import { run, SetupError, say } from "./setup/command.mjs";
import { installDependencies } from "./setup/dependencies.mjs";
import { getChrome } from "./setup/getChrome.mjs";

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const machine = thisMachine();

/** @param {string} file changes when the file is replaced */
const stamp = (file) => {
  const { mtimeMs, size } = statSync(file);
  return `${size} ${Math.round(mtimeMs)}`;
};

/** @type {import("./setup/choose.mjs").Actions} */
const actions = {
  proveAdapter: () => {
    try {
      const prove = path.join(root, "scripts", "setup", "proveAdapter.mjs");
      return JSON.parse(run([process.execPath, prove], { show: "node scripts/setup/proveAdapter.mjs", minutes: 2 }));
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      return { adapter: null, tried: [error.message] };
    }
  },
  proveBrowser: async (chrome, preferred) => {
    const works = await firstThatWorks(preferred, async (adapter) => {
      const browser = await startChrome(chrome, adapter).catch((error) => {
        throw new SetupError(`${chrome} does not start:\n  ${error.message}`);
      });
      try {
        if (!(await probeChrome(browser))) return null;
        const [name, version = ""] = (await browser.version()).split("/"); // "Chrome/156.0.8078.79"
        return `${/chromium/i.test(chrome) ? "Chromium" : name} ${version.split(".")[0]}`;
      } finally {
        await browser.close();
      }
    });
    return works && { path: chrome, ...works };
  },
  getChrome: () => getChrome(machine, root),
};

/** @throws {SetupError} */
async function main() {
  if (Number(process.versions.node.split(".")[0]) < 20) {
    throw new SetupError(`this is Node ${process.version}; twingrad needs Node 20 or later (https://nodejs.org).`);
  }
  installDependencies(root);
  const versions = `${process.version} ${process.platform} ${process.arch} ${stamp(path.join(root, "package-lock.json"))}`;
  const { choice, changed } = await choose(machine, {
    remembered: readChoice(root),
    key: () => choiceKey(machine, versions, stamp),
    browser: process.argv.includes("--browser"),
    actions,
  });
  if (changed) writeChoice(root, choice);
  say(describe(choice));
}

try {
  await main();
} catch (error) {
  if (!(error instanceof Error)) throw error;
  // A problem of the machine is reported in words. Any other error is a bug of this script: its stack helps to fix it.
  const told = error instanceof SetupError || error instanceof ChromePathError;
  say(told ? error.message : String(error.stack));
  process.exitCode = 1;
}
