// @ts-check
// Finds Chrome and the Vulkan drivers of a machine. Plain JavaScript without dependencies, because the set-up script needs
// it before anything is installed; the library and the tests use the same functions.
import { existsSync, readdirSync, realpathSync } from "node:fs";
import { homedir } from "node:os";
import path from "node:path";

/**
 * What the search depends on, so that tests can describe another machine.
 * @typedef {object} Machine
 * @property {string} platform as `process.platform`
 * @property {Record<string, string | undefined>} env
 * @property {string} home the user's home folder
 * @property {(file: string) => boolean} exists
 * @property {(folder: string) => string[]} list names in a folder; empty where there is no such folder
 * @property {(file: string) => string} realPath the file behind symbolic links
 */

/**
 * A Vulkan driver that computes on the CPU, and the Vulkan loader that comes with it.
 * @typedef {object} SoftwareDriver
 * @property {string} icd the driver's manifest
 * @property {string | null} loader a copy of libvulkan.so.1, for machines without one
 */

/** A variable names a Chrome that does not exist. */
export class ChromePathError extends Error {}

/** @returns {Machine} the machine that this process runs on */
export function thisMachine() {
  return {
    platform: process.platform,
    env: process.env,
    home: homedir(),
    exists: existsSync,
    list: (folder) => (existsSync(folder) ? readdirSync(folder) : []),
    realPath: (file) => realpathSync(file),
  };
}

const chromeNames = ["google-chrome", "google-chrome-stable", "chromium", "chromium-browser", "chrome"];

/** Folders of Chrome's files, including the driver, in Linux packages. */
const chromeFolders = [
  "/usr/lib/chromium",
  "/usr/lib/chromium-browser",
  "/usr/lib64/chromium-browser",
  "/opt/google/chrome",
  "/opt/google/chrome-beta",
  "/snap/chromium/current/usr/lib/chromium-browser",
];

/** @param {Machine} machine */
const paths = (machine) => (machine.platform === "win32" ? path.win32 : path.posix);

/** @param {Machine} machine @returns {string} the folder into which puppeteer downloads browsers */
function puppeteerCache(machine) {
  return machine.env.PUPPETEER_CACHE_DIR ?? paths(machine).join(machine.home, ".cache", "puppeteer");
}

/** @param {Machine} machine @returns {string[]} Chrome executables that puppeteer may have downloaded, newest first */
function downloadedChromes(machine) {
  const { join } = paths(machine);
  const folder = join(puppeteerCache(machine), "chrome");
  const builds = machine.list(folder).sort((a, b) => b.localeCompare(a, "en", { numeric: true }));
  return builds.flatMap((build) =>
    machine.list(join(folder, build)).map((inner) => {
      const name = "Google Chrome for Testing";
      if (machine.platform === "darwin") return join(folder, build, inner, `${name}.app`, "Contents", "MacOS", name);
      return join(folder, build, inner, machine.platform === "win32" ? "chrome.exe" : "chrome");
    }),
  );
}

/** @param {Machine} machine @returns {string[]} where installers put Chrome on this platform */
function usualChromes(machine) {
  const { join } = paths(machine);
  const { env, home } = machine;
  if (machine.platform === "darwin") {
    return ["/Applications", join(home, "Applications")].flatMap((folder) =>
      ["Google Chrome", "Chromium"].map((name) => join(folder, `${name}.app`, "Contents", "MacOS", name)),
    );
  }
  if (machine.platform === "win32") {
    const roots = [env.ProgramFiles, env["ProgramFiles(x86)"], env.LOCALAPPDATA].filter((root) => root !== undefined);
    return [
      ["Google", "Chrome", "Application", "chrome.exe"],
      ["Chromium", "Application", "chrome.exe"],
      ["Microsoft", "Edge", "Application", "msedge.exe"],
    ].flatMap((tail) => roots.map((root) => join(root, ...tail)));
  }
  return chromeFolders.flatMap((folder) => [join(folder, "chrome"), join(folder, "chromium")]);
}

