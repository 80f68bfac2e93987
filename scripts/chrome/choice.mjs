// @ts-check
// What the set-up found and tested on this machine, kept in .cache/setup.json for the next start, the tests and the
// benchmarks. Plain JavaScript, because the set-up script writes it.
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";

/**
 * @typedef {object} Choice
 * @property {string} key what the choice depends on; with another key the choice is discarded
 * @property {{ name: string, software: boolean }} adapter Dawn's adapter in Node
 * @property {{ path: string, version: string, adapter: "gpu" | "software" } | null} browser null before
 *   `setup --browser`
 */

/** @param {string} root the repository's folder */
export const choiceFile = (root) => path.join(root, ".cache", "setup.json");

/** @param {string} root @returns {Choice | null} null if no readable choice is remembered */
export function readChoice(root) {
  try {
    return JSON.parse(readFileSync(choiceFile(root), "utf8"));
  } catch {
    return null; // absent or cut short: the set-up finds it again
  }
}

/** @param {string} root @param {Choice} choice */
export function writeChoice(root, choice) {
  const file = choiceFile(root);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(`${file}.${process.pid}`, `${JSON.stringify(choice, null, 2)}\n`);
  renameSync(`${file}.${process.pid}`, file);
}
