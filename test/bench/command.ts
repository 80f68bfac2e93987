// `npm run bench` without the set-up.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const at = (file: string) => fileURLToPath(new URL(`../../${file}`, import.meta.url));

/** Rejects with the exit status as `code`. */
export const bench = (...options: string[]) =>
  promisify(execFile)(process.execPath, [at("scripts/run.mjs"), at("bench/main.ts"), ...options]);
