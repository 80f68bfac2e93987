// openDevice() for Node: a Device on Dawn, with the software adapter as fallback if there is no GPU.

import { totalmem } from "node:os";
import { TwingradError } from "../../errors.ts";
import { type Device, openDevice as openOn } from "../../gpu/device.ts";
import type { TuningOptions } from "../../gpu/tuner.ts";
import { checkOptions, type Known } from "../../options.ts";
import { loadPackage } from "../packages.ts";
import { slowDawnsPolling } from "./dawnPolling.ts";
import { thisMachine } from "./findAdapter.mjs";
import { openDawn } from "./openDawn.mjs";

/** Options of `openDevice` in Node. */
export interface NodeDeviceOptions {
  /** Only the system's adapter, or only the software adapter; by default the first that exists, in this order. */
  readonly adapter?: "system" | "software";
  /** A part of the adapter's name, such as "A100", to choose among several; case-sensitive. Not supported in Deno. */
  readonly name?: string;
  /** See `fileTuningStore`. */
  readonly tuning?: TuningOptions;
  /** Called once if there is no GPU and the software adapter is used; the default writes to standard error. */
  readonly tell?: (text: string) => void;
  /** See `OpenDeviceOptions.kernels`. */
  readonly kernels?: "portable";
}

const deviceOptions: Known<NodeDeviceOptions> = { adapter: 1, name: 1, tuning: 1, tell: 1, kernels: 1 };

const toStandardError = (text: string) => void process.stderr.write(`${text}\n`);

const dawn = new Map<string, ReturnType<typeof openDawn>>();
let metSoftware = false;

/**
 * Opens the system's GPU through Dawn, or through the runtime's own WebGPU (Deno). Without a GPU it uses the software
 * adapter, a Vulkan driver for the CPU that comes with Chrome (the variable `CHROME` names a Chrome in an unusual
 * place), and says so once on standard error. After `device.dispose()` the device does not keep the process running.
 * @throws NO_ADAPTER with what was tried and what to install; MISSING_PACKAGE without the package webgpu.
 * @example
 * ```ts
 * import { fileTuningStore, openDevice } from "twingrad/node";
 *
 * const device = await openDevice({ tuning: { store: fileTuningStore() } });
 * console.log(device.adapter.description, device.adapter.software);
 * device.dispose();
 * ```
 */
export async function openDevice(options: NodeDeviceOptions = {}): Promise<Device> {
  checkOptions("openDevice", options, deviceOptions);
  const { adapter, name, tuning, kernels, tell = toStandardError } = options;
  if (adapter !== undefined && !["system", "software"].includes(adapter))
    throw new TwingradError("BAD_INPUT", `openDevice: adapter is "${adapter}"; expected "system" or "software".`);
  if (globalThis.navigator?.gpu) return openOn({ tuning, kernels });
  const key = `${adapter ?? "any"} ${name ?? ""}`;
  const opening =
    dawn.get(key) ?? loadPackage("webgpu", "A device in Node", () => openDawn(thisMachine(), adapter, name));
  dawn.set(key, opening); // one Vulkan instance for all devices, never released
  opening.catch(() => dawn.delete(key));
  const { gpu, tried } = await opening;
  if (!gpu) {
    dawn.delete(key);
    const called = name === undefined ? "" : ` whose name has "${name}"`;
    throw new TwingradError(
      "NO_ADAPTER",
      `Found no WebGPU adapter${called}. ${tried.join(". ")}. Install a GPU driver with Vulkan, or Chrome or Chromium, which ` +
        "carries a software adapter (CHROME=/path/to/chrome where it is in an unusual place).",
    );
  }
  const device = await openOn({ gpu, tuning, kernels, hostMemory: totalmem() });
  if (device.adapter.software && !metSoftware) {
    metSoftware = true;
    slowDawnsPolling();
    const { architecture, description, vendor } = device.adapter;
    const found = description || architecture || vendor;
    tell(`twingrad: no GPU found; computing on the CPU with the software adapter ${found}`);
  }
  return device;
}
