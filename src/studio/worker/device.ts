// The worker's device: opened once, and again after it was lost.
import { TwingradError } from "../../errors.ts";
import { type AdapterInfo, type Device, openDevice } from "../../gpu/device.ts";
import type { Publisher } from "./publisher.ts";

export function deviceName({ description, vendor, architecture, software }: AdapterInfo): string {
  const name = description || [vendor, architecture].filter(Boolean).join(" ") || "GPU";
  return software ? `${name} (software, on the CPU)` : name;
}

const notGivenBack = (error: Error) =>
  new TwingradError(
    "NO_ADAPTER",
    "The GPU was lost, and the browser does not give it back. Reload the page, or restart the browser; what is stored stays.",
    { cause: error },
  );

/** @returns a function that returns the current device. */
export function deviceOwner(publisher: Publisher): () => Promise<Device> {
  let opened: Promise<Device> | undefined;
  let before = false; // a browser may refuse its GPU for a while after a crash
  const open = async () => {
    const device = await openDevice();
    before = true;
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
      const given = missing && before ? notGivenBack(error) : error;
      publisher.set("device", { status: missing && !before ? "missing" : "failed", reason: given.message });
      throw given;
    });
    return opened;
  };
}
