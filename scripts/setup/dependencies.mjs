// @ts-check
// The locked dependencies: are they there, and if not, install exactly them.
import { readFileSync } from "node:fs";
import path from "node:path";
import { run, say } from "./command.mjs";

/** @typedef {Record<string, { version?: string, optional?: boolean, link?: boolean }>} LockedPackages */

/** @param {string} file @returns {LockedPackages | null} */
function packagesOf(file) {
  try {
    return JSON.parse(readFileSync(file, "utf8")).packages;
  } catch {
    return null; // no such file, or one that npm did not finish
  }
}

/**
 * Whether node_modules holds what package-lock.json asks for, by npm's own list of what it installed. An optional
 * package may be absent: it is there for another platform.
 * @param {string} root
 */
export function dependenciesMatch(root) {
  const installed = packagesOf(path.join(root, "node_modules", ".package-lock.json"));
  const locked = packagesOf(path.join(root, "package-lock.json"));
  if (!installed || !locked) return false;
  return Object.entries(locked).every(([where, { version, optional, link }]) => {
    if (where === "" || link) return true;
    const found = installed[where];
    return found ? found.version === version : optional === true;
  });
}

/** @param {string} root @throws {import("./command.mjs").SetupError} */
export function installDependencies(root) {
  if (dependenciesMatch(root)) return;
  say("installing the locked dependencies (npm ci; a minute or so)");
  // Run by npm, this is its own script; else npm is on PATH, on Windows as a command file that needs a shell's help.
  const npm = process.env.npm_execpath;
  const program =
    npm && /\.c?js$/.test(npm)
      ? [process.execPath, npm]
      : process.platform === "win32"
        ? ["cmd", "/c", "npm"]
        : ["npm"];
  // No package needs its install script, and a muted npm would not say why it failed.
  run([...program, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"], {
    cwd: root,
    show: "npm ci",
  });
}
