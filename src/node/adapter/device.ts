// openDevice() for Node: the same Device as everywhere, on Dawn, with the software adapter found where there is no GPU.

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
  /** Only the system's adapter, or only the software one; by default the first that there is, in this order. */
  readonly adapter?: "system" | "software";
  /** A part of the adapter's name, as "A100", where there are several; letters count as they are. Not in Deno. */
  readonly name?: string;
  /** See `fileTuningStore`. */
  readonly tuning?: TuningOptions;
  /** Told once where there is no GPU and the software adapter computes; by default standard error is. */
  readonly tell?: (text: string) => void;
  /** See `OpenDeviceOptions.kernels`. */
  readonly kernels?: "portable";
}

const deviceOptions: Known<NodeDeviceOptions> = { adapter: 1, name: 1, tuning: 1, tell: 1, kernels: 1 };

const toStandardError = (text: string) => void process.stderr.write(`${text}\n`);

const dawn = new Map<string, ReturnType<typeof openDawn>>();
let metSoftware = false;

/**
 * Opens the system's GPU through Dawn, or in a runtime that has WebGPU itself (Deno) through that. Where there is none it takes a software adapter: Vulkan's on the CPU that lies
 * beside an installed Chrome (`CHROME` names one in an unusual place), and says so once on standard error.
 * After `device.dispose()` nothing of the device keeps the process from ending.
 * Throws `NO_ADAPTER`, with what was tried and what to install, and `MISSING_PACKAGE` without the package webgpu.
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
  dawn.set(key, opening); // one Vulkan instance for all devices: it is never given back
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
