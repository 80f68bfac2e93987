// @ts-check
// Runs one command of the set-up; if it fails, names it and shows its last lines.
import { spawnSync } from "node:child_process";

/** A failure whose message is for the user: the set-up prints it without a stack trace. */
export class SetupError extends Error {}

/** @param {string} message */
export const say = (message) => process.stderr.write(`twingrad: ${message}\n`);

const mostLines = 6;

/**
 * The relevant part of a failed command's output: from its first line that reports an error, else its last lines.
 * @param {string} output
 * @returns {string[]}
 */
export function lastWords(output) {
  const lines = output
    .split(/\r?\n/)
    .map((line) => line.trim())
    .filter((line) => line !== "" && line !== "npm error" && !line.startsWith("npm warn") && !/^at .+[:)]/.test(line));
  const error = lines.findIndex((line) => /^(npm error|E:|Err:|\w*Error:)/.test(line));
  return error < 0 ? lines.slice(-mostLines) : lines.slice(error, error + mostLines);
}

/**
 * @param {string[]} command program and arguments
 * @param {{ cwd?: string, env?: Record<string, string>, minutes?: number, show?: string }} [options] `show` is the
 *   command as people would type it
 * @returns {string} standard output
 * @throws {SetupError}
 */
export function run(command, { cwd, env, minutes = 15, show = command.join(" ") } = {}) {
  const [program, ...args] = command;
  const result = spawnSync(/** @type {string} */ (program), args, {
    cwd,
    env: { ...process.env, ...env },
    encoding: "utf8",
    maxBuffer: 1 << 28,
    timeout: minutes * 60_000,
  });
  if (result.status === 0) return result.stdout;
  const how = result.error
    ? result.error.message
    : result.signal
      ? `ended by ${result.signal}`
      : `exit status ${result.status}`;
  const words = lastWords(`${result.stdout ?? ""}\n${result.stderr ?? ""}`);
  throw new SetupError([`\`${show}\` failed (${how})`, ...words.map((line) => `    ${line}`)].join("\n"));
}