/**
 * Every Chrome or Chromium found: the one named by `CHROME` (or puppeteer's `PUPPETEER_EXECUTABLE_PATH`), then those on
 * `PATH`, in the platform's usual places, and downloaded by puppeteer.
 * @param {Machine} machine
 * @returns {string[]}
 * @throws {ChromePathError} if the variable names a file that does not exist
 */
function findChromes(machine) {
  const { env } = machine;
  const named = ["CHROME", "PUPPETEER_EXECUTABLE_PATH"].flatMap((variable) => {
    const file = env[variable];
    if (!file) return [];
    if (machine.exists(file)) return [file];
    throw new ChromePathError(
      `${variable} is "${file}", which does not exist: set it to Chrome's executable, or unset it.`,
    );
  });
  const { join, delimiter } = paths(machine);
  const folders = (env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const onPath =
    machine.platform === "win32" ? [] : chromeNames.flatMap((name) => folders.map((folder) => join(folder, name)));
  const possible = [...onPath, ...usualChromes(machine), ...downloadedChromes(machine)];
  return [...named, ...possible.filter(machine.exists)];
}

/**
 * The Chrome or Chromium to use: the first of those found.
 * @param {Machine} machine
 * @returns {string | null}
 * @throws {ChromePathError} if `CHROME` names a file that does not exist
 */
export function findChrome(machine) {
  return findChromes(machine)[0] ?? null;
}

/**
 * The manifests of the Vulkan drivers that the loader would try, in the loader's own search order ("Linux Driver
 * Discovery" in the Vulkan loader's documentation). Without a driver, asking Dawn for a GPU only prints warnings.
 * @param {Machine} machine
 * @returns {string[]}
 */
export function vulkanDrivers(machine) {
  const { env, home } = machine;
  const { join } = path.posix;
  /** @param {string | undefined} list @param {string} otherwise */
  const split = (list, otherwise) => (list || otherwise).split(":").filter((entry) => entry !== "");
  /** @param {string[]} entries files, or folders of manifests */
  const manifests = (entries) =>
    entries.flatMap((entry) =>
      entry.endsWith(".json")
        ? [entry]
        : machine
            .list(entry)
            .filter((name) => name.endsWith(".json"))
            .sort()
            .map((name) => join(entry, name)),
    );
  const named = env.VK_DRIVER_FILES || env.VK_ICD_FILENAMES;
  if (named) return manifests(split(named, "")).filter(machine.exists);
  const roots = [
    env.XDG_CONFIG_HOME || join(home, ".config"),
    ...split(env.XDG_CONFIG_DIRS, "/etc/xdg"),
    "/usr/local/etc",
    "/etc",
    env.XDG_DATA_HOME || join(home, ".local/share"),
    ...split(env.XDG_DATA_DIRS, "/usr/local/share:/usr/share"),
    "/run/opengl-driver/share", // NixOS, whose loader is built to look there
  ];
  const folders = [...new Set(roots)].map((root) => join(root, "vulkan/icd.d"));
  return manifests([...split(env.VK_ADD_DRIVER_FILES, ""), ...folders]).filter(machine.exists);
}

/**
 * SwiftShader, the Vulkan driver for the CPU that comes with every Chrome for Linux. Null on other systems, which have
 * an adapter of their own (Metal; Direct3D's WARP).
 * @param {Machine} machine
 * @returns {SoftwareDriver | null}
 */
export function findSoftwareDriver(machine) {
  if (machine.platform !== "linux") return null;
  const { join, dirname } = path.posix;
  // PATH may have a link or a wrapper script, so the folders of the packages are searched as well.
  const folders = [...findChromes(machine).map((chrome) => dirname(machine.realPath(chrome))), ...chromeFolders];
  for (const folder of folders) {
    const icd = join(folder, "vk_swiftshader_icd.json");
    if (!machine.exists(icd)) continue;
    const loader = join(folder, "libvulkan.so.1");
    return { icd, loader: machine.exists(loader) ? loader : null };
  }
  return null;
}
