// @ts-check
// Decides what to compute on and which browser to test with: the remembered choice while it is valid, else what is
// found, else what can be installed. The actions are passed in, so that tests can simulate any machine.
import { findChrome, findSoftwareDriver, vulkanDrivers } from "../../src/node/adapter/findAdapter.mjs";
import { SetupError, say } from "./command.mjs";

/** @typedef {import("../../src/node/adapter/findAdapter.mjs").Machine} Machine */
/** @typedef {import("../chrome/choice.mjs").Choice} Choice */

/**
 * @typedef {object} Actions
 * @property {() => { adapter: Choice["adapter"] | null, tried: string[] }} proveAdapter
 * @property {(chrome: string, preferred: "gpu" | "software") => Promise<Choice["browser"]>} proveBrowser null where the
 *   browser has no adapter
 * @property {() => void} getChrome throws SetupError
 */

/**
 * What a remembered choice depends on: the versions in use and the files that were found.
 * @param {Machine} machine
 * @param {string} versions of the runtime and of the dependencies
 * @param {(file: string) => string} stamp differs between two states of a file
 */
export function choiceKey(machine, versions, stamp) {
  const driver = findSoftwareDriver(machine);
  const chrome = findChrome(machine);
  const files = [chrome, driver?.icd, driver?.loader, ...vulkanDrivers(machine)].filter((file) => file != null);
  return [versions, ...files.map((file) => `${file} ${stamp(file)}`)].join("; ");
}

const whatToInstall =
  "Install a GPU driver with Vulkan, or Chrome or Chromium, which carries a software adapter (Debian: apt-get install " +
  "chromium libvulkan1; elsewhere: https://www.google.com/chrome/), and name it in CHROME=/path/to/chrome where it is " +
  "in an unusual place. Then run this again.";

/** @param {string} what @param {string[]} reasons */
const failure = (what, reasons) =>
  new SetupError([what, ...reasons.map((reason) => `  ${reason}`), whatToInstall].join("\n"));

/**
 * Runs the actions that get a Chrome; a failure becomes part of the reasons.
 * @param {Actions} actions @param {string[]} reasons
 */
function tryToGetChrome(actions, reasons) {
  try {
    actions.getChrome();
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    reasons.push(error.message);
  }
}

/**
 * @param {Machine} machine
 * @param {Actions} actions
 * @returns {Choice["adapter"]}
 */
function chooseAdapter(machine, actions) {
  const first = actions.proveAdapter();
  if (first.adapter) return first.adapter;
  // Installing Chrome helps only on Linux, where Dawn can use its driver; elsewhere the system's adapter must be fixed.
  if (machine.platform !== "linux") throw failure("there is no WebGPU adapter on this machine.", first.tried);
  /** @type {string[]} */
  const reasons = [];
  tryToGetChrome(actions, reasons);
  const second = actions.proveAdapter();
  if (second.adapter) return second.adapter;
  throw failure("there is no WebGPU adapter on this machine.", [...second.tried, ...reasons]);
}

/**
 * @param {Machine} machine
 * @param {Actions} actions
 * @param {boolean} software
 * @returns {Promise<Choice["browser"]>}
 */
async function chooseBrowser(machine, actions, software) {
  /** @type {string[]} */
  const reasons = [];
  if (!findChrome(machine)) tryToGetChrome(actions, reasons);
  const chrome = findChrome(machine);
  if (!chrome) throw failure("the tests and benchmarks need Chrome, and there is none.", reasons);
  const browser = await actions.proveBrowser(chrome, software ? "software" : "gpu");
  if (browser) return browser;
  throw failure(`${chrome} gives no WebGPU adapter, neither a GPU nor its software adapter.`, reasons);
}

/** @param {Choice} choice what was chosen, in one line */
export function describe({ adapter, browser }) {
  const inNode = `${adapter.name} (${adapter.software ? "software" : "GPU"}) through Dawn in Node`;
  if (!browser) return inNode;
  const apart = !adapter.software && browser.adapter === "software" ? " with its software adapter" : "";
  return `${inNode}; ${browser.version}${apart} for the browser tests`;
}

/**
 * @param {Machine} machine
 * @param {object} given
 * @param {Choice | null} given.remembered
 * @param {() => string} given.key what `choiceKey` gives at the time of the call: getting a Chrome changes it
 * @param {boolean} given.browser whether a browser is needed as well
 * @param {Actions} given.actions
 * @returns {Promise<{ choice: Choice, changed: boolean }>}
 * @throws {SetupError} with what is missing and what to install
 */
export async function choose(machine, { remembered, key, browser, actions }) {
  const valid = remembered?.key === key() ? remembered : null;
  if (valid && (valid.browser || !browser)) return { choice: valid, changed: false };
  const adapter = valid?.adapter ?? chooseAdapter(machine, actions);
  const chosen = browser ? await chooseBrowser(machine, actions, adapter.software) : null;
  return { choice: { key: key(), adapter, browser: chosen }, changed: true };
}

/**
 * Tries the preferred adapter in the browser and then the other one.
 * @param {"gpu" | "software"} preferred
 * @param {(adapter: "gpu" | "software") => Promise<string | null>} start the browser's version where it has this
 * adapter
 * @returns {Promise<{ version: string, adapter: "gpu" | "software" } | null>}
 */
export async function firstThatWorks(preferred, start) {
  const order = preferred === "gpu" ? /** @type {const} */ (["gpu", "software"]) : /** @type {const} */ (["software"]);
  for (const adapter of order) {
    const version = await start(adapter);
    if (version) return { version, adapter };
    if (adapter === "gpu") say("Chrome does not reach the GPU; trying its software adapter");
  }
  return null;
}
