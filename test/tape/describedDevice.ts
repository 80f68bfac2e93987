// A device for stages that ask nothing of a GPU: it has limits, and says what it is.
import { Device } from "../../src/gpu/device.ts";

export function describedDevice({ software = false, memory }: { software?: boolean; memory?: number } = {}): Device {
  const limits = {
    maxStorageBufferBindingSize: 2 ** 30,
    maxBufferSize: 2 ** 30,
    maxComputeWorkgroupsPerDimension: 65535,
    maxStorageBuffersPerShaderStage: 10,
  };
  const gpu = {
    lost: new Promise(() => {}),
    limits,
    features: new Set(),
    createBuffer: ({ size, label }: GPUBufferDescriptor) => ({ size, label, destroy: () => {} }),
    queue: { writeBuffer: () => {} },
  } as unknown as GPUDevice;
  return new Device(gpu, { vendor: "", architecture: "", description: "", software }, undefined, false, memory);
}
