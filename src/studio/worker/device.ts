// The worker's device: opened once, and again after it was lost.
import { TwingradError } from "../../errors.ts";
import { type AdapterInfo, type Device, openDevice } from "../../gpu/device.ts";
import type { Publisher } from "./publisher.ts";

export function deviceName({ description, vendor, architecture, software }: AdapterInfo): string {
  const name = description || [vendor, architecture].filter(Boolean).join(" ") || "GPU";
  return software ? `${name} (software, on the CPU)` : name;
}

/** @returns a function that returns the current device. */
export function deviceOwner(publisher: Publisher): () => Promise<Device> {
  let opened: Promise<Device> | undefined;
  const open = async () => {
    const device = await openDevice();
    const { vendor, architecture, software } = device.adapter;
    publisher.set("device", { status: "ready", name: deviceName(device.adapter), vendor, architecture, software });
    device.lost.catch(() => {
      opened = undefined; // the next call opens another
    });
    return device;
  };
  return () => {
    opened ??= open().catch((error: Error) => {
      opened = undefined;
      const missing = error instanceof TwingradError && error.code === "NO_ADAPTER";
      publisher.set("device", { status: missing ? "missing" : "failed", reason: error.message });
      throw error;
    });
    return opened;
  };
}
