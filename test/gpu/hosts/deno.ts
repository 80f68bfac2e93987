// Deno's WebGPU is wgpu with the Naga compiler: the second WGSL compiler that must accept the shaders.

import { createRequire } from "node:module";
import path from "node:path";
import { findSoftwareDriver, thisMachine, vulkanDrivers } from "../../../src/node/adapter/findAdapter.mjs";
import type { OpenHost } from "./host.ts";
import { type Command, openProcess } from "./process.ts";

/** The package's executable; npm does not run its install script, so this runs it. */
function denoExecutable(): string | undefined {
  try {
    return createRequire(import.meta.url)("deno/install_api.cjs").runInstall();
  } catch {
    return undefined; // the package is missing, or has no executable for this platform
  }
}

const executable = denoExecutable();

/** Why this machine cannot run the suites on wgpu, if so. */
export function denoMissing(): string | undefined {
  if (!executable) return "the deno package has no executable for this platform";
  const machine = thisMachine();
  if (process.platform !== "linux" || vulkanDrivers(machine).length > 0) return undefined;
  if (!findSoftwareDriver(machine)) return "there is no Vulkan driver for wgpu";
  return undefined;
}

/** On the system's GPU, or on Linux without one on the software driver that Chrome carries. */
export function denoCommand(): Command {
  const machine = thisMachine();
  const driver = vulkanDrivers(machine).length > 0 ? null : findSoftwareDriver(machine);
  return {
    executable: executable!,
    parameters: ["run", "--no-config", "--allow-all", "--unstable-webgpu"],
    environment: {
      NO_COLOR: "1",
      ...(driver && { VK_DRIVER_FILES: driver.icd, VK_ICD_FILENAMES: driver.icd }),
      ...(driver?.loader && {
        LD_LIBRARY_PATH: [path.dirname(driver.loader), process.env.LD_LIBRARY_PATH].filter((p) => p).join(":"),
      }),
    },
  };
}

export const openDeno: OpenHost = (start) => openProcess(denoCommand(), start);
