// Devices on which the engine chooses other kernels, or which show errors that the adapter itself would hide.

import { Device } from "../../src/index.ts";

/** Pipelines belong to the GPU device, so the variants share them. */
function onSame(device: Device, variant: Device): Device {
  return Object.defineProperty(variant, "kernels", { value: device.kernels });
}

const known = new Map<Device, Device>();

/** The same GPU device, for which the engine chooses its kernels as on a software adapter, or as on a GPU. */
export function deviceAs(device: Device, kind: "software adapters" | "GPUs"): Device {
  const software = kind === "software adapters";
  if (device.adapter.software === software) return device;
  let other = known.get(device);
  if (!other) {
    other = onSame(device, new Device(device.gpu, { ...device.adapter, software }, undefined, device.portable));
    known.set(device, other);
  }
  return other;
}

/** The same GPU device with lower limits than WebGPU lets a program ask for. */
export function deviceWithin(device: Device, limits: Readonly<Record<string, number>>): Device {
  const { gpu } = device;
  const lowered = new Proxy(gpu.limits, { get: (all, name) => limits[name as string] ?? Reflect.get(all, name, all) });
  const limited = new Proxy(gpu, {
    get(target, name) {
      if (name === "limits") return lowered;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
    set: (target, name, value) => Reflect.set(target, name, value, target),
  });
  return onSame(device, new Device(limited, device.adapter, undefined, device.portable));
}

export const kinds = ["software adapters", "GPUs"] as const;

/** The same GPU device, with the portable kernels only. */
export const portableDevice = (device: Device): Device =>
  onSame(device, new Device(device.gpu, device.adapter, undefined, true));

/** The same GPU device, with all kernels: for a case that tests kernels that are not portable. */
export function deviceWithAllKernels(device: Device): Device {
  return device.portable ? new Device(device.gpu, device.adapter) : device;
}

/** The same GPU device, on which the tuner chooses the candidate of that name wherever there is one. */
export function deviceChoosing(device: Device, candidate: string): Device {
  const all = deviceWithAllKernels(device);
  const other = onSame(all, new Device(all.gpu, all.adapter));
  other.tuner.choice = (_, candidates) => candidates.find((c) => c === candidate);
  return other;
}

const garbage = new Uint8Array(4 * 2 ** 20).fill(0xff); // NaN as float32, the largest number as u32

/**
 * From now on, new memory for temporaries is filled with NaN instead of zeros. In a long run it contains the values of
 * earlier temporaries, so this shows a kernel that leaves an element unwritten, or reads an unwritten one.
 */
export function fillTemporariesWithGarbage({ gpu }: Device): void {
  gpu.createBuffer = (descriptor) => {
    const buffer: GPUBuffer = Object.getPrototypeOf(gpu).createBuffer.call(gpu, descriptor);
    if (descriptor.label?.startsWith("temporaries")) {
      for (let at = 0; at < buffer.size; at += garbage.length) {
        gpu.queue.writeBuffer(buffer, at, garbage, 0, Math.min(garbage.length, buffer.size - at));
      }
    }
    return buffer;
  };
}

/** The same on one kind of adapter, counting how often there was such a candidate. */
export function deviceTaking(device: Device, kind: (typeof kinds)[number], candidate: string) {
  const other = deviceChoosing(deviceAs(device, kind), candidate);
  const { choice } = other.tuner;
  let taken = 0;
  other.tuner.choice = (key, candidates, portable) => {
    const found = choice(key, candidates, portable);
    if (found !== undefined) taken++;
    return found;
  };
  return { device: other, taken: () => taken };
}
