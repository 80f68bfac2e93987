// @ts-check
// Opens Dawn's GPU object in Node: on the system's GPU, or on the software driver found beside Chrome. Shared by the
// library and by the set-up script, which proves the choice with it; hence plain JavaScript.
import { constants } from "node:os";
import { findSoftwareDriver, vulkanDrivers } from "./findAdapter.mjs";

/** @typedef {import("./findAdapter.mjs").Machine} Machine */
/** @typedef {import("./findAdapter.mjs").SoftwareDriver} SoftwareDriver */

/**
 * @typedef {object} Dawn
 * @property {GPU | null} gpu null when no adapter answers
 * @property {SoftwareDriver | null} driver the software driver in use, null on the system's own adapter
 * @property {string[]} tried the reason for each attempt that failed
 */

/** Keeps a library in the process after the handle is closed (RTLD_NODELETE of glibc and musl). */
const RTLD_NODELETE = 0x1000;

/**
 * Loads a shared library that is not a Node addon, and leaves it loaded, so that Dawn's own dlopen("libvulkan.so.1") finds
 * it by its name in any folder: LD_LIBRARY_PATH would have to be set before the process starts.
 * @param {string} library
 */
function preload(library) {
  try {
    process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_NOW | RTLD_NODELETE);
  } catch (error) {
    // Node then complains that the library registers no addon; any other failure means that it did not load.
    return error instanceof Error && error.message.startsWith("Module did not self-register");
  }
  return true;
}

/**
 * Keeps every GPU object for the life of the process. Dawn polls from a queued immediate, which crashes the process if
 * the object was garbage-collected in between; keeping it does not keep the process running.
 * @type {GPU[]}
 */
const held = [];

/** @param {string | null} beside a copy of the loader, for systems without one */
function loadVulkan(beside) {
  return preload("libvulkan.so.1") || (beside !== null && preload(beside));
}

/**
 * Asks Dawn for an adapter under these environment variables, which matter only while its Vulkan instance is created.
 * @param {Record<string, string>} environment
 * @param {string} [name] a part of the adapter's name
 * @returns {Promise<GPU | null>}
 */
async function answering(environment, name) {
  const { create, globals } = await import("webgpu");
  for (const [global, value] of Object.entries(globals)) {
    if (!(global in globalThis))
      Object.defineProperty(globalThis, global, { value, configurable: true, writable: true });
  }
  const before = Object.keys(environment).map((key) => /** @type {const} */ ([key, process.env[key]]));
  Object.assign(process.env, environment);
  try {
    const gpu = create(name === undefined ? [] : [`adapter=${name}`]);
    held.push(gpu);
    return (await gpu.requestAdapter({ powerPreference: "high-performance" })) ? gpu : null;
  } catch (error) {
    // Dawn throws this if no adapter has the name.
    if (name !== undefined && error instanceof Error && /no suitable backends/.test(error.message)) return null;
    throw error;
  } finally {
    for (const [key, value] of before) {
      if (value === undefined) delete process.env[key];
      else process.env[key] = value;
    }
  }
}

/**
 * The system's adapter, or the software driver if there is none or `adapter` asks for it.
 * @param {Machine} machine
 * @param {"system" | "software"} [adapter] only this one; by default the first that answers
 * @param {string} [name] a part of its name
 * @returns {Promise<Dawn>}
 */
export async function openDawn(machine, adapter, name) {
  /** @type {string[]} */
  const tried = [];
  const called = name === undefined ? "" : ` whose name has "${name}"`;
  const linux = machine.platform === "linux";
  const driver = findSoftwareDriver(machine);
  // Dawn reaches every GPU on Linux through Vulkan; elsewhere it takes Metal or Direct3D, which are part of the system.
  const vulkan = !linux || loadVulkan(driver?.loader ?? null);
  if (!vulkan) tried.push("Vulkan: there is no libvulkan.so.1 (Debian, Ubuntu: libvulkan1; Fedora: vulkan-loader)");

  if (vulkan && adapter !== "software") {
    const drivers = linux ? vulkanDrivers(machine) : [];
    if (linux && drivers.length === 0) tried.push("GPU: no Vulkan driver is installed");
    else {
      const gpu = await answering({}, name);
      if (gpu) return { gpu, driver: null, tried };
      const which = linux ? ` (the Vulkan drivers ${drivers.join(", ")} offer none that it accepts)` : "";
      tried.push(`GPU: Dawn got no adapter${called} from the system${which}`);
    }
  }
  if (linux && adapter !== "system") {
    if (!driver) tried.push("software adapter: no vk_swiftshader_icd.json beside a Chrome or Chromium");
    else if (vulkan) {
      const gpu = await answering({ VK_DRIVER_FILES: driver.icd, VK_ICD_FILENAMES: driver.icd }, name);
      if (gpu) return { gpu, driver, tried };
      tried.push(`software adapter: Dawn got no adapter${called} from ${driver.icd}`);
    }
  }
  return { gpu: null, driver: null, tried };
}
