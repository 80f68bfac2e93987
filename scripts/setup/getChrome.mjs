// @ts-check
// Gets a Chrome: from the system's package manager where that is allowed, else by puppeteer's own download.
import path from "node:path";
import { run, SetupError, say } from "./command.mjs";

/** @typedef {import("../../src/node/adapter/findAdapter.mjs").Machine} Machine */

/** @param {Machine} machine */
const mayUseApt = (machine) =>
  machine.platform === "linux" &&
  process.getuid?.() === 0 &&
  (machine.env.PATH ?? "").split(":").some((folder) => folder !== "" && machine.exists(path.join(folder, "apt-get")));

/** libvulkan1 is what Dawn loads; Chromium's package does not ask for it. */
function installWithApt() {
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  run(["apt-get", "update"], { env });
  run(["apt-get", "install", "-y", "--no-install-recommends", "chromium", "libvulkan1"], { env });
}

/** @param {string} root @param {boolean} withLibraries also install the system libraries that Chrome links (needs root) */
function download(root, withLibraries) {
  const cli = path.join(root, "node_modules", "puppeteer", "lib", "cjs", "puppeteer", "node", "cli.js");
  const args = ["browsers", "install", "chrome", ...(withLibraries ? ["--install-deps"] : [])];
  run([process.execPath, cli, ...args], { cwd: root, show: `npx puppeteer ${args.join(" ")}` });
}

/**
 * @param {Machine} machine
 * @param {string} root
 * @throws {SetupError} with each way that was tried and how it failed
 */
export function getChrome(machine, root) {
  const apt = mayUseApt(machine);
  /** @type {string[]} */
  const failures = [];
  /** @param {() => void} way */
  const works = (way) => {
    try {
      way();
      return true;
    } catch (error) {
      if (!(error instanceof SetupError)) throw error;
      failures.push(error.message);
      return false;
    }
  };
  if (apt) {
    say("installing Chromium with apt-get (a minute or two)");
    if (works(installWithApt)) return;
  }
  say("downloading Chrome with puppeteer (a minute or two)");
  if (works(() => download(root, apt))) return;
  throw new SetupError(failures.join("\n  "));
}
